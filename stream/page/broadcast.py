"""The pictures of one source for all who watch: each is drawn and encoded once at each size."""

import asyncio
import math
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from stream.drawing.overlay import Overlay
from stream.page.page_sink import PageSink
from stream.page.rendition import Rendition
from stream.page.viewers import Encoded, Form, Viewer
from stream.sinks import AnnotatedFrame

_IDLE_S = 1.0
"""How long the thread waits for a picture until it releases the encoders of those who left, s."""


class Broadcast:
    """Encodes the newest picture of a source while anyone watches, in a thread of its own.

    Pictures that come faster than they are shown, or than they can be encoded, are left out; the
    source never waits. While no one watches, frames do not wake the thread.

    Args:
        sink: has the newest frame.
        renditions: the sizes, from the smallest on.
        fps: pictures a second at most.
        name: of the source, for the name of the thread.

    Attributes:
        encoded_bytes: what was encoded so far, by form.
    """

    def __init__(
        self, sink: PageSink, renditions: Sequence[Rendition], fps: float, name: str
    ) -> None:
        self._sink = sink
        self._renditions = renditions
        self._step_s = 1 / fps
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = threading.Event()
        self._shown: tuple[int, bool] = 0, False  # number of the last picture, and if blurred
        self.encoded_bytes: dict[Form, int] = {"jpeg": 0, "h264": 0}
        self._thread = threading.Thread(target=self._work, name=f"page {name}")

    def __repr__(self) -> str:
        return f"Broadcast({self.watching} watch)"

    @property
    def watching(self) -> int:
        """How many watch."""
        return sum(each.watching for each in self._renditions)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Starts the thread; what it makes is handed over in the thread of a loop."""
        self._loop = loop
        self._thread.start()

    def close(self) -> None:
        """Ends the thread, and with it what viewers wait for; may be called twice."""
        self._closing.set()
        self._sink.wake()
        if self._thread.ident is not None:
            self._thread.join()

    def add(self, viewer: Viewer) -> None:
        """Adds one who watches, or gives it another size; in the thread of the event loop."""
        rendition = self._fitting(viewer.shown_px)
        if viewer not in rendition:
            self.remove(viewer)
            viewer.begin()
            rendition.add(viewer)
        if self._closing.is_set():
            viewer.end()
        self._sink.wake()

    def remove(self, viewer: Viewer) -> None:
        """Removes one who watched; in the thread of the event loop."""
        for each in self._renditions:
            each.remove(viewer)

    def jpeg(self) -> bytes | None:
        """The newest picture; None before the first. It is encoded once for all who ask."""
        newest = self._sink.newest()
        return None if newest is None else self._renditions[-1].jpeg(newest[1])

    def change(self, overlay: Overlay) -> None:
        """Draws with other settings from now on."""
        for each in self._renditions:
            each.painter.change(overlay)

    def _fitting(self, shown_px: int) -> Rendition:
        """The smallest size that is no smaller than what is shown, or than the source."""
        info = self._sink.info
        least = shown_px if info is None else min(shown_px, info.size_wh[0])
        fitting = (each for each in self._renditions if each.painter.width >= least)
        return next(fitting, self._renditions[-1])

    def _work(self) -> None:
        """Encodes until the end."""
        due_s = 0.0
        try:
            while not self._closing.wait(max(due_s - time.monotonic(), 0)):
                self._wait()
                for each in self._renditions:
                    if not each.watching:
                        each.rest()
                newest = self._sink.newest()
                if newest is None or not self.watching:
                    continue
                shown = newest[0], newest[1].blur
                if shown == self._shown and self._key_due_in_s > 0:
                    continue
                due_s = max(due_s + self._step_s, time.monotonic())
                self._shown = shown
                self._encode(newest[1])
        finally:
            for each in self._renditions:
                each.rest()
            self._call(self._end_all)

    def _wait(self) -> None:
        """Waits until there is something to be shown, or as long as the thread may be idle."""
        self._sink.wait(self._is_wanted, _IDLE_S)
        if math.isfinite(left_s := self._key_due_in_s):
            self._sink.wait(self._is_new, left_s)

    def _is_wanted(self, number: int) -> bool:
        """Whether the frame of a number is to be shown, now or when a keyframe is due."""
        return self._is_new(number) or (number > 0 and math.isfinite(self._key_due_in_s))

    def _is_new(self, number: int) -> bool:
        """Whether the frame of a number was not shown yet to those who watch, or all ends."""
        is_new = self.watching > 0 and number not in (0, self._shown[0])
        return is_new or self._closing.is_set()

    @property
    def _key_due_in_s(self) -> float:
        """Time until a keyframe is due, s; see `Rendition`."""
        return min(each.key_due_in_s for each in self._renditions)

    def _encode(self, annotated: AnnotatedFrame) -> None:
        """Hands the picture over at every size that is watched."""
        for rendition in self._renditions:
            if rendition.watching:
                for form, encoded in rendition.encode(annotated):
                    self._call(self._offer, rendition, form, encoded)

    def _call(self, *call: object) -> None:
        """Calls a method in the thread of the event loop, unless that has ended."""
        function, *values = call
        with suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(function, *values)  # type: ignore[arg-type]

    def _offer(self, rendition: Rendition, form: Form, encoded: Encoded) -> None:
        self.encoded_bytes[form] += len(encoded.data)
        rendition.offer(form, encoded)

    def _end_all(self) -> None:
        for each in self._renditions:
            each.end()
