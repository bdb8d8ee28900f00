"""Where the picture has changed since it was last searched: only there somebody may be new."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from stream.schedule import Share

_SAMPLE_WH = (512, 288)  # taken pixel by pixel, then averaged: the cost of a frame's size goes
_CELLS_WH = (64, 36)
_MIN_CHANGE = 5  # of 255, the mean of a cell: noise of a camera in poor light stays under it
_TRUSTED_S = 4.0  # after so long what seems unchanged is searched all the same

_Cells = NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class _Searched:
    """How the picture looked where it was last searched, and when all of it was."""

    cells: _Cells
    whole_s: float


class Motion:
    """Remembers, for each part of a search, how the picture looked when it was made."""

    def __init__(self) -> None:
        self._parts: list[_Searched] = []

    def __repr__(self) -> str:
        return f"Motion({len(self._parts)} parts)"

    def region(self, image: Image, time_s: float, share: Share) -> NDArray[np.float32] | None:
        """Where that share of the search must be made, `(4,)` xyxy px; None if nowhere.

        It is taken to be made there.
        """
        cells, everything = _cells(image), np.array([0, 0, *image.shape[1::-1]], dtype=np.float32)
        if share.parts != len(self._parts):
            # What was searched at once was searched in each of its parts.
            known = self._parts if len(self._parts) == 1 else [_Searched(cells, -np.inf)]
            self._parts = known * share.parts
        last = self._parts[share.part]
        if share.parts == 1 or not 0 <= time_s - last.whole_s <= _TRUSTED_S:
            self._parts[share.part] = _Searched(cells, time_s)
            return everything
        changed = np.abs(cells - last.cells).max(axis=2) > _MIN_CHANGE
        rows, columns = np.nonzero(changed)
        if not len(rows):
            return None
        # What changes so slowly that it is not seen must not be forgotten meanwhile.
        kept = np.where(changed[..., None], cells, last.cells)
        self._parts[share.part] = _Searched(kept, last.whole_s)
        corners = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return (np.array(corners) * everything[[2, 3, 2, 3]] / (*_CELLS_WH, *_CELLS_WH)).astype(
            np.float32
        )


def _cells(image: Image) -> _Cells:
    sample = cv2.resize(image, _SAMPLE_WH, interpolation=cv2.INTER_NEAREST)
    return cv2.resize(sample, _CELLS_WH, interpolation=cv2.INTER_AREA).astype(np.int16)
