"""The addresses of settings, of events, and of figures for machines."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stream.page.announcer import Announcer
from stream.page.answers import EndlessResponse, as_json, controlling, json_of, may_control
from stream.page.metrics import metrics
from stream.page.page import Page


class SettingRoutes:
    """Answers what concerns settings, events and figures.

    Args:
        page: what is served.
        announcer: tells what has changed.
    """

    def __init__(self, page: Page, announcer: Announcer) -> None:
        self._page = page
        self._announcer = announcer

    def routes(self) -> list[BaseRoute]:
        """The addresses, and what answers each."""
        return [
            Route("/api/settings", self.list_all, methods=["GET"]),
            Route("/api/settings", controlling(self.change), methods=["PATCH"]),
            Route("/api/events", self.events, methods=["GET"]),
            Route("/metrics", self.figures, methods=["GET"]),
        ]

    async def list_all(self, request: Request) -> Response:
        """All settings."""
        return as_json(self._page.all_settings(may_control=may_control(request)))

    async def change(self, request: Request) -> Response:
        """Changes settings while the sources run."""
        changes = await json_of(request)
        await asyncio.to_thread(self._page.change_settings, changes)
        self._announcer.announce("settings", self._page.all_settings(may_control=False))
        return as_json(self._page.all_settings(may_control=True))

    async def events(self, request: Request) -> Response:
        """What changes, as server-sent events."""
        hidden = () if may_control(request) else ("files",)
        return EndlessResponse(self._announcer.listen(hidden), "text/event-stream")

    async def figures(self, _: Request) -> Response:
        """Figures for Prometheus."""
        return Response(metrics(self._page), media_type="text/plain; version=0.0.4")
