"""The capture thread, which reads a source, and the bounded queue of its frames."""

import logging
import threading
from collections import deque
from collections.abc import Iterator
from typing import Self

from stream.controls import Controls, RunReport
from stream.frames import Frame, SourceInfo
from stream.sources import Source
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
    2. Any other source waits until there is room, and loses no frame.

    The end of iteration, which always arrives:

    1. The source has no more frames: those in the queue are handed over first.
    2. The source fails: those in the queue are handed over first, then its error is raised, and
       again by each further iteration.
    3. The source cannot be closed: likewise, unless it failed before, for then that error counts.
    4. `close()` is called, by any thread: at once. The queue is emptied, and an error that comes
       later is not raised.
    5. The user asks to quit while no frame comes: at the next poll of the input.

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
        self._closing = False
        self._left = False  # the reading thread did not return from a read in time
        self._ended = False
        self._error: BaseException | None = None
        self._is_first_taken = False
        self._watches_size = source.info.kind != "pictures"
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
        """Waits for the next frame; None where iteration ends."""
        while not self._wait():
            self._controls.poll_input()
            if self._controls.quit_requested:
                return None
        with self._changed:
            if not self._frames:
                return None
            frame, self._is_first_taken = self._frames.popleft(), True
            self._report.taken += 1
            self._changed.notify_all()
            return frame

    def _wait(self) -> bool:
        """Waits a moment for a frame or the end; whether either has come."""
        with self._changed:
            return self._changed.wait_for(
                lambda: bool(self._frames or self._ended or self._closing), _POLL_S
            )

    def _read(self) -> None:
        """Fills the queue, closes the source, then marks the end: the reading thread's work."""
        error: BaseException | None = None
        try:
            for frame in self._source.frames():
                self._note_size(frame)
                if not self._put(frame):
                    break
        except BaseException as caught:  # noqa: BLE001 - raised again where the frames are taken
            error = caught
        try:
            self._source.close()
        except BaseException as caught:  # noqa: BLE001 - likewise; the first error counts
            error = error or caught
        with self._changed:
            self._error, self._ended = error, True
            self._changed.notify_all()

    def _note_size(self, frame: Frame) -> None:
        """Says once that the frames have another size from here on."""
        before_wh = self._source.info.size_wh
        if self._watches_size and frame.size_wh != before_wh:
            self._watches_size = False
            _log.warning(
                "%s changes its size at %.1f s from %d×%d to %d×%d: a recording keeps the first",
                self.info.uri,
                frame.time_s,
                *before_wh,
                *frame.size_wh,
            )

    def _put(self, frame: Frame) -> bool:
        """Queues a frame, in room that is made or waited for; False once the capture is closed."""
        with self._changed:
            if self._source.info.is_live and len(self._frames) == self._capacity:
                self._frames.popleft()
                self._report.dropped += self._is_first_taken and not self._controls.paused
            self._changed.wait_for(lambda: self._closing or len(self._frames) < self._capacity)
            if self._closing:
                return False
            self._frames.append(frame)
            self._changed.notify_all()
            return True
