"""The pace of a source that has an end: what is sent on is sent as fast as it would be played."""

import time
from collections.abc import Callable

_MAX_LATE_S = 1.0
"""How late a frame may be before the pace is counted anew, s; more sends longer bursts."""


class Pace:
    """Waits until a frame is due, counted from the first.

    A frame that is late is due at once, and those that follow make up for it; a second is not made
    up for.

    Args:
        clock: the monotonic clock, s.
        sleep: waits, s.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._begun_s: float | None = None  # when time 0 of the source was due

    def __repr__(self) -> str:
        return "Pace()"

    def wait(self, time_s: float) -> None:
        """Waits until the frame of that time in the source is due."""
        now_s = self._clock()
        if self._begun_s is None or now_s > self._begun_s + time_s + _MAX_LATE_S:
            self._begun_s = now_s - time_s
        self._sleep(max(self._begun_s + time_s - now_s, 0.0))
