"""The addresses of the people in view."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stream.page.answers import RefusedError, as_json
from stream.page.page import Page


class PeopleRoutes:
    """Answers what concerns the people in view.

    Args:
        page: what is served.
    """

    def __init__(self, page: Page) -> None:
        self._page = page

    def routes(self) -> list[BaseRoute]:
        """The addresses, and what answers each."""
        return [
            Route("/api/people", self.list_all, methods=["GET"]),
            Route("/api/people/{number:int}/{track:int}.jpg", self.thumbnail, methods=["GET"]),
        ]

    async def list_all(self, _: Request) -> Response:
        """The people in view, their counts, and the counts over time."""
        return as_json(await asyncio.to_thread(self._page.hub.people))

    async def thumbnail(self, request: Request) -> Response:
        """The best view of a face, blurred if faces are to be."""
        served = self._page.hub.get(request.path_params["number"])
        picture = None
        if served is not None:
            track, blur = request.path_params["track"], served.sink.controls.blur
            picture = await asyncio.to_thread(served.sink.faces.thumbnail, track, blur=blur)
        if picture is None:
            raise RefusedError(404, "there is no picture of that face any more")
        return Response(picture, media_type="image/jpeg")
