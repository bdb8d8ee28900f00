"""What those who watch are shown of a frame: marks drawn in the size of the page."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from models.faces import Image
from stream.drawing.overlay import Overlay
from stream.sinks import AnnotatedFrame


class Painter:
    """Draws frames of one source no larger than asked for; the last picture is kept.

    Args:
        overlay: draws boxes and labels.
        width: of the picture at most, px.
    """

    def __init__(self, overlay: Overlay, width: int) -> None:
        self._lock = threading.Lock()
        self._overlay = overlay
        self._width = width
        self._drawn: tuple[AnnotatedFrame, bool, Image] | None = None

    def __repr__(self) -> str:
        return f"Painter({self._width} px)"

    def change(self, overlay: Overlay) -> None:
        """Draws with other settings from now on."""
        with self._lock:
            self._overlay, self._drawn = overlay, None

    def draw(self, annotated: AnnotatedFrame) -> Image:
        """A frame with boxes and labels, its faces blurred if asked for. Not to be written to."""
        with self._lock:
            drawn = self._drawn
            if drawn and drawn[0].frame is annotated.frame and drawn[1] == annotated.blur:
                return drawn[2]
            picture = self._draw(annotated)
            self._drawn = annotated, annotated.blur, picture
            return picture

    def _draw(self, annotated: AnnotatedFrame) -> Image:
        shown = annotated.shown
        height, width = shown.shape[:2]
        scale = min(self._width / width, 1.0)
        if scale == 1.0:
            return self._overlay.draw(shown, annotated.tracks)
        fitted = max(round(width * scale), 1), max(round(height * scale), 1)
        small = cv2.resize(shown, fitted, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        tracks = _scaled(annotated, fitted[0] / width, fitted[1] / height)
        return self._overlay.draw(small, tracks)


def _scaled(annotated: AnnotatedFrame, across: float, down: float) -> Sequence:  # type: ignore
    by = np.array([across, down] * 2, dtype=np.float32)
    return [replace(track, box_xyxy=track.box_xyxy * by) for track in annotated.tracks]
