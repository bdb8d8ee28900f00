"""The addresses of files: recordings and snapshots, and what is sent to be annotated."""

import asyncio
import base64

import cv2
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from stream.errors import SourceError
from stream.page.answers import RefusedError, as_json, body_of, body_parts, controlling
from stream.page.page import Page
from stream.page.uploads import Uploads

_ANNOTATED_QUALITY = 90
"""JPEG quality of a picture that was sent, annotated, 0 to 100."""


class FileRoutes:
    """Answers what concerns files; none is found by a path of the request.

    Args:
        page: what is served.
        uploads: annotates the videos that are sent.
    """

    def __init__(self, page: Page, uploads: Uploads) -> None:
        self._page = page
        self._uploads = uploads
        self._analyzing = asyncio.Semaphore(1)

    def routes(self) -> list[BaseRoute]:
        """The addresses, and what answers each; all are for those who may control."""
        one = "/api/uploads/{key}"
        answers = [
            ("/api/files", self.list_all, "GET"),
            ("/api/files/{name}", self.download, "GET"),
            ("/api/analyze", self.analyze, "POST"),
            ("/api/uploads", self.upload, "POST"),
            (one, self.upload_state, "GET"),
            (f"{one}/video", self.upload_video, "GET"),
            (one, self.delete_upload, "DELETE"),
        ]
        return [
            Route(path, controlling(answer), methods=[method]) for path, answer, method in answers
        ]

    async def list_all(self, _: Request) -> Response:
        """The recordings and snapshots that were made."""
        return as_json(await asyncio.to_thread(self._page.made))

    async def download(self, request: Request) -> Response:
        """One of them, or a part of it."""
        await asyncio.to_thread(self._page.made)
        made = self._page.files.get(request.path_params["name"])
        if made is None:
            raise RefusedError(404, "there is no such file: /api/files lists them")
        return FileResponse(made.path, filename=made.path.name, content_disposition_type="inline")

    async def analyze(self, request: Request) -> Response:
        """The faces of a picture; with `?picture=1` also the picture with boxes and labels."""
        settings = self._page.settings
        data = await body_of(request, settings.max_upload_bytes, settings.max_upload_s)
        with_picture = request.query_params.get("picture") == "1"
        async with self._analyzing:
            return as_json(await asyncio.to_thread(self._analyzed, data, with_picture))

    def _analyzed(self, data: bytes, with_picture: bool) -> dict[str, object]:
        try:
            results = self._page.hub.model.analyze(data)
        except (SourceError, ValueError) as error:
            raise RefusedError(422, str(error)) from error
        found: dict[str, object] = {"faces": [face.as_dict() for face in results]}
        if with_picture:
            quality = [cv2.IMWRITE_JPEG_QUALITY, _ANNOTATED_QUALITY]
            jpeg = cv2.imencode(".jpg", results.draw(), quality)[1].tobytes()
            found["picture"] = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
        return found

    async def upload(self, request: Request) -> Response:
        """Takes a video to be annotated."""
        settings, uploads = self._page.settings, self._uploads
        key, upload = uploads.begin()
        try:
            with upload.received.open("wb") as file:
                async for part in body_parts(
                    request, settings.max_upload_bytes, settings.max_upload_s
                ):
                    await asyncio.to_thread(file.write, part)
        except OSError as error:
            uploads.delete(key)
            raise RefusedError(507, f"there is no room for it: {error.strerror}") from error
        except BaseException:  # the sender has left, too
            uploads.delete(key)
            raise
        uploads.put(upload)
        return as_json(upload.as_dict(key), 202)

    async def upload_state(self, request: Request) -> Response:
        """What has become of a video."""
        key = request.path_params["key"]
        return as_json(self._uploads.get(key).as_dict(key))

    async def upload_video(self, request: Request) -> Response:
        """A video with boxes and labels, or a part of it."""
        upload = self._uploads.get(request.path_params["key"])
        if upload.state != "done":
            raise RefusedError(409, upload.error or "it is not done yet: ask again in a moment")
        return FileResponse(upload.annotated, media_type="video/mp4")

    async def delete_upload(self, request: Request) -> Response:
        """Deletes a video."""
        self._uploads.get(request.path_params["key"])
        await asyncio.to_thread(self._uploads.delete, request.path_params["key"])
        return as_json({})
