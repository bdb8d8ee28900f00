"""Lines of text to a reader as they come: on standard output, through a FIFO, to a device."""

import errno
import logging
import os
import select
import stat
import sys
from contextlib import suppress
from pathlib import Path

from models.program.interrupts import exit_code, undivided
from stream.errors import SinkError
from stream.stalls import TICK_S, StallTimer

STANDARD_OUTPUT = Path("-")
"""What names standard output on the command line."""

_STANDARD_OUTPUT_NAMES = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
"""All names of standard output."""

_CHUNK_BYTES = getattr(select, "PIPE_BUF", 512)
"""Length of a write at most, bytes: so much a pipe takes at once when it says that it takes any."""

_POLL_MS = round(TICK_S * 1000)
"""Time after which a wait for the reader looks whether a signal has come, ms."""

_PATIENCE_AFTER_SIGNAL_MS = 4000
"""How long a reader that takes nothing is waited for in all once a signal has come, ms."""

_log = logging.getLogger(__name__)


def is_standard_output(path: Path) -> bool:
    """Whether a name is one of standard output."""
    return str(path) in _STANDARD_OUTPUT_NAMES


def is_stream(path: Path) -> bool:
    """Whether what is written to a name goes to a reader, so that no file can have the name."""
    if is_standard_output(path):
        return True
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


class LineStream:
    """Writes each line to a reader at once, and waits while the reader takes nothing.

    A reader that leaves is no error: what is written afterwards goes nowhere.

    Args:
        path: a name of standard output, a FIFO or a device. A FIFO is opened when a reader has
            opened it, too.
        stall_s: time after which a reader that takes nothing hangs, s; 0 for never.

    Raises:
        SinkError: it cannot be written to.
    """

    output = None

    def __init__(self, path: Path, stall_s: float = 0) -> None:
        self._name = "standard output" if is_standard_output(path) else str(path)
        self._pending = b""
        self._patience_ms = _PATIENCE_AFTER_SIGNAL_MS
        self._stall_s = stall_s
        self._has_left = False
        try:
            self._descriptor = _opened(path)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is closed"
            raise SinkError(f"{self._name} cannot be written: {reason}") from error
        self._poll = None
        if sys.platform != "win32":
            self._poll = select.poll()
            self._poll.register(self._descriptor, select.POLLOUT)

    def __repr__(self) -> str:
        return f"LineStream({self._name})"

    @property
    def reader_left(self) -> bool:
        """Whether the reader has closed its end, or was left because it hangs."""
        if not self._has_left and self._poll is not None:
            self._has_left = any(events & select.POLLERR for _, events in self._poll.poll(0))
        return self._has_left

    def write(self, lines: str) -> None:
        """Writes whole lines. What an interruption left unwritten is written before them.

        Raises:
            SinkError: they cannot be written.
        """
        self._pending += lines.encode()
        while self._pending and not self._has_left and self._takes_more():
            with undivided():
                self._write_chunk()

    def close(self, *, complete: bool, keep: bool) -> None:
        """Writes what is left, and leaves the stream.

        Raises:
            SinkError: the end cannot be written.
        """
        try:
            self.write("")
            if self._pending and not self._has_left:
                raise SinkError(f"{self._name} takes no more: its last lines are lost")
        finally:
            self.discard()

    def discard(self) -> None:
        """Leaves the stream."""
        with suppress(OSError):
            os.close(self._descriptor)

    def _write_chunk(self) -> None:
        try:
            written = os.write(self._descriptor, self._next_chunk())
        except BrokenPipeError:
            self._has_left = True
        except BlockingIOError:
            pass  # another writer was faster
        except OSError as error:
            raise SinkError(f"{self._name} cannot be written: {error.strerror}") from error
        else:
            self._pending = self._pending[written:]

    def _next_chunk(self) -> bytes:
        """What is written next: whole lines, if one fits, for others may write lines there too."""
        chunk = self._pending[:_CHUNK_BYTES]
        return chunk[: chunk.rfind(b"\n") + 1] or chunk

    def _takes_more(self) -> bool:
        """Waits until a write would not wait; false if a signal has come and the reader hangs.

        Raises:
            SinkError: it hangs without a signal, and is left.
        """
        timer = StallTimer(self._stall_s)
        while self._poll is not None and not self._poll.poll(_POLL_MS):
            if exit_code(0):
                self._patience_ms -= _POLL_MS
            if self._patience_ms <= 0:
                return False
            if timer.tick():
                self._has_left = True
                raise SinkError(
                    f"hangs: what reads {self._name} has taken nothing for {self._stall_s:g} s"
                )
        return True


def _opened(path: Path) -> int:
    """A descriptor of its own, so that no buffer of Python's lies between and none is closed twice.

    Raises:
        OSError, ValueError: standard output is closed, or the path cannot be opened.
    """
    if is_standard_output(path):
        if sys.__stdout__ is None:
            raise ValueError("it is closed")
        return os.dup(sys.__stdout__.fileno())
    if sys.platform == "win32":
        return os.open(path, os.O_WRONLY)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        _log.warning("%s: waiting for what reads it", path)
        return os.open(path, os.O_WRONLY)
    os.set_blocking(descriptor, True)
    return descriptor
