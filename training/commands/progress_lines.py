"""Progress where no terminal shows a bar: a line a minute, with the rate and the time left."""

import time
from collections.abc import Callable

_INTERVAL_S = 60.0
"""Seconds between two lines; fewer make logs longer."""


class ProgressLines:
    """Counts what is done, and says each minute how far it is.

    The rate is that of the time since the last line: what is known from before is done at once, and
    would make a mean of all the time promise too much.

    Args:
        total: how many there are to do.
        say: prints a line.
        clock: seconds, which never go back.
    """

    def __init__(
        self, total: int, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._total = total
        self._say = say
        self._clock = clock
        self._done = self._said = 0
        self._said_s = clock()

    def __repr__(self) -> str:
        return f"ProgressLines({self._done} of {self._total})"

    def advance(self, done: int) -> None:
        """Counts pictures that were done since the last call."""
        self._done += done
        now_s = self._clock()
        passed_s = now_s - self._said_s
        if passed_s < _INTERVAL_S:
            return
        rate = (self._done - self._said) / passed_s
        share = self._done / max(self._total, 1)
        self._say(
            f"{self._done} of {self._total} pictures ({share:.0%}), {_per_second(rate)}, "
            f"{_left(self._total - self._done, rate)}"
        )
        self._said, self._said_s = self._done, now_s


def _per_second(rate: float) -> str:
    return f"{rate:.0f} pictures/s" if rate >= 10 else f"{rate:.2g} pictures/s"


def _left(remaining: int, rate: float) -> str:
    """The time that the rest takes at a rate."""
    if remaining <= 0:
        return "nearly done"
    if rate <= 0:
        return "time left not known"
    minutes = round(remaining / rate / 60)
    if minutes < 1:
        return "less than a minute left"
    hours, minutes = divmod(minutes, 60)
    return f"about {hours} h {minutes} min left" if hours else f"about {minutes} min left"
