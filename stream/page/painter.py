"""What those who watch are shown of a frame: marks in the size of the page."""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.faces import Image
from stream.drawing.blur import blurred_boxes
from stream.drawing.canvas import Canvas
from stream.drawing.overlay import Overlay
from stream.page.scaling import Scaling
from stream.sinks import AnnotatedFrame

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """A frame as it is shown.

    Attributes:
        canvas: the picture with boxes and labels, its faces blurred if asked for.
        coded: the same picture before it was drawn on, as `Frame.coded`.
        size_wh: width and height, px.
    """

    canvas: Canvas
    coded: "VideoFrame | None"
    size_wh: tuple[int, int]


class Painter:
    """Draws frames of one source no larger than asked for; what was last drawn is kept.

    Nothing is converted before it is asked for: a video takes the planes of the picture as they
    were decoded, scaled if need be.

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
            return painted.canvas.picture

    def _paint(self, annotated: AnnotatedFrame) -> Painted:
        fitted = self._scaling.fitted(annotated)
        size_wh = fitted.frame.size_wh
        marks = self._overlay.marks(size_wh, fitted.tracks)
        places = blurred_boxes(size_wh, fitted.faces_xyxy) if fitted.blur else ()
        canvas = Canvas(lambda: fitted.shown, marks, places)
        return Painted(canvas, fitted.frame.coded, size_wh)
