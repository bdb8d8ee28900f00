"""Progress where no terminal shows a bar: a line a minute, with the rate and the time left."""

import time
from collections.abc import Callable

_INTERVAL_S = 60.0
"""Seconds between two lines; fewer make logs longer."""


class ProgressLines:
    """Counts what is done, and says each minute how far it is.

    The rate is that of the pictures that were done since the last line. Those that are known from
    before are counted, but neither they nor the time that they took are in the rate.

    Args:
        total: how many there are to do.
        say: prints a line.
        what: they are called.
        clock: seconds, which never go back.
    """

    def __init__(
        self,
        total: int,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        what: str = "pictures",
    ) -> None:
        self._total = total
        self._say = say
        self._what = what
        self._clock = clock
        self._done = 0
        self._new = 0  # of these, done since the last line
        self._new_s = 0.0  # and the time that took
        self._said_s = self._last_s = clock()

    def __repr__(self) -> str:
        return f"ProgressLines({self._done} of {self._total})"

    def advance(self, done: int, *, known: bool = False) -> None:
        """Counts pictures that were done since the last call; `known`: by an earlier run."""
        now_s = self._clock()
        self._done += done
        if not known:
            self._new += done
            self._new_s += now_s - self._last_s
        self._last_s = now_s
        if now_s - self._said_s < _INTERVAL_S:
            return
        rate = self._new / self._new_s if self._new_s else 0.0
        share = self._done / max(self._total, 1)
        self._say(
            f"{self._done} of {self._total} {self._what} ({share:.0%}), "
            f"{_per_second(rate)} {self._what}/s, {_left(self._total - self._done, rate)}"
        )
        self._new, self._new_s, self._said_s = 0, 0.0, now_s


def _per_second(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"


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
