"""Several sinks as one: each gets every frame, and none takes the others down."""

import logging
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

from models.program.interrupts import finishing
from stream.controls import RunReport
from stream.errors import LostSourceError, SinkError
from stream.frames import Frame
from stream.people import Person
from stream.sinks.contract import PersonSink, SendingSink, Sink
from stream.sinks.frame_assembler import FrameAssembler
from stream.sinks.paths import partial_path
from stream.stalls import place_of
from stream.tracks import Track

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _OpenSink:
    """A sink that works.

    Attributes:
        sink: it.
        present: the people present in the last frame that it took.
        has_frame: it has taken one; what holds no frame is never complete.
    """

    sink: Sink
    present: Sequence[Person] = ()
    has_frame: bool = False


class Sinks:
    """Fans frames out. A sink that fails is named, closed and left out from then on.

    A sink is closed with the people who were present in the last frame that it took: Ctrl-C may
    fall when only some of the sinks have the newest one.

    Use it as a context manager: leaving it without an error, by Ctrl-C, or because a source that
    was lost has not come back, completes the outputs that have a frame.

    Args:
        sinks: what was asked for; when all of them have failed, the run ends.
        frames: makes what the sinks are given.
        report: takes the outputs that are complete, and the failures.
        watchers: sinks that get every frame first, and for whose sake alone no run goes on.
        summary: a sink that gets every frame last, when all others have it.

    Attributes:
        report: what the run reports.
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        frames: FrameAssembler,
        report: RunReport | None = None,
        *,
        watchers: Sequence[Sink] = (),
        summary: Sink | None = None,
    ) -> None:
        self.report = report or RunReport()
        last = () if summary is None else (summary,)
        self._open = [_OpenSink(sink) for sink in (*watchers, *sinks, *last)]
        self._asked_for = list(sinks)
        self._frames = frames

    def __repr__(self) -> str:
        return f"Sinks({', '.join(each.sink.name for each in self._open)})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        complete = kind is None or issubclass(kind, KeyboardInterrupt | LostSourceError)
        # Whatever one of them raises, the others are closed.
        with finishing(), ExitStack() as stack:
            still_open, self._open = self._open, []
            for each in reversed(still_open):
                has_frame = complete and each.has_frame
                stack.callback(self._close, each.sink, each.present, complete=has_frame)
            for each in still_open:
                if isinstance(each.sink, SendingSink):
                    each.sink.begin_end(each.present)
            if complete:
                self._settle([each.sink for each in still_open if each.has_frame])

    @property
    def quit_requested(self) -> bool:
        """One of them asks for the end of all: the user did, or what reads it has left."""
        return any(each.sink.quit_requested for each in self._open)

    @property
    def all_failed(self) -> bool:
        """None of those asked for works any more."""
        working = [each.sink for each in self._open]
        return bool(self._asked_for) and not any(sink in working for sink in self._asked_for)

    def write(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Hands the frame to every sink that still works; one that only leads in, to none."""
        if frame.is_lead_in:
            self._frames.follow(frame, tracks)
            return
        annotated = self._frames.annotated(frame, tracks)
        present = annotated.present
        for each in list(self._open):
            if each not in self._open:  # `finish` has completed it meanwhile
                continue
            try:
                each.sink.write(annotated)
            except SinkError as error:
                self._report_failure(each.sink, error)
                self._open.remove(each)
                self._close(each.sink, present, complete=False)
                if self.all_failed:
                    _log.error("nothing is left to be written or shown: stopped")
            else:
                each.present, each.has_frame = present, True

    def finish(self, limit_s: float) -> None:
        """Completes the outputs of a run that hangs, from another thread; nothing is written after.

        Args:
            limit_s: how long each may take, s; one that hangs itself is left.
        """
        still_open, self._open = self._open, []
        for each in still_open:
            closing = threading.Thread(
                target=self._close,
                args=(each.sink, each.present),
                kwargs={"complete": each.has_frame},
                name="closing",
                daemon=True,
            )
            closing.start()
            closing.join(limit_s)
            if closing.is_alive():
                self._report_failure(each.sink, SinkError(f"hangs: {place_of(closing)}"))

    def _settle(self, sinks: Sequence[Sink]) -> None:
        """Tells the sinks the persons, whose tracks are joined now that all frames were seen."""
        persons = self._frames.persons()
        for sink in sinks:
            if persons is not None and isinstance(sink, PersonSink):
                sink.settle(persons)

    def _close(self, sink: Sink, present: Sequence[Person], *, complete: bool) -> None:
        try:
            sink.close(present, complete=complete)
        except SinkError as error:
            self._report_failure(sink, error)
        else:
            if complete and sink.output is not None and sink.output.exists():
                self.report.outputs.append(sink.output)
        rest = partial_path(sink.output) if sink.output is not None else None
        if rest is not None and rest.is_file():
            _log.warning("%s is not complete: what there is of it is %s", sink.output, rest)

    def _report_failure(self, sink: Sink, error: SinkError) -> None:
        if sink.output is not None and sink.output == self.report.recording:
            self.report.recording = None
        failure = f"{sink.name}: {error}"
        if self.report.note_failure(failure):  # what stops a write often stops the closing too
            _log.error("%s failed: %s", sink.name, error)
