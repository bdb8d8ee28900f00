"""The application: every address of the page and the API, behind the guard."""

from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from stream.page.announcer import Announcer
from stream.page.answers import (
    RefusedError,
    as_json,
    gone,
    may_control,
    not_allowed,
    not_there,
    refused,
)
from stream.page.openapi import described
from stream.page.page import Page
from stream.page.routes_files import FileRoutes
from stream.page.routes_people import PeopleRoutes
from stream.page.routes_settings import SettingRoutes
from stream.page.routes_sources import SourceRoutes
from stream.page.uploads import Uploads

MISUSE = (
    "The labels say how a face is perceived by a model that is often wrong. They are no fact about "
    "a person: do not identify, judge, or treat anyone by them."
)
"""What the page says against misuse."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""The media types of the page's own files, by ending."""

_INDEX = "index.html"
"""The page itself, among its files."""


def application(page: Page, uploads: Uploads, announcer: Announcer) -> ASGIApp:
    """Answers all requests for a page."""
    own = _Own(page)
    routes = [
        Route("/", own.index, methods=["GET"]),
        Route("/assets/{name}", own.asset, methods=["GET"]),
        Route("/healthz", own.health, methods=["GET"]),
        Route("/api/me", own.me, methods=["GET"]),
        *SourceRoutes(page).routes(),
        *PeopleRoutes(page).routes(),
        *FileRoutes(page, uploads).routes(),
        *SettingRoutes(page, announcer).routes(),
    ]
    api = described(routes)

    async def describe(_: Request) -> Response:
        """All addresses, as OpenAPI describes them."""
        return as_json(api)

    app = Starlette(
        routes=[*routes, Route("/api", describe, methods=["GET"])],
        exception_handlers={
            RefusedError: refused,
            ClientDisconnect: gone,
            404: not_there,
            405: not_allowed,
            HTTPException: refused,
        },
    )
    app.router.redirect_slashes = False
    return app


class _Own:
    """Answers what concerns the page itself; its files are read once, when it starts."""

    def __init__(self, page: Page) -> None:
        self._page = page
        folder = files("stream.page") / "assets"
        self._assets = {
            each.name: each.read_bytes()
            for each in (folder.iterdir() if folder.is_dir() else ())
            if _ending(each.name) in _TYPES
        }

    async def index(self, _: Request) -> Response:
        """The page."""
        return self._file(_INDEX)

    async def asset(self, request: Request) -> Response:
        """A file of the page."""
        return self._file(request.path_params["name"])

    async def health(self, _: Request) -> Response:
        """Whether the server answers."""
        return as_json({"status": "ok"})

    async def me(self, request: Request) -> Response:
        """What the token of the request allows, and what the page says to all."""
        page, settings = self._page, self._page.settings
        return as_json(
            {
                "may_control": may_control(request),
                "notice": settings.notice,
                "misuse": MISUSE,
                "limits": {"upload_mb": settings.max_upload_mb, "upload_s": settings.max_upload_s},
                "blur_fixed": page.hub.blur_fixed,
                "may_add_sources": may_control(request),
            }
        )

    def _file(self, name: str) -> Response:
        content = self._assets.get(name)
        if content is None:
            return not_there()
        return Response(content, media_type=_TYPES[_ending(name)])


def _ending(name: str) -> str:
    return name[name.rfind(".") :]
