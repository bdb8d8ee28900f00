"""A pipe as PyAV writes it: every write has a limit, and another thread can end it."""

import os
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from errno import EPIPE, ETIMEDOUT

END_LIMIT_S = 0.3
"""For how long a write may wait once the run ends, s: the program is to end within a second."""

_POLL_MS = 100
"""Time after which a wait for the reader looks whether it is to end, ms."""

_CHUNK_BYTES = getattr(select, "PIPE_BUF", 512)
"""Length of a write at most, bytes: so much a pipe takes at once when it says that it takes any."""


class PipeWriter:
    """Writes to a descriptor of its own, and waits while the reader takes nothing.

    Args:
        descriptor: of the pipe, which it owns from now on.
        name: of the pipe.
        limit_s: gives for how long a write may wait, s; infinity for ever.
    """

    def __init__(self, descriptor: int, name: str, limit_s: Callable[[], float]) -> None:
        self.name = name
        self._descriptor = descriptor
        self._limit_s = limit_s
        self._is_closed = False
        self._failed: OSError | None = None
        self._poll = None
        if sys.platform != "win32":
            self._poll = select.poll()
            self._poll.register(descriptor, select.POLLOUT)

    def __repr__(self) -> str:
        return f"PipeWriter({self.name})"

    def write(self, data: bytes) -> int:
        """Writes everything. After an error nothing more is written.

        Raises:
            BrokenPipeError: the reader has left.
            TimeoutError: it has taken nothing for as long as it may.
            OSError: the pipe cannot be written.
        """
        if self._failed is not None:
            raise self._failed
        rest = memoryview(data)
        try:
            while rest:
                self._await_room()
                with suppress(BlockingIOError):
                    rest = rest[os.write(self._descriptor, rest[:_CHUNK_BYTES]) :]
        except OSError as error:
            self._failed = error
            raise
        return len(data)

    def reader_left(self) -> bool:
        """Whether the reader has closed its end."""
        if self._poll is None or self._is_closed:
            return isinstance(self._failed, BrokenPipeError)
        return any(events & select.POLLERR for _, events in self._poll.poll(0))

    def close(self) -> None:
        """Closes the descriptor; may be called twice."""
        if not self._is_closed:
            self._is_closed = True
            with suppress(OSError):
                os.close(self._descriptor)

    def _await_room(self) -> None:
        """Waits until a write would not wait."""
        waited_ms = 0
        while self._poll is not None and not (found := self._poll.poll(_POLL_MS)):
            waited_ms += _POLL_MS
            if waited_ms >= 1000 * self._limit_s():
                raise TimeoutError(ETIMEDOUT, f"takes nothing for {waited_ms / 1000:g} s")
        if self._poll is not None and any(events & select.POLLERR for _, events in found):
            raise BrokenPipeError(EPIPE, os.strerror(EPIPE))
