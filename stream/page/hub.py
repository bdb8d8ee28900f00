"""All sources of the page, while they run: they are added, found by number, and ended here."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from stream.controls import Controls, RunReport
from stream.errors import ConfigError
from stream.frames import SourceInfo
from stream.page.broadcast import Broadcast
from stream.page.faces_in_view import add_counts
from stream.page.live_annotator import LiveAnnotator
from stream.page.page_sink import PageSink
from stream.page.painter import Painter
from stream.page.rendition import Rendition
from stream.page.served_source import ServedSource
from stream.run import FrameAnnotator
from stream.session import Model
from stream.several.listing import NamedSource
from stream.several.member import Member
from stream.several.shared_model import SharedModel
from stream.sinks import Outputs
from stream.sinks.data.events import Event
from stream.sources import WHOLE, Span

_MOST_SOURCES = 64
"""Sources that a page has at most; each has threads, and memory for its frames."""

_SMALL = 2 / 3
"""Width of the small pictures, of `serve.width`: 720p and 1080p are whole multiples of it. Less is
cheaper, and serves fewer tiles; 640 instead of 960 px takes half of the processor time."""


class Hub:
    """The sources that are served, each in threads of its own, with one model.

    Args:
        model: annotates all of them.
        loop: the event loop in whose thread viewers wait.

    Attributes:
        model: the model.
        blur_fixed: faces were to be blurred from the start: nothing on the page undoes that.
        on_event: is told the number of a source and what is new of the people in view of it.
    """

    def __init__(self, model: Model, loop: asyncio.AbstractEventLoop) -> None:
        self.model = model
        self.blur_fixed = model.config.overlay.blur
        self.shared = SharedModel(self._annotator)
        self._loop = loop
        self._lock = threading.Lock()
        self._sources: dict[int, ServedSource] = {}
        self._next_number = 0
        self._members: list[Member] = []
        self._by_controls: dict[int, PageSink] = {}
        self.on_event: Callable[[int, Event], None] = lambda _number, _event: None

    def __repr__(self) -> str:
        return f"Hub({len(self._sources)} sources)"

    @property
    def sources(self) -> Sequence[ServedSource]:
        """The sources, by number."""
        with self._lock:
            return list(self._sources.values())

    @property
    def members(self) -> Sequence[Member]:
        """The runs of all sources that there were, those too that were removed."""
        with self._lock:
            return list(self._members)

    def get(self, number: int) -> ServedSource | None:
        """The source of a number; None where there is none."""
        return self._sources.get(number)

    def add(
        self, source: NamedSource, outputs: Outputs, span: Span = WHOLE, *, is_added: bool = False
    ) -> ServedSource:
        """Begins to annotate a source, and to serve it.

        Raises:
            ConfigError: there are too many.
        """
        config = self.model.config
        if is_added:  # it must not lead on to another address
            direct = config.source.model_copy(update={"redirects": False})
            config = config.model_copy(update={"source": direct})
        member = Member(source, outputs, config, span, self.shared)
        with self._lock:
            if len(self._sources) >= _MOST_SOURCES:
                raise ConfigError(f"there are {_MOST_SOURCES} sources already: remove one first")
            number, self._next_number = self._next_number, self._next_number + 1
            sink = PageSink(
                member.controls,
                member.summary.report,
                is_paced=not outputs.are_kept,
                on_event=partial(self.on_event, number),
            )
            broadcast = Broadcast(sink, self._renditions(), config.serve.fps, str(number))
            served = ServedSource(number, member, sink, broadcast, is_added)
            self._sources[number] = served
            self._by_controls[id(member.controls)] = sink
            self._members.append(member)
        member.show_in(sink, Path(config.serve.folder))
        broadcast.start(self._loop)
        member.thread.start()
        return served

    def change(self, model: Model) -> None:
        """Goes on with other settings."""
        self.model = model
        for served in self.sources:
            served.broadcast.change(model.overlay())

    def remove(self, served: ServedSource) -> None:
        """Ends a source and forgets it; may be called twice."""
        self.end([served])
        with self._lock:
            self._sources.pop(served.number, None)
            self._by_controls.pop(id(served.member.controls), None)

    def end(self, several: Sequence[ServedSource]) -> None:
        """Ends sources, and completes what is written of them."""
        for served in several:
            served.member.wish(Controls(quit_requested=True))
        for served in several:
            served.broadcast.close()

    def people(self, *, all_history: bool = True) -> dict[str, Any]:
        """The faces in view of all sources, as JSON has them.

        Args:
            all_history: whether all counts over time are wanted, or only the last.
        """
        sources = self.sources
        histories = [
            {"source": each.number, **entry}
            for each in sources
            for entry in each.sink.faces.history()[0 if all_history else -1 :]
        ]
        return {
            "people": [entry for each in sources for entry in each.sink.faces.entries(each.number)],
            "counts": add_counts([each.sink.faces.counts() for each in sources]),
            "history": sorted(histories, key=lambda entry: entry["time"]),
        }

    def _renditions(self) -> list[Rendition]:
        """The sizes in which a source is shown, from the smallest on."""
        overlay, serve = self.model.overlay(), self.model.config.serve
        widths = round(serve.width * _SMALL), serve.width
        return [Rendition(Painter(overlay, width), serve.fps) for width in widths]

    def _annotator(self, info: SourceInfo, controls: Controls, report: RunReport) -> FrameAnnotator:
        """The annotator of a source, which tells its sink what is known of it."""
        if (sink := self._by_controls.get(id(controls))) is not None:
            sink.begin(info)
        return LiveAnnotator(lambda: self.model, info, controls, report)
