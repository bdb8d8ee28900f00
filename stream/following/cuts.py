"""Shot boundary detection: where one shot ends and another begins."""

import numpy as np
from numpy.typing import NDArray

from stream.frames import Frame

_THUMBNAIL_WH = (32, 18)
"""Size of the thumbnails that are compared, px."""

_SAMPLES = 4
"""Pixels sampled for each pixel of a thumbnail, in either direction; more is less noisy."""

_MIN_CHANGE = 20.0
"""Mean absolute difference of two thumbnails, of 255, above which there is a cut; in the clips it
was tuned on, cuts change 25 and more, people who walk up to 13."""


class CutDetector:
    """Compares the thumbnail of each frame with that of the frame before."""

    def __init__(self) -> None:
        self._before: NDArray[np.int16] | None = None

    def __repr__(self) -> str:
        return "CutDetector()"

    def observe(self, frame: Frame) -> bool:
        """Takes the next frame; whether a new shot begins with it. The first frame begins none."""
        thumbnail = frame.luminance(_THUMBNAIL_WH, _SAMPLES).astype(np.int16)
        before, self._before = self._before, thumbnail
        return before is not None and float(np.abs(thumbnail - before).mean()) > _MIN_CHANGE
