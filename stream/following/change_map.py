"""Where the picture has changed since it was last searched: only there somebody may be new.

Where the head of somebody who is known has been meanwhile, a change is no news yet: that place is
searched when the head has stayed away from it for a whole turn, and now and then all the same, for
somebody may have come up beside it. What has not changed looks to the detector as it did, so it is
searched again rarely: for those who came in the dark, with less of a change than is noticed.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import sizes_wh
from stream.following.schedule import SearchPart
from stream.frames import Frame

_CELLS_WH, _FINENESS = (64, 36), 8  # and how many pixels are picked for each, either way
_MIN_CHANGE = 5  # of 255, the mean of a cell: noise of a camera in poor light stays under it
_FACE_CELLS, _SURE_CELLS = 2, 2.5  # so many change at least, of so many that a face covers
_MOST_ISLANDS = 16  # places that changed; more are searched as one
_HEAD = 0.7  # of its width, how far around a face's box its head moves with it
_HEADS_TRUSTED_S = 8.0  # after so long a part is searched where heads move,
_TRUSTED_S = 24.0  # and after so long where nothing seems to

_Cells = NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class _Searched:
    """How the picture looked where it was last searched.

    Attributes:
        cells: how bright each was.
        coarseness: of the search, see `Share`.
        last_s: when that was.
        heads_s: when changes around heads were last searched too.
        whole_s: when all of it was.
    """

    cells: _Cells
    coarseness: float
    last_s: float
    heads_s: float
    whole_s: float


class ChangeMap:
    """Remembers, for each part of a search, how the picture looked when it was made."""

    def __init__(self) -> None:
        self._parts: list[_Searched] = []
        self._covered_s = np.full(_CELLS_WH[::-1], -np.inf)  # when a head was last in each cell

    def __repr__(self) -> str:
        return f"Motion({len(self._parts)} parts)"

    def regions(
        self,
        frame: Frame,
        share: SearchPart,
        known_xyxy: NDArray[np.float32],
        lost_xyxy: NDArray[np.float32],
        face_px: float,
    ) -> NDArray[np.float32]:
        """Where that share of the search must be made, `(n, 4)` xyxy px.

        It is taken to be made there.

        Args:
            frame: the picture.
            share: what is searched.
            known_xyxy: `(n, 4)` px, the faces that are in sight.
            lost_xyxy: `(m, 4)` px, where faces that are not may be.
            face_px: width of the smallest face that is looked for, in px of the picture.
        """
        cells = frame.grey(_CELLS_WH, _FINENESS).astype(np.int16)
        time_s, everything = frame.time_s, np.array([0, 0, *frame.size_wh], dtype=np.float32)
        if time_s < self._covered_s.max():
            self._covered_s[:] = -np.inf  # the clock was set back
        self._cover(known_xyxy, everything[2:], time_s)
        self._cover(lost_xyxy, everything[2:], -np.inf)
        if share.parts != len(self._parts):
            self._divide(share, cells, time_s)
        last = self._parts[share.part]
        is_trusted = (
            share.coarseness <= last.coarseness and 0 <= time_s - last.whole_s <= _TRUSTED_S
        )
        if share.parts == 1 or not is_trusted:
            self._parts[share.part] = _Searched(cells, share.coarseness, time_s, time_s, time_s)
            return everything[None]
        changed, heads_s = np.abs(cells - last.cells) > _MIN_CHANGE, last.heads_s
        if time_s - heads_s > _HEADS_TRUSTED_S:
            heads_s = time_s
        else:
            changed &= self._covered_s < last.last_s
        cell_wh = everything[2:] / _CELLS_WH
        islands, searched = _islands(changed, face_px / cell_wh)
        # What changes so slowly, or in so small a place, that it is no face must not be forgotten
        # meanwhile: more of it may come.
        kept = np.where(searched, cells, last.cells)
        self._parts[share.part] = _Searched(kept, last.coarseness, time_s, heads_s, last.whole_s)
        return islands * np.tile(cell_wh, 2)

    def _divide(self, share: SearchPart, cells: _Cells, time_s: float) -> None:
        """Remembers so many parts from now on; what was searched at once was so in each of them."""
        parts = share.parts
        if len(self._parts) != 1:
            never = _Searched(cells, share.coarseness, time_s, -np.inf, -np.inf)
            self._parts = [never] * parts
            return
        (last,) = self._parts
        # Not all of them in one go: one after another their trust ends.
        spent = [1 - (part + 1) / parts for part in range(parts)]
        self._parts = [
            replace(
                last,
                heads_s=last.heads_s - each * _HEADS_TRUSTED_S,
                whole_s=last.whole_s - each * _TRUSTED_S,
            )
            for each in spent
        ]

    def _cover(
        self, faces_xyxy: NDArray[np.float32], size_wh: NDArray[np.float32], time_s: float
    ) -> None:
        """Notes when heads were there: in the boxes of their faces and a margin."""
        margin = np.float32(_HEAD) * sizes_wh(faces_xyxy)[:, [0, 0]]
        edges = np.concatenate([faces_xyxy[:, :2] - margin, faces_xyxy[:, 2:] + margin], axis=1)
        cells = (edges / np.tile(size_wh / _CELLS_WH, 2)).clip(0).astype(int)
        for left, top, right, bottom in cells.tolist():
            self._covered_s[top : bottom + 1, left : right + 1] = time_s


def _islands(
    changed: NDArray[np.bool_], face_wh: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """What changed and touches, where it may be a new face: the boxes around, and the cells.

    Args:
        changed: `(rows, columns)`, the cells that did.
        face_wh: how many cells the smallest face is wide and high.

    Returns:
        Boxes `(n, 4)`, cells, and `(rows, columns)`, those of `changed` that lie in one of them.
    """
    _, labels, found, _ = cv2.connectedComponentsWithStats(changed.astype(np.uint8), connectivity=8)
    corners, sizes_wh = found[:, :2], found[:, 2:4]
    wide, high = (sizes_wh >= np.where(face_wh >= _SURE_CELLS, _FACE_CELLS, 1)).T
    large = wide & high
    large[0] = False  # all that did not change
    boxes = np.concatenate([corners, corners + sizes_wh], axis=1)[large].astype(np.float32)
    if len(boxes) > _MOST_ISLANDS:  # rain, grain, leaves in the wind
        boxes = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])[None]
    return boxes, large[labels]
