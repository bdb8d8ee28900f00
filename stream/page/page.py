"""What the page serves, as plain values: its routes ask here, and change things here."""

from collections.abc import Mapping
from typing import Any

from stream.page.answers import RefusedError
from stream.page.hub import Hub
from stream.page.served_source import ServedSource
from stream.settings.serve_section import ServeSection

_SWITCHES = {"paused": "paused", "recording": "record", "blur": "blur"}
"""What is switched of a source, and what `Controls` calls it."""


class Page:
    """All that is served.

    Args:
        hub: the sources.

    Attributes:
        hub: the sources.
    """

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def __repr__(self) -> str:
        return f"Page({self.hub!r})"

    @property
    def settings(self) -> ServeSection:
        """The settings of the page."""
        return self.hub.model.config.serve

    @property
    def watching(self) -> int:
        """How many watch a picture."""
        return sum(served.broadcast.watching for served in self.hub.sources)

    def sources(self) -> dict[str, Any]:
        """All sources, as JSON has them."""
        return {"sources": [served.as_dict() for served in self.hub.sources]}

    def control(self, served: ServedSource, wishes: Mapping[str, Any]) -> None:
        """Does what the user wishes of a source.

        Raises:
            RefusedError: it cannot be done.
        """
        for name, value in wishes.items():
            if name not in (*_SWITCHES, "snapshot"):
                raise RefusedError(400, f"{name!r} is no control: name paused, recording or blur")
            if not isinstance(value, bool):
                raise RefusedError(400, f"{name} is true or false")
        if wishes.get("blur") is False and self.hub.blur_fixed:
            raise RefusedError(409, "faces are blurred from the start of the run: that stays so")
        served.sink.change(**{_SWITCHES[k]: v for k, v in wishes.items() if k in _SWITCHES})

    def add_source(self, address: object) -> ServedSource:
        """Adds a source."""
        raise RefusedError(403, "none may be added")

    def remove_source(self, served: ServedSource) -> None:
        """Removes a source."""
        self.hub.remove(served)
