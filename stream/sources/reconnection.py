"""Waits for a source that is lost or not there yet: tries in growing pauses, for a limited time."""

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import av

from stream.backoff import Backoff, jitter
from stream.errors import AbsentSourceError, LostSourceError, SourceError
from stream.source_history import SourceHistory, StateChange, stamp
from stream.sources.waiting import call_in_thread

_log = logging.getLogger(__name__)

Opened = TypeVar("Opened")


def loss_reason(error: av.error.FFmpegError) -> str:
    """Why a source of the network was lost, in words that follow its name."""
    if isinstance(error, av.error.ExitError | av.error.TimeoutError):
        return "has fallen silent"
    return f"was lost: {error.strerror}"


class Reconnection:
    """Opens a source that was lost, or is not there yet. It logs once that the source is waited
    for, and once that it is there.

    Args:
        name: of the source, as it is printed.
        limit_s: for how long a source is tried again; 0 for not at all, infinity for ever.
        history: takes when the source is waited for and when it is there.
    """

    def __init__(self, name: str, limit_s: float, history: SourceHistory | None = None) -> None:
        self._name = name
        self._limit_s = limit_s
        self._history = history or SourceHistory()
        self._interrupted = threading.Event()

    @property
    def history(self) -> SourceHistory:
        """The states of the source."""
        return self._history

    def interrupt(self) -> None:
        """Ends every wait, now and from now on; called by another thread."""
        self._interrupted.set()

    def pause(self, pause_s: float) -> bool:
        """Waits; whether the wait was not interrupted."""
        return not self._interrupted.wait(max(pause_s, 0.0))

    def first(self, open_once: Callable[[], Opened]) -> Opened:
        """What `open_once` opens; what is not there yet is waited for, until a signal ends that.

        Args:
            open_once: opens the source; it raises `AbsentSourceError` where it may still come.

        Raises:
            SourceError: the source cannot be opened.
            LostSourceError: it has not come in time.
        """
        try:
            return open_once()
        except AbsentSourceError as error:
            if self._limit_s == 0:
                raise
            reason = str(error)
        self._log_waiting(reason, self._history.note_waiting(reason))
        # In a thread of its own, for a signal has to end the wait at once.
        opened = call_in_thread(
            lambda: self._until_opened(open_once, AbsentSourceError), self.interrupt
        )
        if opened is None:
            raise LostSourceError(f"{reason}; it has not come within {self._limit_s:g} s")
        return opened

    def note_live(self) -> None:
        """Notes that the first picture is there, and says so where it was waited for."""
        waited_s = self._history.note_live().lasted_s
        if waited_s is not None:
            _log.warning("%s is live after %.1f s", self._name, waited_s)

    def retry(self, reason: str, reopen: Callable[[], Opened]) -> Opened | None:
        """Calls `reopen` until it succeeds, and returns what it opened; None if interrupted before.

        Args:
            reason: why the source was lost, in words that follow its name.
            reopen: opens the source; it raises `SourceError` where that fails.

        Raises:
            LostSourceError: the source has not come back in time.
        """
        if self._interrupted.is_set():
            return None
        if self._limit_s == 0:
            raise LostSourceError(f"{self._name} {reason}")
        self._log_waiting(f"{self._name} {reason}", self._history.note_waiting(reason))
        opened = self._until_opened(reopen, SourceError)
        if opened is not None:
            back = self._history.note_back()
            _log.warning("%s is back after %.1f s", self._name, back.lasted_s)
        elif not self._interrupted.is_set():
            within = f"was not back within {self._limit_s:g} s"
            raise LostSourceError(f"{self._name} {reason}, and {within}")
        return opened

    def _until_opened(
        self, open_once: Callable[[], Opened], worth_a_try: type[SourceError]
    ) -> Opened | None:
        """What is opened as soon as it can be; None if interrupted before, or if time is up."""
        end_s = time.monotonic() + self._limit_s
        backoff = Backoff(self._jitter)
        while self.pause(min(backoff.next_s(), end_s - time.monotonic())):
            try:
                return open_once()
            except worth_a_try:
                if time.monotonic() >= end_s:
                    return None
        return None

    def _jitter(self) -> float:
        return jitter()

    def _log_waiting(self, words: str, change: StateChange) -> None:
        limit = "" if math.isinf(self._limit_s) else f", for {self._limit_s:g} s at most"
        _log.warning("%s: waiting since %s%s", words, stamp(change.at), limit)
