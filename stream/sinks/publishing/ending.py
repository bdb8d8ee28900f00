"""The time that the end of a run may take for all that sends results on, together."""

import time
from collections.abc import Callable

_LIMIT_S = 0.8
"""For how long what waits may still be sent, s: the program is to end within a second."""


class Ending:
    """Says how long what waits may still be sent; the time counts from the first that asks.

    Args:
        clock: the monotonic clock, s.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end_s: float | None = None

    def __repr__(self) -> str:
        return f"Ending({self._end_s})"

    def left_s(self, least_s: float) -> float:
        """How long one more may take, s: what is left for all, and `least_s` in any case."""
        if self._end_s is None:
            self._end_s = self._clock() + _LIMIT_S
        return max(self._end_s - self._clock(), least_s)
