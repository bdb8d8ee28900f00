"""The pictures of one source for all who watch it: each is drawn and encoded once."""

import asyncio
import logging
import threading
import time
from contextlib import suppress

import cv2
from av.error import FFmpegError

from models.faces import Image
from stream.page.page_sink import PageSink
from stream.page.painter import Painted, Painter
from stream.page.video_encoding import VideoEncoding
from stream.page.viewers import Encoded, Form, Viewer
from stream.sinks import AnnotatedFrame

_JPEG_QUALITY = 80
"""Quality of the pictures on the page, 0 to 100; more takes more of the network."""

_IDLE_S = 1.0
"""How long the thread waits for a picture until it looks again whether it is to end, s."""

_log = logging.getLogger(__name__)


class Broadcast:
    """Encodes the newest picture of a source while anyone watches, in a thread of its own.

    Pictures that come faster than they are shown, or than they can be encoded, are left out; the
    source never waits.

    Args:
        sink: has the newest frame.
        painter: draws it.
        fps: pictures a second at most.
        name: of the source, for the name of the thread.

    Attributes:
        encoded_bytes: what was encoded so far, by form.
    """

    def __init__(self, sink: PageSink, painter: Painter, fps: float, name: str) -> None:
        self._sink = sink
        self._painter = painter
        self._step_s = 1 / fps
        self._fps = fps
        self._loop: asyncio.AbstractEventLoop | None = None
        self._viewers: set[Viewer] = set()  # of the thread of the event loop
        self._counts: dict[Form, int] = {"jpeg": 0, "h264": 0}
        self._key_wanted = False
        self._is_closed = False
        self._video: VideoEncoding | None = None
        self._jpeg_lock = threading.Lock()
        self._last_jpeg: tuple[Image, bytes] | None = None
        self.encoded_bytes: dict[Form, int] = {"jpeg": 0, "h264": 0}
        self._thread = threading.Thread(target=self._work, name=f"page {name}")

    def __repr__(self) -> str:
        return f"Broadcast({len(self._viewers)} watch)"

    @property
    def watching(self) -> int:
        """How many watch."""
        return sum(self._counts.values())

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Starts the thread; what it makes is handed over in the thread of a loop."""
        self._loop = loop
        self._thread.start()

    def close(self) -> None:
        """Ends the thread, and with it what viewers wait for; may be called twice."""
        self._is_closed = True
        self._sink.wake()
        if self._thread.ident is not None:
            self._thread.join()

    def add(self, viewer: Viewer) -> None:
        """Adds one who watches; in the thread of the event loop."""
        self._viewers.add(viewer)
        self._counts[viewer.form] += 1
        self._key_wanted = True
        if self._is_closed:
            viewer.end()
        self._sink.wake()

    def remove(self, viewer: Viewer) -> None:
        """Removes one who watched; in the thread of the event loop."""
        if viewer in self._viewers:
            self._viewers.discard(viewer)
            self._counts[viewer.form] -= 1

    def jpeg(self) -> bytes | None:
        """The newest picture; None before the first. It is encoded once for all who ask."""
        newest = self._sink.newest()
        return None if newest is None else self._jpeg(self._painter.draw(newest[1]))

    def _jpeg(self, picture: Image) -> bytes:
        with self._jpeg_lock:
            if self._last_jpeg is None or self._last_jpeg[0] is not picture:
                quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
                self._last_jpeg = picture, cv2.imencode(".jpg", picture, quality)[1].tobytes()
            return self._last_jpeg[1]

    def _work(self) -> None:
        """Encodes until the end."""
        try:
            number, was_blurred, next_s = 0, False, 0.0
            while not self._is_closed:
                self._sink.wait(number, self._is_wanted_now, _IDLE_S)
                newest = self._sink.newest()
                if newest is None or not self.watching:
                    self._rest()
                    continue
                is_new = newest[0] != number or newest[1].blur != was_blurred
                if not (is_new or self._key_wanted):
                    continue
                if (early_s := next_s - time.monotonic()) > 0:
                    threading.Event().wait(early_s)
                    newest = self._sink.newest() or newest
                next_s = max(next_s + self._step_s, time.monotonic())
                number, was_blurred = newest[0], newest[1].blur
                self._encode(newest[1])
        finally:
            self._rest()
            self._call(self._end_all)

    def _is_wanted_now(self) -> bool:
        return self._is_closed or (self._key_wanted and self.watching > 0)

    def _rest(self) -> None:
        """Nobody watches: releases the encoder."""
        self._key_wanted = False
        if self._video is not None:
            self._video.close()
            self._video = None

    def _encode(self, annotated: AnnotatedFrame) -> None:
        """Hands the picture over in every form that is watched."""
        painted = self._painter.paint(annotated)
        key, self._key_wanted = self._key_wanted, False
        if self._counts["jpeg"]:
            jpeg = self._jpeg(self._painter.draw(annotated))
            self._call(self._offer, "jpeg", Encoded(jpeg))
        if self._counts["h264"]:
            try:
                for encoded in self._fragments(painted, key=key):
                    self._call(self._offer, "h264", encoded)
            except (FFmpegError, ValueError) as error:
                _log.warning("page: no H.264: %s", error)

    def _fragments(self, painted: Painted, *, key: bool) -> list[Encoded]:
        size_wh = painted.size_wh
        if self._video is not None and self._video.size_wh != size_wh:
            self._video.close()
            self._video = None
        if self._video is None:
            self._video = VideoEncoding(size_wh, self._fps)
        return self._video.encode(painted.canvas, painted.coded, key=key)

    def _call(self, *call: object) -> None:
        """Calls a method in the thread of the event loop, unless that has ended."""
        function, *values = call
        with suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(function, *values)  # type: ignore[arg-type]

    def _offer(self, form: Form, encoded: Encoded) -> None:
        self.encoded_bytes[form] += len(encoded.data)
        for viewer in self._viewers:
            if viewer.form == form:
                viewer.offer(encoded)
                if viewer.needs_key:
                    self._key_wanted = True

    def _end_all(self) -> None:
        for viewer in self._viewers:
            viewer.end()
