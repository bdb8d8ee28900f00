"""An annotated video, encoded in a thread of its own behind a bounded queue."""

import threading
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TypeAlias

from av.video.frame import VideoFrame

from stream.drawing.canvas import Canvas
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.settings.schema import RecorderSection
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.paths import partial_path
from stream.sinks.video.video_file import VideoFile
from stream.stopwatch import stage

_PIXEL_BYTES = (
    7.5  # of a frame that waits: as it was coded, in BGR, and drawn on, if all are asked for
)
_QUEUE_BYTES = 96e6  # for frames that wait, so that the encoder has work during a search
_LEAST_QUEUE, _MOST_QUEUE = 2, 16  # frames

_Item: TypeAlias = tuple[Canvas, VideoFrame | None, float]


class Recorder:
    """Writes under a name of its own; what is complete takes the name asked for.

    Args:
        path: where the video is to stand; its ending names the container.
        info: the source, whose sound is copied if it has any.
        settings: quality and speed.

    Raises:
        SinkError: the file cannot be made.
    """

    quit_requested = False

    def __init__(self, path: Path, info: SourceInfo, settings: RecorderSection) -> None:
        self.name = f"recorder ({path.name})"
        self.output = path
        self.partial_path = partial_path(path)
        self._frames = 0
        self._film = VideoFile(self.partial_path, info, settings)
        # Ctrl-C may fall between any two steps of a queue.Queue, and then the encoder would sleep
        # on though there is something for it. A SimpleQueue has no steps; its bound is the tickets.
        self._waiting: SimpleQueue[_Item | None] = SimpleQueue()
        self._tickets: SimpleQueue[None] = SimpleQueue()
        width, height = info.size_wh
        room = int(_QUEUE_BYTES / (width * height * _PIXEL_BYTES))
        for _ in range(min(max(room, _LEAST_QUEUE), _MOST_QUEUE)):
            self._tickets.put(None)
        self._error: Exception | None = None
        self._encoder = threading.Thread(target=self._encode, name="encoder")
        self._encoder.start()

    def __repr__(self) -> str:
        return f"Recorder({self.output})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Queues the picture; waits while the encoder is behind.

        Raises:
            SinkError: the encoder has failed, with what it said.
        """
        self._raise_error()
        item = annotated.canvas, annotated.frame.coded, annotated.frame.time_s
        with stage("wait for the encoder"):
            self._tickets.get()
        self._waiting.put(item)
        self._frames += 1

    def close(self, *, complete: bool) -> None:
        """Finishes the file; one that is not complete keeps its partial name.

        A video without a frame is none: nothing is left of it.

        Raises:
            SinkError: the end could not be written.
        """
        self._waiting.put(None)
        with stage("wait for the encoder"):
            self._encoder.join()
        self._raise_error()
        try:
            if not self._frames:
                self.partial_path.unlink(missing_ok=True)
            elif complete:
                self.partial_path.replace(self.output)
        except OSError as error:
            raise SinkError(f"{self.output} cannot be put in place: {error.strerror}") from error

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            reason = getattr(error, "strerror", None) or error
            raise SinkError(f"{reason}{self._kept()}") from error

    def _kept(self) -> str:
        """Where what was written stands, in words; a file that holds nothing goes."""
        with suppress(OSError):
            if self.partial_path.stat().st_size:
                return f"; what was written stands in {self.partial_path.name}"
            self.partial_path.unlink()
        return ""

    def _encode(self) -> None:
        """Works until the end mark; after an error only empties the queue, so that nobody waits."""
        try:
            with self._film as film:
                while (item := self._take()) is not None:
                    film.add_drawn(*item)
        except Exception as error:  # noqa: BLE001 - raised again in write() and close()
            self._error = error
            while item is not None:
                item = self._take()

    def _take(self) -> _Item | None:
        item = self._waiting.get()
        self._tickets.put(None)
        return item
