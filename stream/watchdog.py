"""Watches the loop of a run: where it hangs in the search or in an output, the run is ended."""

import threading
from collections.abc import Callable
from typing import Self

from stream.controls import Controls, RunReport
from stream.service import tell_service_manager
from stream.stalls import TICK_S, StallTimer, place_of
from stream.summary import Summary

_LATER = 1.25
"""How much longer than a part of it the loop may stand still: an output that hangs in a thread of
its own is given up first."""


class Watchdog:
    """A thread that looks whether frames that were taken are done, and tells the service manager
    that the program is alive: that one ends it where not even this thread runs any more.

    Use it as a context manager, in the thread that runs the loop.

    Args:
        stall_s: time without progress after which the loop hangs, s; 0 for never; None for a run
            that is not watched at all.
        report: says how many frames were taken, and what is said of a loop that hangs.
        summary: says how many frames are done.
        controls: a run that is paused does not hang.
        on_stall: called once where the loop hangs, in the thread of the watchdog.
    """

    def __init__(
        self,
        stall_s: float | None,
        report: RunReport,
        summary: Summary,
        controls: Controls,
        on_stall: Callable[[], None],
    ) -> None:
        self._stall_s = stall_s
        self._report, self._summary, self._controls = report, summary, controls
        self._on_stall = on_stall
        self._loop = threading.current_thread()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __repr__(self) -> str:
        return f"Watchdog({self._stall_s} s)"

    def __enter__(self) -> Self:
        if self._stall_s is not None:
            tell_service_manager("READY=1")
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _watch(self) -> None:
        timer, before = StallTimer((self._stall_s or 0) * _LATER), (-1, -1)
        while not self._ended.wait(TICK_S):
            now = self._report.taken, self._summary.frames
            is_busy = now[0] > now[1] and not self._controls.paused
            if now != before or not is_busy:
                timer.reset()
            elif timer.tick():
                self._summary.fail(
                    f"the run hangs: {place_of(self._loop)} makes no progress; it is ended"
                )
                self._on_stall()
                return
            tell_service_manager("WATCHDOG=1")
            before = now
