"""Threads that hang: since when no progress was made, where a thread is, and going on without."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeVar, cast

TICK_S = 0.5
"""Time between two looks at what may hang, s; more reports a stall later."""

Answer = TypeVar("Answer")
"""What a call gives."""

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


def awaited(call: Callable[[], Answer], limit_s: float) -> Answer:
    """What a call gives that may never come back; it runs in a thread of its own.

    Raises:
        TimeoutError: it has not come back within the limit, s. Its thread is left.
        BaseException: what the call raises.
    """
    answers: SimpleQueue[tuple[Answer, None] | tuple[None, BaseException]] = SimpleQueue()

    def work() -> None:
        try:
            answers.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - raised again by the one who waits
            answers.put((None, error))

    threading.Thread(target=work, name="awaited call", daemon=True).start()
    timer = StallTimer(limit_s)
    while True:
        try:
            answer, error = answers.get(timeout=TICK_S)
        except Empty:
            if timer.tick():
                raise TimeoutError from None
        else:
            if error is not None:
                raise error
            return cast(Answer, answer)
