"""One source of the page: its run, its newest frame, and its pictures for all who watch."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.program.printable import printable
from stream.page.broadcast import Broadcast
from stream.page.page_sink import PageSink
from stream.several.listing import NamedSource
from stream.several.member import Member
from stream.several.totals import without_name


def _shown_name(source: NamedSource) -> str:
    """The name of a source without secrets, that of a file without its folder."""
    if source.form in ("file", "pictures"):
        return printable(Path(source.uri).name or source.uri)
    return str(source)


@dataclass(slots=True, eq=False)
class ServedSource:
    """A source that the page shows.

    Attributes:
        number: by which the page and the API name it; none is used twice in a run.
        member: its run.
        sink: its newest frame.
        broadcast: hands its pictures over to all who watch.
        is_added: it was added from the page.
    """

    number: int
    member: Member
    sink: PageSink
    broadcast: Broadcast
    is_added: bool = False
    _noted: tuple[str, datetime] = field(default_factory=lambda: ("waiting", datetime.now(UTC)))

    def state(self) -> tuple[str, str | None]:
        """What it does, and why where it gives no pictures."""
        sink, summary = self.sink, self.member.summary
        if sink.ended is not None:
            failed = bool(summary.failures)
            return ("failed", sink.ended) if failed else ("ended", sink.ended)
        if summary.history.is_waiting:
            return "waiting", without_name(self.member.source, summary.history.last_reason)
        if sink.newest() is None:
            return "waiting", "it is being opened"
        if sink.controls.paused:
            return "paused", None
        return "live", None

    def note_state(self) -> tuple[str, str | None, datetime]:
        """What it does, why, and since when, as far as it was looked at."""
        state, reason = self.state()
        state_before, since = self._noted
        if state != state_before:
            since = datetime.now(UTC)
            self._noted = state, since
        return state, reason, since

    def as_dict(self) -> dict[str, Any]:
        """The source as JSON has it."""
        state, reason, since = self.note_state()
        sink, summary = self.sink, self.member.summary
        info, report, controls = sink.info, summary.report, sink.controls
        width, height = info.size_wh if info is not None else (None, None)
        figures = sink.figures()
        return {
            "number": self.number,
            "name": _shown_name(self.member.source),
            "kind": "video" if info is None else info.kind,
            "state": state,
            "since": since.isoformat(timespec="seconds"),
            "reason": reason,
            "width": width,
            "height": height,
            "source_fps": figures["source_fps"],
            "shown_fps": figures["shown_fps"],
            "latency_ms": {"p50": figures["latency_p50_ms"], "p95": figures["latency_p95_ms"]},
            "frames": summary.frames,
            "dropped": summary.dropped,
            "faces": sink.faces.count,
            "people": summary.people,
            "paused": controls.paused,
            "recording": report.recording is not None,
            "recording_refusal": report.recording_refusal,
            "blur": controls.blur,
            "watching": self.broadcast.watching,
            "notice": report.notice,
        }
