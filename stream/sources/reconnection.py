"""How a source that was lost is opened again."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import av

from stream.errors import SourceError

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 5.0

_log = logging.getLogger(__name__)

Opened = TypeVar("Opened")


def what_happened(error: av.error.FFmpegError) -> str:
    """To a source of the network, in words that follow its name."""
    if isinstance(error, av.error.ExitError | av.error.TimeoutError):
        return "has fallen silent"
    return f"was lost: {error.strerror}"


class Reconnection:
    """Tries again after growing pauses, for a limited time; says once what is lost and once more
    when it is back.

    Args:
        name: of the source, as it is printed.
        limit_s: how long it goes on trying after a loss; 0 for not at all.
    """

    def __init__(self, name: str, limit_s: float) -> None:
        self._name = name
        self._limit_s = limit_s
        self._interrupted = threading.Event()

    def interrupt(self) -> None:
        """Ends every wait, now and from now on; called by another thread."""
        self._interrupted.set()

    def pause(self, pause_s: float) -> bool:
        """Waits; whether it could wait to the end."""
        return not self._interrupted.wait(max(pause_s, 0.0))

    def again(self, reason: str, reopen: Callable[[], Opened]) -> Opened | None:
        """What `reopen` returns once it succeeds; None if it was interrupted before.

        Raises:
            SourceError: it has not come back in time.
        """
        if self._interrupted.is_set():
            return None
        if self._limit_s == 0:
            raise SourceError(f"{self._name} {reason}")
        lost_s = time.monotonic()
        _log.warning("%s %s: trying again for %g s", self._name, reason, self._limit_s)
        pause_s = _FIRST_PAUSE_S
        while self.pause(min(pause_s, lost_s + self._limit_s - time.monotonic())):
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            try:
                opened = reopen()
            except SourceError as error:
                if time.monotonic() - lost_s >= self._limit_s:
                    raise SourceError(
                        f"{self._name} {reason}, and was not back within {self._limit_s:g} s"
                    ) from error
            else:
                _log.warning("%s is back after %.1f s", self._name, time.monotonic() - lost_s)
                return opened
        return None
