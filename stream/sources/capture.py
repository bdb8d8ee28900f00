"""The capture thread and its queue."""

import logging
import threading
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from stream.controls import Controls, RunReport
from stream.frames import Frame, SourceInfo
from stream.sources import Source
from stream.stopwatch import stage

_CLOSE_TIMEOUT_S = 0.9
_ATTEND_S = 0.05  # how long the user may be left alone
_FILE_QUEUE = 2  # frames read ahead: enough to hide the decoder, little memory

_log = logging.getLogger(__name__)


class Capture:
    """Reads a source in a thread of its own and hands its frames over through a bounded queue.

    A live source never waits: the newest frame wins, the one it replaces is dropped, and
    counted once the first was taken.
    Any other source waits for room and loses nothing. The end always arrives, with the reader's
    error if there was one. Only the reading thread releases the source.

    While the user pauses, live frames pass and are not counted. While he waits for a frame, he is
    looked after: he may ask for the end.

    Use it as a context manager and iterate over it, once.
    """

    def __init__(
        self, source: Source, controls: Controls | None = None, report: RunReport | None = None
    ) -> None:
        self._source = source
        self._controls = controls or Controls()
        self._report = report or RunReport()
        self._frames: deque[Frame] = deque()
        self._room = 1 if source.info.is_live else _FILE_QUEUE
        self._changed = threading.Condition()
        self._closing = False
        self._ended = False
        self._error: BaseException | None = None
        self._taken = False
        # A daemon, so that a driver that never returns from a read cannot keep the program alive.
        self._thread = threading.Thread(target=self._read, name="capture", daemon=True)

    def __repr__(self) -> str:
        state = "ended" if self._ended else "open"
        return f"Capture({self._source!r}, {state}, {self.dropped} dropped)"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames until the end of the source, or until `close()`.

        Raises:
            SourceError: the reader failed; the frames it had read come first.
        """
        if self._thread.ident is None and not self._closing:
            raise RuntimeError("nothing is read yet: use it as `with Capture(source) as capture`")
        while (frame := self._next()) is not None:
            yield frame
        if self._error is not None and not self._closing:
            raise self._error

    @property
    def info(self) -> SourceInfo:
        """What is known of the source."""
        return self._source.info

    @property
    def dropped(self) -> int:
        """How many live frames were replaced by newer ones, since the first was taken."""
        return self._report.dropped

    def close(self) -> None:
        """Stops reading; returns within a second even while a read blocks. May be called twice."""
        with self._changed:
            self._closing = True
            self._frames.clear()
            self._changed.notify_all()
        if self._thread.ident is None:
            self._source.close()
            return
        self._source.interrupt()
        self._thread.join(_CLOSE_TIMEOUT_S)
        if self._thread.is_alive():
            _log.warning(
                "%s does not return from a read: it is released when it does", self.info.uri
            )

    @stage("wait for a frame")
    def _next(self) -> Frame | None:
        while not self._wait():
            self._controls.poll_input()
            if self._controls.quit_requested:
                return None
        with self._changed:
            if not self._frames:
                return None
            frame, self._taken = self._frames.popleft(), True
            self._changed.notify_all()
            return frame

    def _wait(self) -> bool:
        """Waits a moment for a frame or the end; whether one has come."""
        with self._changed:
            return self._changed.wait_for(
                lambda: bool(self._frames or self._ended or self._closing), _ATTEND_S
            )

    def _read(self) -> None:
        error: BaseException | None = None
        try:
            for frame in self._source.frames():
                if not self._put(frame):
                    break
        except BaseException as caught:  # noqa: BLE001 - raised again where the frames are taken
            error = caught
        try:
            self._source.close()
        except BaseException as caught:  # noqa: BLE001 - likewise; what went wrong first counts
            error = error or caught
        with self._changed:
            self._error, self._ended = error, True
            self._changed.notify_all()

    def _put(self, frame: Frame) -> bool:
        """Queues a frame; False once nobody wants any more."""
        with self._changed:
            if self._source.info.is_live and len(self._frames) == self._room:
                self._frames.popleft()
                self._report.dropped += self._taken and not self._controls.paused
            self._changed.wait_for(lambda: self._closing or len(self._frames) < self._room)
            if self._closing:
                return False
            self._frames.append(frame)
            self._changed.notify_all()
            return True
