"""The sink that prints events, one a line, as they happen."""

from collections.abc import Iterable, Sequence

from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.data.events import Event, Events
from stream.sinks.data.json_log import json_line
from stream.sinks.data.line_stream import STANDARD_OUTPUT, LineStream


class EventLog:
    """Prints each event on standard output; the end of its reader is the end of the run.

    Args:
        info: the source.
        stall_s: time after which a reader that takes nothing hangs, s; 0 for never.

    Raises:
        SinkError: standard output is closed.
    """

    name = "events"
    output = None

    def __init__(self, info: SourceInfo, stall_s: float = 0) -> None:
        self._events = Events(info)
        self._lines = LineStream(STANDARD_OUTPUT, stall_s)

    def __repr__(self) -> str:
        return f"EventLog({self._events})"

    @property
    def quit_requested(self) -> bool:
        """Whether the reader has left."""
        return self._lines.reader_left

    def write(self, annotated: AnnotatedFrame) -> None:
        """Prints what the frame brings.

        Raises:
            SinkError: standard output cannot be written.
        """
        self._print(self._events.of_frame(annotated))

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Prints that the people who are still present are gone.

        Raises:
            SinkError: standard output cannot be written.
        """
        try:
            self._print(self._events.of_end(present))
        except SinkError:
            self._lines.discard()
            raise
        self._lines.close(complete=complete, keep=True)

    def _print(self, events: Iterable[Event]) -> None:
        self._lines.write("".join(map(json_line, events)))
