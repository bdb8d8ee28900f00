"""Sinks that measure: when each frame can be seen, how old it is then, how many faces it has."""

import time
from collections.abc import Sequence

from stream.people import Person
from stream.sinks import AnnotatedFrame


class TimeLimit:
    """Ends a run after some time, and draws each frame as a window does.

    Args:
        seconds: time from the first frame to the request to quit, s.
        draws: whether the picture is asked for; without it no picture is drawn.
    """

    name = "onlooker"
    output = None

    def __init__(self, seconds: float = float("inf"), *, draws: bool = True) -> None:
        self._draws = draws
        self._seconds = seconds
        self._end_s: float | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(draws={self._draws})"

    @property
    def quit_requested(self) -> bool:
        """Whether the time is over."""
        return self._end_s is not None and time.monotonic() >= self._end_s

    def write(self, annotated: AnnotatedFrame) -> None:
        """Draws the next frame; the first one starts the clock."""
        if self._draws:
            _ = annotated.picture  # drawn when it is first asked for
        if self._end_s is None:
            self._end_s = time.monotonic() + self._seconds

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """There is nothing to release."""


class FrameProbe(TimeLimit):
    """Notes of each frame when it can be seen, and how many faces it has.

    Attributes:
        indices: the index of each frame that arrived.
        shown_s: when each could be seen, `time.monotonic()`.
        latencies_s: the age of each at that moment, s.
        faces: how many faces were found in each.
        cpu_s: CPU time of the whole program until that moment, s.
    """

    def __init__(self, seconds: float = float("inf"), *, draws: bool = True) -> None:
        super().__init__(seconds, draws=draws)
        self.indices: list[int] = []
        self.shown_s: list[float] = []
        self.latencies_s: list[float] = []
        self.faces: list[int] = []
        self.cpu_s: list[float] = []

    def write(self, annotated: AnnotatedFrame) -> None:
        """Draws the next frame, and notes it."""
        super().write(annotated)
        now_s = time.monotonic()
        self.indices.append(annotated.frame.index)
        self.shown_s.append(now_s)
        self.latencies_s.append(now_s - annotated.frame.captured_s)
        self.cpu_s.append(time.process_time())
        self.faces.append(sum(track.missed_frames == 0 for track in annotated.tracks))
