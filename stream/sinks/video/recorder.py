"""An annotated video, encoded in a thread of its own behind a bounded queue."""

import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeAlias

from av.video.frame import VideoFrame

from stream.drawing.canvas import Canvas
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.people import Person
from stream.settings.schema import RecorderSection
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.paths import finish_partial, partial_path, what_is_left
from stream.sinks.segments import WHOLE_RUN, Placement, Segment
from stream.sinks.video.segmented_video import SegmentedVideo
from stream.sinks.video.video_file import VideoFile
from stream.stalls import TICK_S, StallTimer, place_of
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
        segmented: makes what writes segments, or only what is near faces, instead of one whole
            file; made anew where it hangs.
        stall_s: time without progress after which the encoder hangs, s; 0 for never.

    Raises:
        SinkError: the file cannot be made.
    """

    quit_requested = False

    def __init__(
        self,
        path: Path,
        info: SourceInfo,
        settings: RecorderSection,
        segmented: Callable[[], SegmentedVideo] | None = None,
        stall_s: float = 0,
    ) -> None:
        self.name = f"recorder ({path.name})"
        self.output = None if settings.segment_s and segmented is not None else path
        self._path = path
        self.partial_path = partial_path(path)
        self._begun = False
        self._segment: Segment | None = None  # of the newest frame
        self._left = False  # an encoder that hangs, with all that it has
        self._segmented = segmented
        self._stall_s = stall_s
        # Of each frame that is not known to be done, the time of the one before.
        self._pending_s: deque[float] = deque()
        self._last_s = -math.inf
        width, height = info.size_wh
        room = int(_QUEUE_BYTES / (width * height * _PIXEL_BYTES))
        self._room = min(max(room, _MIN_QUEUE), _MAX_QUEUE)
        video = VideoFile(self.partial_path, info, settings) if segmented is None else segmented()
        self._encoder = _EncoderThread(video)

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
        place = annotated.place
        self._segment = place.segment
        self._encoder.waiting.put((annotated.canvas, frame.coded, frame.time_s, place))
        self._begun = True
        with stage("wait for the encoder"):
            while pending_s and (
                len(pending_s) > self._room or frame.time_s - pending_s[0] > _MAX_BEHIND_S
            ):
                self._await_done()
                pending_s.popleft()

    def _await_done(self) -> None:
        """Waits until the encoder is done with a frame; one that hangs is left.

        Raises:
            SinkError: it hangs, and what it writes is one whole file.
        """
        timer = StallTimer(self._stall_s)
        while True:
            try:
                self._encoder.done.get(timeout=TICK_S)
                return
            except Empty:
                if timer.tick():
                    self._leave_encoder()
                    return

    def _leave_encoder(self) -> None:
        """Leaves an encoder that hangs, and goes on with another one in a new segment."""
        hangs = f"hangs: {place_of(self._encoder)} has written nothing for {self._stall_s:g} s"
        self._encoder.leave()
        if self._segmented is None or self._segment == WHOLE_RUN:
            self._left = True
            raise SinkError(f"{hangs}{what_is_left(self.partial_path)}")
        self._pending_s.clear()
        self._pending_s.append(self._last_s)
        video = self._segmented()
        video.go_on_after(self._segment, hangs)
        self._encoder = _EncoderThread(video)

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Finishes the file; one that is not complete keeps its partial name.

        A file without a frame cannot be played, and is removed.

        Raises:
            SinkError: the end could not be written.
        """
        if self._left:
            return
        self._encoder.video.complete = complete
        self._encoder.waiting.put(None)
        with stage("wait for the encoder"):
            timer = StallTimer(self._stall_s)
            while self._encoder.is_alive() and not timer.tick():
                self._encoder.join(TICK_S)
        if self._encoder.is_alive():
            raise SinkError(f"hangs: {place_of(self._encoder)} does not come to its end")
        self._raise_error()
        if self._segmented is not None:  # each of its files has its name already
            return
        try:
            finish_partial(self._path, complete=complete and self._begun, keep=self._begun)
        except OSError as error:
            raise SinkError(f"{self._path} cannot be put in place: {error.strerror}") from error

    def _raise_error(self) -> None:
        error, self._encoder.error = self._encoder.error, None
        if error is not None:
            reason = getattr(error, "strerror", None) or error
            raise SinkError(f"{reason}{what_is_left(self.partial_path)}") from error


class _EncoderThread(threading.Thread):
    """Encodes frames until the end mark. It is a daemon, for a disk may never answer.

    Attributes:
        video: what it writes.
        waiting: the frames that wait; None is the end mark.
        done: has something for each frame that is encoded.
        error: what went wrong; the thread then only empties the queue, so that no write waits.
    """

    def __init__(self, video: VideoFile | SegmentedVideo) -> None:
        super().__init__(name="encoder", daemon=True)
        self.video = video
        # Ctrl-C may fall between any two steps of a queue.Queue, and the encoder would then wait on
        # though a frame is there. A SimpleQueue has no steps; the encoder says when each is done.
        self.waiting: SimpleQueue[_Item | None] = SimpleQueue()
        self.done: SimpleQueue[None] = SimpleQueue()
        self.error: Exception | None = None
        self.start()

    def leave(self) -> None:
        """Lets the thread end as soon as it can."""
        self.waiting.put(None)

    def run(self) -> None:
        """Encodes."""
        item: _Item | None = None
        try:
            with self.video as video:
                while (item := self.waiting.get()) is not None:
                    video.add_drawn(*item)
                    self.done.put(None)
        except Exception as error:  # noqa: BLE001 - raised again in write() and close()
            self.error = error
            while item is not None:
                self.done.put(None)
                item = self.waiting.get()
