"""Exponential backoff: the growing pauses between tries to reach what does not answer."""

import random
from collections.abc import Callable

_FIRST_PAUSE_S = 1.0
"""Pause before the first try, s; each further pause is twice as long. More costs more of what is
back at once."""

_MAX_PAUSE_S = 30.0
"""Longest pause between two tries, s; more spares the other side and finds it back later."""

_SHARES = 0.7, 0.9
"""Least and greatest share of a pause that is waited, at random, so that many programs that lost
one server at one moment do not all come at one moment again. With these the second try comes 2.1 to
2.7 s after the loss, and so finds what was away for 2 s within 3."""


def jitter() -> float:
    """A share of a pause, at random."""
    return random.uniform(*_SHARES)


class Backoff:
    """Gives one pause after another, each twice as long as the one before, up to a limit.

    Args:
        share: gives the share of each pause that is waited.
    """

    def __init__(self, share: Callable[[], float] = jitter) -> None:
        self._share = share
        self._pause_s = _FIRST_PAUSE_S

    def __repr__(self) -> str:
        return f"Backoff({self._pause_s:g} s)"

    def next_s(self) -> float:
        """How long to wait before the next try, s."""
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 2, _MAX_PAUSE_S)
        return pause_s * self._share()

    def reset(self) -> None:
        """A try has succeeded: the next pause is the first again."""
        self._pause_s = _FIRST_PAUSE_S
