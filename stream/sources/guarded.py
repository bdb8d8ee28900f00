"""A live source that is opened again where its reader hangs, such as in a driver of a camera."""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from queue import Empty, SimpleQueue

from stream.frames import Frame, SourceInfo
from stream.sources.contract import Source
from stream.sources.reconnection import Reconnection
from stream.stalls import TICK_S, StallTimer, place_of

_CLOSE_TIMEOUT_S = 0.5
"""How long the end of a read is waited for when a source is closed, s."""

_QUEUE_FRAMES = 2
"""Frames that wait at most, where whoever takes them is slower than the source."""

_log = logging.getLogger(__name__)


class GuardedSource:
    """Reads a live source in a thread of its own. One that gives nothing for too long, and is not
    waited for, is left in its read and opened again; time and count go on.

    Args:
        source: the source, open.
        reopen: opens it again.
        stall_s: time without a frame after which it hangs, s.
        reconnection: how long it is tried again, and what is said.
    """

    def __init__(
        self,
        source: Source,
        reopen: Callable[[], Source],
        stall_s: float,
        reconnection: Reconnection,
    ) -> None:
        self._reopen, self._stall_s, self._reconnection = reopen, stall_s, reconnection
        self._info = source.info
        self._reader = _Reader(lambda: source)
        self._source = source
        self._restarts = 0
        self._next_index = 0
        self._start_s = 0.0
        self._closed = threading.Event()
        self._is_released = False

    def __repr__(self) -> str:
        return f"GuardedSource({self._source!r})"

    @property
    def info(self) -> SourceInfo:
        """What is known of the source before its first frame."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Frames as they come.

        Raises:
            SourceError: the source was lost and has not come back.
        """
        self._reader.start()
        while True:
            yield from self._until_stalled()
            if self._reader.has_ended or self._closed.is_set():
                return
            hangs = f"hangs: {place_of(self._reader)} gives nothing for {self._stall_s:g} s"
            self._reader.leave()
            self._reader = _Reader(partial(self._reconnection.retry, hangs, self._reopen))
            self._restarts += 1
            self._reader.start()

    def interrupt(self) -> None:
        """Ends every wait; called by another thread."""
        self._closed.set()
        self._reconnection.interrupt()
        self._reader.leave()

    def close(self) -> None:
        """Ends the reading; a read that does not return is left alone. May be called twice."""
        if self._is_released:
            return
        self._is_released = True
        self._closed.set()
        self._reader.leave()
        if self._reader.ident is None:
            self._source.close()
        else:
            self._reader.join(_CLOSE_TIMEOUT_S)
            if self._reader.is_alive():
                _log.warning(
                    "%s does not return from a read: it is released when it does", self._info.uri
                )

    def _until_stalled(self) -> Iterator[Frame]:
        """The frames of the present reader, until it ends or hangs."""
        timer = StallTimer(self._stall_s)
        while not self._closed.is_set():
            try:
                frame = self._reader.take()
            except Empty:
                if self._info.history.is_waiting:
                    timer.reset()
                elif timer.tick():
                    return
                continue
            timer.reset()
            if frame is None:
                self._reader.raise_error()
                return
            yield self._renumbered(frame)

    def _renumbered(self, frame: Frame) -> Frame:
        """The frame with a number and a time that go on over all readers."""
        if not self._restarts:
            self._next_index, self._start_s = frame.index + 1, frame.captured_s - frame.time_s
            return frame
        self._next_index += 1
        time_s = frame.captured_s - self._start_s
        return replace(frame, index=self._next_index - 1, time_s=time_s)


class _Reader(threading.Thread):
    """Reads a source until its end, or until it is left.

    Attributes:
        frames: what was read; None at the end.
        has_ended: it has come to its end.
    """

    def __init__(self, open_source: Callable[[], Source | None]) -> None:
        # A daemon, so that a driver that never returns from a read cannot keep the program alive.
        super().__init__(name="reader", daemon=True)
        self.frames: SimpleQueue[Frame | None] = SimpleQueue()
        self._room = threading.Semaphore(_QUEUE_FRAMES)
        self.has_ended = False
        self._open_source = open_source
        self._source: Source | None = None
        self._left = threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        """Reads, then closes the source."""
        try:
            self._source = source = self._open_source()
            if source is not None:
                try:
                    for frame in source.frames() if not self._left.is_set() else ():
                        if not self._has_room():
                            break
                        self.frames.put(frame)
                finally:
                    source.close()
        except BaseException as error:  # noqa: BLE001 - raised again where frames are taken
            self._error = error
        self.has_ended = True
        self.frames.put(None)

    def take(self) -> Frame | None:
        """The next frame; None at the end, or once the reader is left.

        Raises:
            Empty: there is none within `TICK_S`.
        """
        frame = self.frames.get(timeout=TICK_S)
        self._room.release()
        return frame

    def _has_room(self) -> bool:
        """Waits for room in the queue; whether the reader was not left meanwhile."""
        while not self._room.acquire(timeout=TICK_S):
            if self._left.is_set():
                return False
        return not self._left.is_set()

    def leave(self) -> None:
        """Ends the reading at the next frame, and the waits of the source."""
        self._left.set()
        if self._source is not None:
            self._source.interrupt()
        self.frames.put(None)  # whoever takes frames waits no longer

    def raise_error(self) -> None:
        """Raises what ended the reading, if it was an error.

        Raises:
            SourceError: the source failed.
        """
        if self._error is not None:
            raise self._error
