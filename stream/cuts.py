"""Where one shot ends and another begins."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image

_SAMPLE_WH = (128, 72)  # taken pixel by pixel, then averaged down: the cost of a frame's size goes
_THUMBNAIL_WH = (32, 18)
_MIN_CHANGE = 20.0  # of 255, mean over the thumbnail: cuts change 25 and more, walkers up to 13


class CutDetector:
    """Compares each frame with the one before, as thumbnails."""

    def __init__(self) -> None:
        self._before: NDArray[np.int16] | None = None

    def __repr__(self) -> str:
        return "CutDetector()"

    def is_cut(self, image: Image) -> bool:
        """Whether this frame has nothing to do with the last one; of the first, no."""
        sample = cv2.resize(image, _SAMPLE_WH, interpolation=cv2.INTER_NEAREST)
        thumbnail = cv2.resize(sample, _THUMBNAIL_WH, interpolation=cv2.INTER_AREA).astype(np.int16)
        before, self._before = self._before, thumbnail
        return before is not None and float(np.abs(thumbnail - before).mean()) > _MIN_CHANGE
