"""Opens a source that was lost again: tries with growing pauses, for a limited time."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import av

from stream.errors import SourceError

_FIRST_PAUSE_S = 0.25
"""Pause before the first try, s; each further pause is twice as long."""

_MAX_PAUSE_S = 5.0
"""Longest pause between two tries, s; more spares the other side and finds it back later."""

_log = logging.getLogger(__name__)

Opened = TypeVar("Opened")


def loss_reason(error: av.error.FFmpegError) -> str:
    """Why a source of the network was lost, in words that follow its name."""
    if isinstance(error, av.error.ExitError | av.error.TimeoutError):
        return "has fallen silent"
    return f"was lost: {error.strerror}"


class Reconnection:
    """Opens a source again after a loss. It logs the loss once, and once that the source is back.

    Args:
        name: of the source, as it is printed.
        limit_s: for how long a source is tried again after a loss; 0 for not at all.
    """

    def __init__(self, name: str, limit_s: float) -> None:
        self._name = name
        self._limit_s = limit_s
        self._interrupted = threading.Event()

    def interrupt(self) -> None:
        """Ends every wait, now and from now on; called by another thread."""
        self._interrupted.set()

    def pause(self, pause_s: float) -> bool:
        """Waits; whether the wait was not interrupted."""
        return not self._interrupted.wait(max(pause_s, 0.0))

    def retry(self, reason: str, reopen: Callable[[], Opened]) -> Opened | None:
        """Calls `reopen` until it succeeds, and returns what it opened; None if interrupted before.

        Args:
            reason: why the source was lost, in words that follow its name.
            reopen: opens the source; it raises `SourceError` where that fails.

        Raises:
            SourceError: the source has not come back in time.
        """
        if self._interrupted.is_set():
            return None
        if self._limit_s == 0:
            raise SourceError(f"{self._name} {reason}")
        lost_s = time.monotonic()
        _log.warning("%s %s: trying again for %g s", self._name, reason, self._limit_s)
        pause_s = _FIRST_PAUSE_S
        while self.pause(min(pause_s, lost_s + self._limit_s - time.monotonic())):
            pause_s = min(pause_s * 2, _MAX_PAUSE_S)
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
