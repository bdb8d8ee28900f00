"""Where a picture has changed since it was last searched: only there can a new face be.

1. A region that has not changed looks to the detector as it did: it is searched again rarely, for
   faces that appeared in the dark, where the change was under the threshold.
2. A change around the head of a face that is followed is no news: it is searched once the head has
   stayed away for a whole round of the search, and now and then all the same, for another face may
   have come up beside it.
3. Any other changed region is searched, if it is large enough for a face.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import sizes_wh
from stream.following.schedule import SearchPart
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

_MAX_REGIONS = 16
"""Changed regions that are searched one by one; more (rain, grain) are searched as one."""

_HEAD_MARGIN = 0.7
"""How far around a face's box its head moves with it, in face widths."""

_HEADS_TRUSTED_S = 8.0
"""Time after which changes around heads are searched too, s; longer costs less and finds later."""

_TRUSTED_S = 24.0
"""Time after which all is searched, changed or not, s; longer costs less and finds later."""

_Cells = NDArray[np.int16]
"""Luminance of the cells, `(rows, columns)`, signed so that differences fit."""


@dataclass(frozen=True, slots=True, eq=False)
class _Searched:
    """How the picture looked when one part of the search was last made.

    Attributes:
        cells: `(rows, columns)`, luminance.
        scale: of the search, see `SearchPart`.
        last_s: when it was made.
        heads_s: when changes around heads were last included.
        whole_s: when all of the picture was.
    """

    cells: _Cells
    scale: float
    last_s: float
    heads_s: float
    whole_s: float


class ChangeMap:
    """Remembers, for each part of a search, how the picture looked when it was made."""

    def __init__(self) -> None:
        self._parts: list[_Searched] = []
        self._head_s = np.full(_CELLS_WH[::-1], -np.inf)  # when a head was last in each cell

    def __repr__(self) -> str:
        return f"ChangeMap({len(self._parts)} parts)"

    def take_regions(
        self,
        frame: Frame,
        part: SearchPart,
        visible_xyxy: NDArray[np.float32],
        lost_xyxy: NDArray[np.float32],
        face_px: float,
    ) -> NDArray[np.float32]:
        """Where a part of the search must be made, `(n, 4)` xyxy px; it then counts as made.

        Args:
            frame: the picture.
            part: what is searched.
            visible_xyxy: `(n, 4)` px, the faces that are followed.
            lost_xyxy: `(m, 4)` px, where lost faces may be.
            face_px: width of the smallest face that is searched for, px of the picture.
        """
        cells = frame.luminance(_CELLS_WH, _SAMPLES).astype(np.int16)
        time_s, everything = frame.time_s, np.array([0, 0, *frame.size_wh], dtype=np.float32)
        if time_s < self._head_s.max():
            self._head_s[:] = -np.inf  # the clock was set back
        self._mark_heads(visible_xyxy, everything[2:], time_s)
        self._mark_heads(lost_xyxy, everything[2:], -np.inf)
        if part.count != len(self._parts):
            self._divide(part, cells, time_s)
        last = self._parts[part.index]
        is_trusted = part.scale_factor <= last.scale and 0 <= time_s - last.whole_s <= _TRUSTED_S
        if part.is_whole or not is_trusted:
            self._parts[part.index] = _Searched(cells, part.scale_factor, time_s, time_s, time_s)
            return everything[None]
        changed, heads_s = np.abs(cells - last.cells) > _MIN_CHANGE, last.heads_s
        if time_s - heads_s > _HEADS_TRUSTED_S:
            heads_s = time_s
        else:
            changed &= self._head_s < last.last_s
        cell_wh = everything[2:] / _CELLS_WH
        regions, searched = _changed_regions(changed, face_px / cell_wh)
        # A change too slow or too small for a face must not be forgotten: more of it may come.
        kept = np.where(searched, cells, last.cells)
        self._parts[part.index] = _Searched(kept, last.scale, time_s, heads_s, last.whole_s)
        return regions * np.tile(cell_wh, 2)

    def _divide(self, part: SearchPart, cells: _Cells, time_s: float) -> None:
        """Divides the search anew; what was searched in one piece was searched in each part."""
        parts = part.count
        if len(self._parts) != 1:
            never = _Searched(cells, part.scale_factor, time_s, -np.inf, -np.inf)
            self._parts = [never] * parts
            return
        (last,) = self._parts
        # The parts stop being trusted one after another, not all at once.
        spent = [1 - (number + 1) / parts for number in range(parts)]
        self._parts = [
            replace(
                last,
                heads_s=last.heads_s - each * _HEADS_TRUSTED_S,
                whole_s=last.whole_s - each * _TRUSTED_S,
            )
            for each in spent
        ]

    def _mark_heads(
        self, faces_xyxy: NDArray[np.float32], size_wh: NDArray[np.float32], time_s: float
    ) -> None:
        """Notes when heads were in the cells of their faces' boxes and a margin around them."""
        margin = np.float32(_HEAD_MARGIN) * sizes_wh(faces_xyxy)[:, [0, 0]]
        edges = np.concatenate([faces_xyxy[:, :2] - margin, faces_xyxy[:, 2:] + margin], axis=1)
        cells = (edges / np.tile(size_wh / _CELLS_WH, 2)).clip(0).astype(int)
        for left, top, right, bottom in cells.tolist():
            self._head_s[top : bottom + 1, left : right + 1] = time_s


def _changed_regions(
    changed: NDArray[np.bool_], face_wh: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The connected regions of changed cells that are large enough for a face.

    Args:
        changed: `(rows, columns)`, the cells that changed.
        face_wh: how many cells the smallest face is wide and high.

    Returns:
        Their boxes `(n, 4)`, in cells, and `(rows, columns)`, the cells that belong to one.
    """
    _, labels, found, _ = cv2.connectedComponentsWithStats(changed.astype(np.uint8), connectivity=8)
    corners, sizes_wh = found[:, :2], found[:, 2:4]
    wide, high = (sizes_wh >= np.where(face_wh >= _SURE_FACE_CELLS, _FACE_CELLS, 1)).T
    large = wide & high
    large[0] = False  # the component of all cells that did not change
    boxes = np.concatenate([corners, corners + sizes_wh], axis=1)[large].astype(np.float32)
    if len(boxes) > _MAX_REGIONS:
        boxes = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])[None]
    return boxes, large[labels]
