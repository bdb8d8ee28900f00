"""The capture thread, which reads a source, and the bounded queue of its frames."""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Self

from models.program.interrupts import undivided
from stream.controls import Controls, RunReport
from stream.frames import Frame, SourceInfo
from stream.sources.contract import SeekableSource, Source
from stream.sources.size_change import SizeChange
from stream.stopwatch import stage

_CLOSE_TIMEOUT_S = 0.9
"""How long `close` waits for the reading thread, s, so that it returns within a second."""

_POLL_S = 0.05
"""Time between two polls of the user's input while no frame comes, s; more makes keys lag."""

_LIVE_QUEUE_FRAMES = 1
"""Most frames of a live source in the queue; with more, frames are older when they are taken."""

_FILE_QUEUE_FRAMES = 2
"""Most frames of any other source in the queue; two hide the decoder, more take memory."""

_log = logging.getLogger(__name__)


class Capture:
    """Reads a source in a thread of its own and hands its frames over through a bounded queue.

    A full queue:

    1. A live source never waits: the newest frame replaces the one in the queue, which is dropped.
       Drops are counted once the first frame was taken, but not while the user pauses.
    2. Any other source waits until there is room, and loses no frame. Only where a window shows it
       at its own pace, frames that are too late for that are left out, and counted too.

    Where the user goes to another place of a source that can be sought in, the queue is emptied,
    and the frames from there on follow, the first of them marked as sought.

    The end of iteration, which always arrives:

    1. The source has no more frames: those in the queue are handed over first.
    2. The source fails: those in the queue are handed over first, then its error is raised, and
       again by each further iteration.
    3. The source cannot be closed: likewise, unless it failed before, for then that error counts.
    4. `close()` is called, by any thread: at once. The queue is emptied, and an error that comes
       later is not raised.
    5. The user asks to quit while no frame comes: at the next poll of the input.
    6. In a window that plays the source, its end is not yet that of the iteration: the last frame
       stays until the user asks to quit, or goes to another place.

    State changes under one lock; sources are interrupted and closed outside it. Only the reading
    thread closes the source, once it was started.

    Use it as a context manager and iterate over it, once.
    """

    def __init__(
        self, source: Source, controls: Controls | None = None, report: RunReport | None = None
    ) -> None:
        self._source = source
        self._controls = controls or Controls()
        self._report = report or RunReport()
        self._frames: deque[Frame] = deque()
        self._capacity = _LIVE_QUEUE_FRAMES if source.info.is_live else _FILE_QUEUE_FRAMES
        self._changed = threading.Condition()
        self._target_s: float | None = None  # where the reading thread is to go
        self._exhausted = False  # the source has no further frames, but may be sought in
        self._closing = False
        self._left = False  # the reading thread did not return from a read in time
        self._ended = False
        self._error: BaseException | None = None
        self._is_first_taken = False
        self._size_change = SizeChange(source.info)
        # A daemon, so that a driver that never returns from a read cannot keep the program alive.
        self._thread = threading.Thread(target=self._read, name="capture", daemon=True)

    def __repr__(self) -> str:
        state = "ended" if self._ended else "open"
        return f"Capture({self._source!r}, {state}, {self.dropped} dropped)"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames until iteration ends, as the class says.

        Raises:
            SourceError: the source failed; the frames that it gave before come first.
        """
        if self._thread.ident is None and not self._closing:
            raise RuntimeError("nothing is read yet: use it as `with Capture(source) as capture`")
        while (frame := self._take()) is not None:
            yield frame
        if self._error is not None and not self._closing:
            raise self._error

    @property
    def info(self) -> SourceInfo:
        """What is known of the source before its first frame."""
        return self._source.info

    @property
    def dropped(self) -> int:
        """How many live frames were replaced by newer ones, since the first was taken."""
        return self._report.dropped

    def peek(self, timeout_s: float) -> Frame | None:
        """The frame that would be taken next, which stays in the queue; None where none comes in
        time.
        """
        with self._locked():
            self._changed.wait_for(lambda: self._frames or self._ended or self._closing, timeout_s)
            return self._frames[0] if self._frames else None

    @property
    def coming(self) -> tuple[Frame, ...]:
        """The frames that have been read and not yet been taken."""
        return tuple(self._frames.copy())  # at once: no other thread comes between

    def close(self) -> None:
        """Stops reading. It returns within a second even while a read blocks; the source is then
        closed when the read returns. May be called twice.
        """
        with self._changed:
            self._closing = True
            self._frames.clear()
            self._changed.notify_all()
        if self._thread.ident is None:
            self._source.close()
            return
        self._source.interrupt()
        self._thread.join(0 if self._left else _CLOSE_TIMEOUT_S)
        if self._thread.is_alive() and not self._left:
            self._left = True
            _log.warning(
                "%s does not return from a read: it is released when it does", self.info.uri
            )

    @stage("wait for a frame")
    def _take(self) -> Frame | None:
        """Waits for the next frame that is not too late; None where iteration ends."""
        while True:
            self._go_where_wanted()
            if self._wait():
                frame = self._next()
                if frame is None or not self._is_late(frame):
                    return frame
                self._report.dropped += 1
            else:
                self._controls.poll_input()
                if self._controls.quit_requested or self._controls.next_requested:
                    return None

    def _next(self) -> Frame | None:
        """The next frame of the queue; None where there is none."""
        with self._locked():
            if not self._frames:
                return None
            frame, self._is_first_taken = self._frames.popleft(), True
            self._report.taken += 1
            self._changed.notify_all()
            return frame

    def _is_late(self, frame: Frame) -> bool:
        """Whether a frame is too late for the pace at which the source is shown."""
        controls = self._controls
        if controls.record:
            return False
        return controls.playback.is_late(frame, time.monotonic(), paused=controls.paused)

    def _go_where_wanted(self) -> None:
        """Empties the queue and sends the reading thread to the place that the user wants."""
        target_s = self._controls.playback.take_target()
        if target_s is not None:
            with self._locked():
                self._frames.clear()
                self._target_s, self._exhausted = target_s, False
                self._changed.notify_all()

    def _wait(self) -> bool:
        """Waits a moment for a frame or the end of iteration; whether either has come."""
        with self._locked():
            has_come = self._changed.wait_for(self._has_come, _POLL_S)
            is_over = self._exhausted or self._ended
            self._controls.playback.at_end = is_over and not has_come
            return has_come

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Holds the lock in the thread that takes frames, which a signal interrupts after the body:
        between the lock and the body it would leave the lock held, and the reading thread waiting.
        """
        with undivided(), self._changed:
            yield

    def _has_come(self) -> bool:
        """Whether there is a frame, or iteration ends: that of a source that is played does not."""
        if self._frames or self._closing:
            return True
        return (self._exhausted or self._ended) and not (self._is_played and self._error is None)

    @property
    def _is_played(self) -> bool:
        """Whether a window plays the source, so that its end is not that of the run."""
        return self._controls.playback.mode != "free"

    def _read(self) -> None:
        """Fills the queue, closes the source, then marks the end: the reading thread's work."""
        error: BaseException | None = None
        try:
            frames: Iterator[Frame] | None = self._source.frames()
            while frames is not None:
                self._queue(frames)
                frames = self._sought_frames()
        except BaseException as caught:  # noqa: BLE001 - raised again where the frames are taken
            error = caught
        try:
            self._source.close()
        except BaseException as caught:  # noqa: BLE001 - likewise; the first error counts
            error = error or caught
        with self._changed:
            self._error, self._ended = error, True
            self._changed.notify_all()

    def _queue(self, frames: Iterator[Frame]) -> None:
        """Queues frames to their end, or until they are not wanted any more."""
        for frame in frames:
            self._size_change.note(frame)
            if not self._put(frame):
                return

    def _sought_frames(self) -> Iterator[Frame] | None:
        """The frames from the place that the user wants, which is waited for while the source is
        played; None where no other place is wanted any more.
        """
        source = self._source
        if not (source.info.seekable and isinstance(source, SeekableSource)):
            return None
        with self._changed:
            self._exhausted = self._target_s is None
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._closing or self._target_s is not None or not self._is_played
            )
            target_s, self._target_s = self._target_s, None
        if target_s is None or self._closing:
            return None
        return _marked_as_sought(source.frames_from(target_s))

    def _put(self, frame: Frame) -> bool:
        """Queues a frame, in room that is made or waited for; False once the capture is closed, or
        another place is wanted.
        """
        with self._changed:
            if self._source.info.is_live and len(self._frames) == self._capacity:
                self._frames.popleft()
                self._report.dropped += self._is_first_taken and not self._controls.paused
            self._changed.wait_for(lambda: self._is_unwanted or len(self._frames) < self._capacity)
            if self._is_unwanted:
                return False
            self._frames.append(frame)
            self._changed.notify_all()
            return True

    @property
    def _is_unwanted(self) -> bool:
        """Whether the frames that are read are wanted no more."""
        return self._closing or self._target_s is not None


def _marked_as_sought(frames: Iterator[Frame]) -> Iterator[Frame]:
    """The frames, of which the first does not follow those before."""
    for frame in islice(frames, 1):
        yield replace(frame, sought=True)
    yield from frames
