"""The addresses of sources: their states, their pictures, and what the user wishes of them."""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from stream.page.answers import (
    EndlessResponse,
    RefusedError,
    as_json,
    controlling,
    in_time,
    json_of,
)
from stream.page.page import Page
from stream.page.served_source import ServedSource
from stream.page.viewers import MOST_PX, Form, VideoHead, Viewer

_BOUNDARY = "face-stream-picture"
"""What separates the pictures of MJPEG."""


class SourceRoutes:
    """Answers what concerns the sources.

    Args:
        page: what is served.
    """

    def __init__(self, page: Page) -> None:
        self._page = page

    def routes(self) -> list[BaseRoute]:
        """The addresses, and what answers each."""
        one = "/api/sources/{number:int}"
        return [
            Route("/api/sources", self.list_all, methods=["GET"]),
            Route("/api/sources", controlling(self.add), methods=["POST"]),
            Route(one, controlling(self.remove), methods=["DELETE"]),
            Route(f"{one}/picture.jpg", self.picture, methods=["GET"]),
            Route(f"{one}/video.mjpeg", self.mjpeg, methods=["GET"]),
            Route(f"{one}/controls", controlling(self.control), methods=["POST"]),
            WebSocketRoute(f"{one}/video", self.video),
        ]

    async def list_all(self, _: Request) -> Response:
        """All sources."""
        return as_json(self._page.sources())

    async def add(self, request: Request) -> Response:
        """Adds a camera by its number, or an address that may be added."""
        address = (await json_of(request)).get("address")
        served = await asyncio.to_thread(self._page.add_source, address)
        return as_json(served.as_dict(), 201)

    async def remove(self, request: Request) -> Response:
        """Ends a source, and takes it off the page."""
        served = self._source(request)
        await asyncio.to_thread(self._page.remove_source, served)
        return as_json({})

    async def picture(self, request: Request) -> Response:
        """The newest picture."""
        jpeg = await asyncio.to_thread(self._source(request).broadcast.jpeg)
        if jpeg is None:
            raise RefusedError(404, "there is no picture yet: ask again in a moment")
        return Response(jpeg, media_type="image/jpeg")

    async def mjpeg(self, request: Request) -> Response:
        """Pictures one after another, as JPEG each."""
        served = self._source(request)
        viewer = self._viewer("jpeg", request)
        parts = self._parts(served, viewer)
        return EndlessResponse(parts, f"multipart/x-mixed-replace; boundary={_BOUNDARY}")

    async def control(self, request: Request) -> Response:
        """Does what the user wishes of a source."""
        served, wishes = self._source(request), await json_of(request)
        await asyncio.to_thread(self._page.control, served, wishes)
        return as_json(served.as_dict())

    async def video(self, socket: WebSocket) -> None:
        """H.264 in fragments."""
        try:
            served, viewer = self._source(socket), self._viewer("h264", socket)
        except RefusedError as error:
            await socket.send_denial_response(as_json({"error": str(error)}, error.status))
            return
        await socket.accept()
        served.broadcast.add(viewer)
        sending = asyncio.ensure_future(_send_video(socket, viewer))
        leaving = asyncio.ensure_future(_follow_sizes(socket, served, viewer))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            served.broadcast.remove(viewer)  # when neither can add it any more
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _parts(self, served: ServedSource, viewer: Viewer) -> AsyncIterator[bytes]:
        served.broadcast.add(viewer)
        try:
            while (encoded := await viewer.next()) is not None:
                head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\n"
                length = f"Content-Length: {len(encoded.data)}\r\n\r\n"
                yield (head + length).encode() + encoded.data + b"\r\n"
        finally:
            served.broadcast.remove(viewer)

    def _viewer(self, form: Form, connection: HTTPConnection) -> Viewer:
        """One more who watches.

        Raises:
            RefusedError: too many do, or the width that is asked for is none.
        """
        shown_px = _width(connection.query_params.get("width", str(MOST_PX)))
        if shown_px is None:
            raise RefusedError(400, f"width is a number of pixels, from 1 to {MOST_PX}")
        if self._page.watching >= self._page.settings.max_viewers:
            raise RefusedError(503, "too many watch at the moment: try again later")
        return Viewer(form, shown_px)

    def _source(self, connection: HTTPConnection) -> ServedSource:
        """The source that an address names.

        Raises:
            RefusedError: there is none.
        """
        served = self._page.hub.get(connection.path_params["number"])
        if served is None:
            raise RefusedError(404, "there is no source of that number: /api/sources lists them")
        return served


async def _send_video(socket: WebSocket, viewer: Viewer) -> None:
    """Sends what a viewer gets, until there is nothing more to come."""
    head: VideoHead | None = None
    while (encoded := await viewer.next()) is not None:
        if encoded.head is not None and encoded.head is not head:
            head = encoded.head
            width, height = head.size_wh
            said = {"mime": head.mime, "width": width, "height": height}
            await in_time(socket.scope, socket.send_json(said))
            await in_time(socket.scope, socket.send_bytes(head.data))
        await in_time(socket.scope, socket.send_bytes(encoded.data))
    await socket.close()


async def _follow_sizes(socket: WebSocket, served: ServedSource, viewer: Viewer) -> None:
    """Takes the widths at which one who watches shows the pictures, until they leave."""
    try:
        while (shown_px := _width(await socket.receive_text())) is not None:
            viewer.shown_px = shown_px
            served.broadcast.add(viewer)
        await socket.close(1008, f"send a width, from 1 to {MOST_PX}")
    except (WebSocketDisconnect, KeyError):
        pass


def _width(text: str) -> int | None:
    """The width that a text gives, px; None where it gives none."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_PX))):
        return None
    return shown_px if 0 < (shown_px := int(text)) <= MOST_PX else None
