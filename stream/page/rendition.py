"""The pictures of a source at one size: drawn and encoded once for all who watch at that size."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator

import cv2

from models.faces import Image
from stream.page.painter import Painted, Painter
from stream.page.video_encoding import VideoEncoding
from stream.page.viewers import Encoded, Form, Viewer
from stream.sinks import AnnotatedFrame

_JPEG_QUALITY = 80
"""Quality of the pictures on the page, 0 to 100; more takes more of the network."""

KEY_STEP_S = 0.25
"""Time between two keyframes that are asked for, s; less lets those who come and go, or change
their width, make each picture of all others larger, more lets who comes wait for a first one."""

_log = logging.getLogger(__name__)


class Rendition:
    """Encodes pictures of one size in each form in which they are watched.

    Viewers are added, removed and served in the thread of the event loop; pictures are encoded in
    that of the broadcast.

    Args:
        painter: draws the pictures.
        fps: pictures a second, about.
        clock: the monotonic clock, s.
    """

    def __init__(
        self, painter: Painter, fps: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.painter = painter
        self._clock = clock
        self._key_wanted = False
        self._key_s = -math.inf
        self._fps = fps
        self._viewers: set[Viewer] = set()
        self._counts: dict[Form, int] = {"jpeg": 0, "h264": 0}
        self._video: VideoEncoding | None = None
        self._jpeg_lock = threading.Lock()
        self._last_jpeg: tuple[Image, bytes] | None = None
        self._last_fault = ""

    def __repr__(self) -> str:
        return f"Rendition({self.painter.width} px, {self.watching} watch)"

    def __contains__(self, viewer: Viewer) -> bool:
        return viewer in self._viewers

    @property
    def watching(self) -> int:
        """How many watch."""
        return sum(self._counts.values())

    @property
    def key_due_in_s(self) -> float:
        """Time until a picture is due that can be decoded by itself, s: one who watches waits for
        it. Infinite where no one does."""
        if not (self.watching and self._key_wanted):
            return math.inf
        return max(self._key_s + KEY_STEP_S - self._clock(), 0.0)

    def add(self, viewer: Viewer) -> None:
        """Adds one who watches."""
        self._viewers.add(viewer)
        self._counts[viewer.form] += 1
        self._key_wanted = True

    def remove(self, viewer: Viewer) -> None:
        """Removes one who watched, if it did at this size."""
        if viewer in self._viewers:
            self._viewers.discard(viewer)
            self._counts[viewer.form] -= 1

    def offer(self, form: Form, encoded: Encoded) -> None:
        """Hands a picture to those who watch in its form."""
        for viewer in self._viewers:
            if viewer.form == form:
                viewer.offer(encoded)
                if viewer.needs_key:
                    self._key_wanted = True

    def end(self) -> None:
        """Tells all who watch that there is nothing more to come."""
        for viewer in self._viewers:
            viewer.end()

    def encode(self, annotated: AnnotatedFrame) -> Iterator[tuple[Form, Encoded]]:
        """A picture in every form that is watched.

        One that cannot be drawn or encoded is left out; a fault is logged when it is new.
        """
        key = self.key_due_in_s == 0
        if key:
            self._key_wanted, self._key_s = False, self._clock()
        try:
            painted = self.painter.paint(annotated)
            if self._counts["jpeg"]:
                yield "jpeg", Encoded(self._jpeg(self.painter.draw(annotated)))
            if self._counts["h264"]:
                for encoded in self._fragments(painted, key=key):
                    yield "h264", encoded
            self._last_fault = ""
        except Exception as error:  # noqa: BLE001 - of any kind: the thread serves all who watch
            self.rest()  # the next picture begins another video
            self._key_wanted |= key
            fault = f"{type(error).__name__}: {error}"
            if fault != self._last_fault:
                _log.warning("page: a picture cannot be shown: %s", fault)
            self._last_fault = fault

    def jpeg(self, annotated: AnnotatedFrame) -> bytes:
        """A picture by itself, encoded once for all who ask for it."""
        return self._jpeg(self.painter.draw(annotated))

    def rest(self) -> None:
        """Releases the encoder, until the next picture."""
        if self._video is not None:
            self._video.close()
            self._video = None

    def _jpeg(self, picture: Image) -> bytes:
        with self._jpeg_lock:
            if self._last_jpeg is None or self._last_jpeg[0] is not picture:
                quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
                self._last_jpeg = picture, cv2.imencode(".jpg", picture, quality)[1].tobytes()
            return self._last_jpeg[1]

    def _fragments(self, painted: Painted, *, key: bool) -> list[Encoded]:
        if self._video is not None and not self._video.suits(painted):
            self.rest()
        if self._video is None:
            self._video = VideoEncoding(painted.size_wh, self._fps)
        return self._video.encode(painted, key=key)
