"""What those who watch are shown of a frame: marks in the size of the page."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.faces import Image
from stream.drawing.blur import blurred_boxes
from stream.drawing.canvas import Canvas
from stream.drawing.overlay import Overlay
from stream.sinks import AnnotatedFrame
from stream.tracks import Track

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """A frame as it is shown.

    Attributes:
        canvas: the picture with boxes and labels, its faces blurred if asked for.
        coded: the same picture as it was decoded, before it was drawn on; None where it has another
            size, or was not coded in a form that can be drawn on.
        size_wh: width and height, px.
    """

    canvas: Canvas
    coded: "VideoFrame | None"
    size_wh: tuple[int, int]


class Painter:
    """Draws frames of one source no larger than asked for; what was last drawn is kept.

    Nothing is converted before it is asked for: a video takes the planes of the picture as they
    were decoded.

    Args:
        overlay: draws boxes and labels.
        width: of the picture at most, px.
    """

    def __init__(self, overlay: Overlay, width: int) -> None:
        self._lock = threading.Lock()
        self._overlay = overlay
        self._width = width
        self._last: tuple[AnnotatedFrame, Painted] | None = None

    def __repr__(self) -> str:
        return f"Painter({self._width} px)"

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
        width, height = annotated.frame.size_wh
        if width <= self._width:
            marks = self._overlay.marks((width, height), annotated.tracks)
            places = blurred_boxes((width, height), annotated.faces_xyxy) if annotated.blur else ()
            canvas = Canvas(lambda: annotated.shown, marks, places)
            return Painted(canvas, annotated.frame.coded, (width, height))
        scale = self._width / width
        fitted = self._width, max(round(height * scale), 1)
        tracks = _scaled(annotated.tracks, fitted[0] / width, fitted[1] / height)
        canvas = Canvas(
            lambda: _shrunk(annotated.shown, fitted), self._overlay.marks(fitted, tracks)
        )
        return Painted(canvas, None, fitted)


def _scaled(tracks: Sequence[Track], across: float, down: float) -> list[Track]:
    by = np.array([across, down] * 2, dtype=np.float32)
    return [replace(track, box_xyxy=track.box_xyxy * by) for track in tracks]


def _shrunk(image: Image, size_wh: tuple[int, int]) -> Image:
    return cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
