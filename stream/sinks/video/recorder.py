"""An annotated video, encoded in a thread of its own behind a bounded queue."""

import math
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import TypeAlias

from av.video.frame import VideoFrame

from stream.drawing.canvas import Canvas
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.people import Person
from stream.settings.schema import RecorderSection
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.paths import finish_partial, partial_path, what_is_left
from stream.sinks.segments import Placement
from stream.sinks.video.segmented_video import SegmentedVideo
from stream.sinks.video.video_file import VideoFile
from stream.stopwatch import stage

_PIXEL_BYTES = 7.5
"""Bytes for each pixel of a frame that waits: at most coded (1.5), BGR (3) and BGR drawn on (3)."""

_QUEUE_BYTES = 96e6
"""Memory for the frames that wait, bytes; more keeps the encoder busy during a longer search."""

_MIN_QUEUE = 2
"""Frames that may wait, however large they are."""

_MAX_QUEUE = 16
"""Frames that may wait, however small they are."""

_MAX_BEHIND_S = 0.3
"""How far the encoder may be behind the newest frame, s of the source: more of them would be lost
with a kill, fewer let it run idle during a longer search."""

_Item: TypeAlias = tuple[Canvas, VideoFrame | None, float, Placement]
"""A frame that waits: what is drawn on it, its coded picture, its time in the source in s, and the
segment that it belongs to."""


class Recorder:
    """Writes beside the name asked for, which the video takes once it is complete.

    Args:
        path: the video; its ending names the container.
        info: the source, whose sound is recorded if it has any.
        settings: quality and speed.
        segmented: what writes segments, or only what is near faces, instead of one whole file.

    Raises:
        SinkError: the file cannot be made.
    """

    quit_requested = False

    def __init__(
        self,
        path: Path,
        info: SourceInfo,
        settings: RecorderSection,
        segmented: SegmentedVideo | None = None,
    ) -> None:
        self.name = f"recorder ({path.name})"
        self.output = None if settings.segment_s and segmented is not None else path
        self._path = path
        self._begun = False
        self._segmented = segmented
        self._video = segmented or VideoFile(partial_path(path), info, settings)
        # Ctrl-C may fall between any two steps of a queue.Queue, and the encoder would then wait on
        # though a frame is there. A SimpleQueue has no steps; the encoder says when each is done.
        self._waiting: SimpleQueue[_Item | None] = SimpleQueue()
        self._done: SimpleQueue[None] = SimpleQueue()
        # Of each frame that is not known to be done, the time of the one before.
        self._pending_s: deque[float] = deque()
        self._last_s = -math.inf
        width, height = info.size_wh
        room = int(_QUEUE_BYTES / (width * height * _PIXEL_BYTES))
        self._room = min(max(room, _MIN_QUEUE), _MAX_QUEUE)
        self._error: Exception | None = None
        self._encoder = threading.Thread(target=self._encode, name="encoder")
        self._encoder.start()

    def __repr__(self) -> str:
        return f"Recorder({self._path})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Queues the picture, and waits while the encoder is too far behind:

        1. More frames wait than there is memory for.
        2. What is encoded ends more than `_MAX_BEHIND_S` before the newest frame. The first frame,
           and one that comes so long after the one before, are therefore encoded at once.

        Raises:
            SinkError: the encoder has failed.
        """
        self._raise_error()
        frame, pending_s = annotated.frame, self._pending_s
        pending_s.append(self._last_s)
        self._last_s = frame.time_s
        self._waiting.put((annotated.canvas, frame.coded, frame.time_s, annotated.place))
        self._begun = True
        with stage("wait for the encoder"):
            while pending_s and (
                len(pending_s) > self._room or frame.time_s - pending_s[0] > _MAX_BEHIND_S
            ):
                self._done.get()
                pending_s.popleft()

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Finishes the file; one that is not complete keeps its partial name.

        A file without a frame cannot be played, and is removed.

        Raises:
            SinkError: the end could not be written.
        """
        if self._segmented is not None:
            self._segmented.complete = complete
        self._waiting.put(None)
        with stage("wait for the encoder"):
            self._encoder.join()
        self._raise_error()
        if self._segmented is not None:  # each of its files has its name already
            return
        try:
            finish_partial(self._path, complete=complete and self._begun, keep=self._begun)
        except OSError as error:
            raise SinkError(f"{self._path} cannot be put in place: {error.strerror}") from error

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            reason = getattr(error, "strerror", None) or error
            raise SinkError(f"{reason}{what_is_left(partial_path(self._path))}") from error

    def _encode(self) -> None:
        """Encodes until the end mark.

        After an error it only empties the queue, so that no write waits for room.
        """
        try:
            with self._video as video:
                while (item := self._waiting.get()) is not None:
                    video.add_drawn(*item)
                    self._done.put(None)
        except Exception as error:  # noqa: BLE001 - raised again in write() and close()
            self._error = error
            while item is not None:
                self._done.put(None)
                item = self._waiting.get()
