"""What those who watch are shown of a frame: marks in the size of the page."""

import threading
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from models.faces import Image
from stream.coded import BT709, Colours
from stream.drawing.blur import blurred_boxes
from stream.drawing.canvas import Canvas
from stream.drawing.overlay import Overlay
from stream.drawing.planes import Planes
from stream.page.scaling import Scaling, bgr_of, copied
from stream.sinks import AnnotatedFrame

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


class Painted:
    """A frame as it is shown, the same in every form.

    Args:
        drawn: the picture with boxes and labels, its faces blurred if asked for: planes of 4:2:0
            that no one else has, or `(height, width, 3)` BGR where a frame has none.

    Attributes:
        drawn: this. Not to be written to.
    """

    def __init__(self, drawn: "VideoFrame | Image") -> None:
        self.drawn = drawn

    def __repr__(self) -> str:
        return f"Painted({self.size_wh})"

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height, px."""
        if isinstance(self.drawn, np.ndarray):
            return self.drawn.shape[1], self.drawn.shape[0]
        return self.drawn.width, self.drawn.height

    @property
    def colours(self) -> Colours:
        """What the numbers of the planes mean, or would where there are none."""
        return BT709 if isinstance(self.drawn, np.ndarray) else Colours.of(self.drawn)

    @cached_property
    def picture(self) -> Image:
        """The same as pixels, BGR. Not to be written to."""
        return self.drawn if isinstance(self.drawn, np.ndarray) else bgr_of(self.drawn)


class Painter:
    """Draws frames of one source no larger than asked for; what was last drawn is kept.

    Each is drawn once, on its planes: a video takes them as they are, and a picture by itself is
    converted from them when it is asked for.

    Args:
        overlay: draws boxes and labels.
        width: of the picture at most, px.
    """

    def __init__(self, overlay: Overlay, width: int) -> None:
        self.width = width
        self._lock = threading.Lock()
        self._overlay = overlay
        self._scaling = Scaling(width)
        self._last: tuple[AnnotatedFrame, Painted] | None = None

    def __repr__(self) -> str:
        return f"Painter({self._scaling!r})"

    def change(self, overlay: Overlay) -> None:
        """Draws with other settings from now on."""
        with self._lock:
            self._overlay, self._last = overlay, None

    def paint(self, annotated: AnnotatedFrame) -> Painted:
        """A frame with boxes and labels, its faces blurred if asked for."""
        with self._lock:
            last = self._last
            if last and last[0].frame is annotated.frame and last[0].blur == annotated.blur:
                return last[1]
            painted = self._paint(annotated)
            self._last = annotated, painted
            return painted

    def draw(self, annotated: AnnotatedFrame) -> Image:
        """The same as pixels, BGR. Not to be written to."""
        painted = self.paint(annotated)
        with self._lock:
            return painted.picture

    def _paint(self, annotated: AnnotatedFrame) -> Painted:
        """Draws on planes that were scaled, or on a copy: the source's are never written to."""
        fitted = self._scaling.fitted(annotated)
        size_wh, coded = fitted.frame.size_wh, fitted.frame.coded
        marks = self._overlay.marks(size_wh, fitted.tracks)
        places = blurred_boxes(size_wh, fitted.faces_xyxy) if fitted.blur else ()
        canvas = Canvas(lambda: fitted.shown, marks, places)
        if coded is None:
            return Painted(canvas.picture)
        if fitted is annotated:
            coded = copied(coded)
        canvas.draw_on(Planes.of(coded), Colours.of(coded))
        return Painted(coded)
