"""What the signals SIGINT, SIGTERM and SIGUSR1 do to the programs, from their first line on.

This module is imported before any other, and so imports only what Python has loaded by then.
"""

import os
import signal
import sys
import time
from _thread import allocate_lock, get_ident
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Literal, TypeAlias

_SAME_S = 0.2
"""Time within which a further signal counts as the same, s: Ctrl-C reaches a program from its
terminal and again from what started it."""

unfinished: set[Path] = set()
"""Files that are being written and have not their final names yet."""


_State: TypeAlias = Literal["idle", "working", "undivided", "finishing"]
"""What the program is doing; see `_Signals`."""


def _nothing_to_tell() -> str:
    return "nothing has begun yet"


class _Signals:
    """What has come, and what is being done.

    Attributes:
        program: its name, for messages.
        state: nothing that could be lost; work, which a signal interrupts; a step of that work,
            which a first signal interrupts only when it is done; or the end of that work, which a
            first signal lets come to its end.
        first: the signal that came first; 0 where none has.
        first_s: when it came, s of the monotonic clock.
        claims: how many outputs are claimed for this run; of none, nothing can be lost.
        counting: held while their number changes: any thread may claim one.
        thread: the main thread, which alone is interrupted, and so says what it does.
        tell: gives the accounts of what is going on, in one line.
    """

    def __init__(self) -> None:
        self.program = ""
        self.state: _State = "idle"
        self.first = 0
        self.first_s = 0.0
        self.claims = 0
        self.counting = allocate_lock()
        self.thread = get_ident()
        self.tell: Callable[[], str] = _nothing_to_tell


_signals = _Signals()


def handle_signals(program: str) -> None:
    """Lets SIGINT and SIGTERM end the program with exit code 128 + their number.

    1. Outside of `interruptible` and `finishing`, and during imports before any output is claimed,
       the program ends at once: nothing can be lost.
    2. In `interruptible` the first one raises `KeyboardInterrupt`.
    3. In `finishing` the first one is noted, for `exit_code`.
    4. A second one ends the program at once, and a line names the files that are left.

    A signal that the program was started to ignore, as a shell without job control starts what runs
    in the background, stays ignored. SIGUSR1, where there is one, prints what `telling` gives.
    """
    _signals.program = program
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _handle)
    if sys.platform != "win32":
        signal.signal(signal.SIGUSR1, _tell)


def exit_code(otherwise: int = 128 + signal.SIGINT) -> int:
    """The exit code of the signal that came; another where none has been handled."""
    return 128 + _signals.first if _signals.first else otherwise


@contextmanager
def interruptible() -> Iterator[None]:
    """The body is work that a signal interrupts."""
    with _state("working"):
        yield


@contextmanager
def telling(tell: Callable[[], str]) -> Iterator[None]:
    """While the body runs, SIGUSR1 prints what `tell` gives, in one line on standard error.

    What is a part of something larger, which tells already or has the main thread, does not count.
    """
    if get_ident() != _signals.thread or _signals.tell is not _nothing_to_tell:
        yield
        return
    _signals.tell = tell
    try:
        yield
    finally:
        _signals.tell = _nothing_to_tell


@contextmanager
def claiming() -> Iterator[None]:
    """While the body runs, something would be left behind if the program ended at once."""
    with _signals.counting:
        _signals.claims += 1
    try:
        yield
    finally:
        with _signals.counting:
            _signals.claims -= 1


@contextmanager
def finishing() -> Iterator[None]:
    """The body completes what was written; a first signal does not interrupt it."""
    with _state("finishing"):
        yield


@contextmanager
def undivided() -> Iterator[None]:
    """The body is a short step of the work, whose effect and record belong together: a first signal
    that comes meanwhile interrupts the work after it, in the main thread, which alone is
    interrupted.
    """
    known = _signals.first
    try:
        with _state("undivided"):
            yield
    finally:
        is_main = get_ident() == _signals.thread
        if is_main and _signals.first != known and _signals.state == "working":
            raise KeyboardInterrupt


@contextmanager
def _state(state: _State) -> Iterator[None]:
    if get_ident() != _signals.thread:
        yield
        return
    before, _signals.state = _signals.state, state
    try:
        yield
    finally:
        _signals.state = before


def _handle(number: int, frame: FrameType | None) -> None:
    now_s = time.monotonic()
    if _signals.state == "idle" or (not _signals.claims and _is_importing(frame)):
        os._exit(128 + number)
    if not _signals.first:
        _signals.first, _signals.first_s = number, now_s
        if _signals.state == "working":
            raise KeyboardInterrupt
    elif now_s - _signals.first_s > _SAME_S:
        _say_what_is_left()
        os._exit(128 + _signals.first)


def _tell(number: int, frame: FrameType | None) -> None:
    """Writes past Python's buffers: the signal may have come in the middle of a message. Where
    nothing reads standard error any more, nothing is told: the signal ends nothing.
    """
    if sys.stderr is None:
        return
    with suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), f"{_signals.tell()}\n".encode(errors="backslashreplace"))


def _is_importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported: an exception out of a handler makes some extensions end
    the process by `std::terminate`."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _say_what_is_left() -> None:
    from models.program.printable import printable

    left = sorted(str(path) for path in list(unfinished) if path.exists())
    what = f"{', '.join(left)} left unfinished" if left else "nothing is left unfinished"
    line = printable(f"{_signals.program}: stopped at once: {what}")
    os.write(sys.stderr.fileno(), f"{line}\n".encode(errors="backslashreplace"))
