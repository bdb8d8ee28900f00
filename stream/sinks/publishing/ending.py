"""The time that the end of a run may take for all that sends results on, together."""

import time
from collections.abc import Callable

_LIMIT_S = 0.8
"""For how long what waits may still be sent, s: the program is to end within a second."""

_CUT_LIMIT_S = 0.4
"""How long after that threads may take to see that they are cut, s."""


class Ending:
    """Says how long what waits may still be sent; the time counts from the first that asks.

    Args:
        clock: the monotonic clock, s.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end_s: float | None = None
        self._cuts: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"Ending({self._end_s})"

    def begin(self, cut: Callable[[], None]) -> None:
        """The time counts, and one more has no other.

        Args:
            cut: ends whatever that one waits for.
        """
        self._cuts.append(cut)
        if self._end_s is None:
            self._end_s = self._clock() + _LIMIT_S

    def left_s(self, least_s: float) -> float:
        """How long one may still take, s: what is left for all, and `least_s` in any case."""
        end_s = self._clock() + _LIMIT_S if self._end_s is None else self._end_s
        return max(end_s - self._clock(), least_s)

    def cut(self) -> None:
        """The time is over: all that have begun are told to wait for nothing any more."""
        cuts, self._cuts = self._cuts, []
        if cuts:
            self._end_s = self._clock() + _CUT_LIMIT_S
        for each in cuts:
            each()
