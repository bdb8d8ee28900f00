"""A log in files of their own, one for each segment, beside those of the video."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from models.program.locks import LockedError
from stream.controls import RunReport
from stream.errors import SinkError
from stream.people import Person
from stream.sinks.claims import claim_file
from stream.sinks.contract import AnnotatedFrame, Sink
from stream.sinks.segments import Segment, SegmentNames

_log = logging.getLogger(__name__)


class SegmentedLog:
    """Writes the frames of each segment into a log of its own, which is complete when it ends.

    People who are present then are in that log too, and in the next one again. A log that fails
    costs its segment; the next one is tried again.

    Args:
        names: of the files.
        open_log: opens the log of a path.
        report: takes segments that are complete, and failures.
        retry_soon: asks for a new segment after a failure.
    """

    output = None
    quit_requested = False

    def __init__(
        self,
        names: SegmentNames,
        open_log: Callable[[Path], Sink],
        report: RunReport,
        retry_soon: Callable[[], None],
    ) -> None:
        self.name = f"log ({names.path('').name})"
        self._names, self._open_log = names, open_log
        self._report, self._retry_soon = report, retry_soon
        self._held: deque[AnnotatedFrame] = deque()
        self._log: Sink | None = None
        self._segment: Segment | None = None
        self._claim = ExitStack()
        self._present: Sequence[Person] = ()

    def __repr__(self) -> str:
        return f"SegmentedLog({self._names.path('')}, {self._log})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Adds the frame to the log of its segment, or holds it back."""
        place = annotated.place
        if place.segment is None:
            self._end(complete=True)
            self._hold(annotated)
            return
        try:
            if place.segment != self._segment:
                self._end(complete=True)
                self._begin(place.segment)
            if self._log is not None:
                for each in self._held:
                    if each.frame.time_s >= place.since_s:
                        self._log.write(each)
                self._log.write(annotated)
        except (SinkError, LockedError) as error:
            self._fail(error)
        self._held.clear()
        self._present = annotated.present

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Ends the log of the last segment."""
        self._present = present
        self._end(complete=complete)

    def _begin(self, segment: Segment) -> None:
        """Opens the log of a segment."""
        self._segment = segment
        path = self._names.path(segment.stamp)
        self._claim.enter_context(claim_file(path))
        self._log = self._open_log(path)

    def _end(self, *, complete: bool) -> None:
        """Closes the log of the segment."""
        log, self._log = self._log, None
        if log is None or self._segment is None:
            return
        try:
            with self._claim:
                log.close(self._present, complete=complete)
        except SinkError as error:
            self._fail(error)
        else:
            if complete:
                self._report.segments.note_complete(self._segment.number)

    def _hold(self, annotated: AnnotatedFrame) -> None:
        """Keeps a frame, and drops those that no segment will take."""
        self._held.append(annotated.without_pixels())
        while self._held[0].frame.time_s < annotated.place.since_s:
            self._held.popleft()

    def _fail(self, error: Exception) -> None:
        """Leaves the log of this segment as it is."""
        log, self._log = self._log, None
        with self._claim, suppress(SinkError):
            if log is not None:
                log.close(complete=False)
        failure = f"{self.name}: {error}"
        if self._report.note_failure(failure):
            _log.error("%s", failure)
        self._retry_soon()
