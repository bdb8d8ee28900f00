"""Where one shot ends and another begins."""

import numpy as np
from numpy.typing import NDArray

from stream.frames import Frame

_THUMBNAIL_WH, _FINENESS = (32, 18), 4  # and how many pixels are picked for each, either way
_MIN_CHANGE = 20.0  # of 255, mean over the thumbnail: cuts change 25 and more, walkers up to 13


class CutDetector:
    """Compares each frame with the one before, as thumbnails."""

    def __init__(self) -> None:
        self._before: NDArray[np.int16] | None = None

    def __repr__(self) -> str:
        return "CutDetector()"

    def is_cut(self, frame: Frame) -> bool:
        """Whether this frame has nothing to do with the last one; of the first, no."""
        thumbnail = frame.grey(_THUMBNAIL_WH, _FINENESS).astype(np.int16)
        before, self._before = self._before, thumbnail
        return before is not None and float(np.abs(thumbnail - before).mean()) > _MIN_CHANGE
