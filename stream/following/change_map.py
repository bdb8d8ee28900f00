"""Where a picture has changed since it was last searched: only there can a new face be.

1. A place that has not changed looks to the detector as it did: it is searched again rarely, for
   faces that appeared in the dark, where the change was under the threshold.
2. A change around the head of a face that is followed is no news: it is searched once the head has
   stayed away from one search to the next, and now and then all the same, for another face may have
   come up beside it.
3. Any other place that has changed is searched, if it is large enough for a face.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import sizes_wh
from stream.frames import Frame

_CELLS_WH = (64, 36)
"""Columns and rows of the map; finer cells find smaller changes and are noisier."""

_SAMPLES = 8
"""Pixels sampled for each cell, in either direction; more is less noisy."""

_MIN_CHANGE = 5
"""Change of a cell's mean, of 255, that counts; a camera's noise in poor light stays under it."""

_FACE_CELLS = 2
"""Cells in either direction of which a changed region must consist, where a face is larger."""

_SURE_FACE_CELLS = 2.5
"""Cells that the smallest face must be wide and high for `_FACE_CELLS` to be asked; where it is
smaller, a single changed cell is enough."""

_MARGIN_FACES = 1.0
"""How far around a change is searched, in widths of the smallest face: a face is found by what
surrounds it too. More finds more and costs more."""

_MAX_REGIONS = 16
"""Changed regions that are searched one by one; more (rain, grain) are searched as one."""

_HEAD_MARGIN = 0.7
"""How far around a face's box its head moves with it, in face widths."""

_HEADS_TRUSTED_S = 8.0
"""Time after which changes around heads are searched too, s; longer costs less and finds later."""

_TRUSTED_S = 24.0
"""Time after which a place is searched, changed or not, s; longer costs less and finds later."""


class ChangeMap:
    """Remembers of each cell of the picture how it looked when it was last searched."""

    def __init__(self) -> None:
        shape = _CELLS_WH[::-1]
        self._cells = np.zeros(shape, dtype=np.int16)  # luminance, signed so that differences fit
        self._searched_s = np.full(shape, -np.inf)
        self._head_s = np.full(shape, -np.inf)  # when a head was last in each cell
        self._last_s = -np.inf

    def __repr__(self) -> str:
        return f"ChangeMap(last searched at {self._last_s:g} s)"

    def take_all(self, frame: Frame) -> None:
        """All of the frame counts as searched."""
        self._cells = frame.luminance(_CELLS_WH, _SAMPLES).astype(np.int16)
        self._searched_s[:] = self._last_s = frame.time_s
        self._head_s[:] = -np.inf

    def take_regions(
        self,
        frame: Frame,
        visible_xyxy: NDArray[np.float32],
        lost_xyxy: NDArray[np.float32],
        face_px: float,
    ) -> NDArray[np.float32]:
        """Where a search must be made, `(n, 4)` xyxy px; it then counts as made.

        Args:
            frame: the picture.
            visible_xyxy: `(n, 4)` px, the faces that are followed.
            lost_xyxy: `(m, 4)` px, where lost faces may be.
            face_px: width of the smallest face that is searched for, px of the picture.
        """
        time_s, size_wh = frame.time_s, np.array(frame.size_wh, dtype=np.float32)
        if time_s < self._last_s:
            self._searched_s[:] = self._last_s = -np.inf  # the clock was set back
        cells = frame.luminance(_CELLS_WH, _SAMPLES).astype(np.int16)
        self._mark_heads(visible_xyxy, size_wh, time_s)
        self._mark_heads(lost_xyxy, size_wh, -np.inf)
        age_s = time_s - self._searched_s
        is_news = (self._head_s < self._last_s) | (age_s > _HEADS_TRUSTED_S)
        wanted = (np.abs(cells - self._cells) > _MIN_CHANGE) & is_news | (age_s > _TRUSTED_S)
        face_wh = face_px * np.array(_CELLS_WH) / size_wh
        # A change too slow or too small for a face must not be forgotten: more of it may come.
        searched = _large_regions(wanted, face_wh)
        self._cells = np.where(searched, cells, self._cells)
        self._searched_s[searched] = self._last_s = time_s
        cell_wh = (size_wh / _CELLS_WH).astype(np.float32)
        return _boxes(searched, face_wh * _MARGIN_FACES) * np.tile(cell_wh, 2)

    def _mark_heads(
        self, faces_xyxy: NDArray[np.float32], size_wh: NDArray[np.float32], time_s: float
    ) -> None:
        """Notes when heads were in the cells of their faces' boxes and a margin around them."""
        margin = np.float32(_HEAD_MARGIN) * sizes_wh(faces_xyxy)[:, [0, 0]]
        edges = np.concatenate([faces_xyxy[:, :2] - margin, faces_xyxy[:, 2:] + margin], axis=1)
        cells = (edges / np.tile(size_wh / _CELLS_WH, 2)).clip(0).astype(int)
        for left, top, right, bottom in cells.tolist():
            self._head_s[top : bottom + 1, left : right + 1] = time_s


def _large_regions(wanted: NDArray[np.bool_], face_wh: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The cells of connected regions that are large enough for a face.

    Args:
        wanted: `(rows, columns)`, the cells that should be searched.
        face_wh: how many cells the smallest face is wide and high.
    """
    _, labels, found, _ = cv2.connectedComponentsWithStats(wanted.astype(np.uint8), connectivity=8)
    wide, high = (found[:, 2:4] >= np.where(face_wh >= _SURE_FACE_CELLS, _FACE_CELLS, 1)).T
    large = wide & high
    large[0] = False  # the component of all other cells
    return large[labels]


def _boxes(cells: NDArray[np.bool_], margin_wh: NDArray[np.float64]) -> NDArray[np.float32]:
    """The bounding boxes of regions of cells and what surrounds them, `(n, 4)`, in cells.

    Regions whose surroundings touch become one; where the boxes are many, or together larger than
    the picture, one box holds all.
    """
    across, down = (2 * np.ceil(margin_wh).astype(int) + 1).tolist()
    kernel = np.ones((min(down, 2 * len(cells)), min(across, 2 * cells.shape[1])), dtype=np.uint8)
    wider = cv2.dilate(cells.astype(np.uint8), kernel)
    _, _, found, _ = cv2.connectedComponentsWithStats(wider, connectivity=8)
    corners, sizes = found[1:, :2], found[1:, 2:4]
    boxes = np.concatenate([corners, corners + sizes], axis=1).astype(np.float32)
    if len(boxes) > _MAX_REGIONS or sizes.prod(axis=1).sum() > cells.size:
        boxes = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])[None]
    return boxes
