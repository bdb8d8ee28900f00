"""Threads that hang: since when no progress was made, and where a thread is."""

import sys
import threading
from pathlib import Path

TICK_S = 0.5
"""Time between two looks at what may hang, s; more reports a stall later."""

_OURS = ("stream", "models")
"""Packages whose places are named; what is called from them, such as FFmpeg, has none."""


class StallTimer:
    """Counts the time without progress, in ticks of a thread that looks.

    Time in which the whole program stood still, such as after Ctrl-Z, so does not count.

    Args:
        limit_s: time without progress after which something hangs, s; 0 for never.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._ticks = 0

    def __repr__(self) -> str:
        return f"StallTimer({self._ticks * TICK_S:g} of {self._limit_s:g} s)"

    def reset(self) -> None:
        """There was progress."""
        self._ticks = 0

    def tick(self) -> bool:
        """One more `TICK_S` went by without progress; whether that is too long."""
        self._ticks += 1
        return 0 < self._limit_s <= self._ticks * TICK_S


def place_of(thread: threading.Thread) -> str:
    """The name of a thread, and the line of ours that it is in."""
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if any(package in file.parts for package in _OURS) and frame.f_code.co_name != "place_of":
            module = "/".join(file.parts[-2:])
            return f"the thread {thread.name!r} in {frame.f_code.co_name} ({module})"
        frame = frame.f_back
    return f"the thread {thread.name!r}"
