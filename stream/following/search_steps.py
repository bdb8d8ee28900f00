"""The search of a live source in steps: a little in each frame, so that no frame is late."""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.faces import sizes_wh

_STEP_PX = 60_000
"""Pixels that one step searches, at the scale of the search; more finds new faces sooner and makes
frames later. CenterFace takes 7 ms for them on two cores."""

_OVERLAP_FACES = 1.5
"""How far neighbouring steps overlap, in widths of the smallest face that is searched for; less
cuts more faces, more costs more."""


@dataclass(frozen=True, slots=True, eq=False)
class SearchStep:
    """What is searched in one frame.

    Attributes:
        regions_xyxy: `(n, 4)` px, the parts of the picture.
        scale_factor: by what the scale of the search is multiplied, at most 1.
    """

    regions_xyxy: NDArray[np.float32]
    scale_factor: float = 1.0


class SearchSteps:
    """The steps that are left of a search."""

    def __init__(self) -> None:
        self._steps: deque[SearchStep] = deque()

    def __repr__(self) -> str:
        return f"SearchSteps({len(self._steps)} left)"

    def __bool__(self) -> bool:
        return bool(self._steps)

    def clear(self) -> None:
        """Forgets what is left: the picture is another one now."""
        self._steps.clear()

    def divide(self, regions_xyxy: NDArray[np.float32], scale: float, face_px: float) -> None:
        """Divides the search of regions into steps.

        1. Small regions are searched as they are, each in a step.
        2. A larger one is searched coarsely first, for large faces, then tile by tile.

        Args:
            regions_xyxy: `(n, 4)` px.
            scale: of the search.
            face_px: width of the smallest face that is searched for, px.
        """
        for region in regions_xyxy:
            width, height = sizes_wh(region[None])[0].tolist()
            factor = math.sqrt(_STEP_PX / max(width * height, 1)) / scale
            if factor >= 1:
                self._steps.append(SearchStep(region[None]))
                continue
            self._steps.append(SearchStep(region[None], factor))
            side_px = math.sqrt(_STEP_PX) / scale
            tiles = _tiles(region, side_px, _OVERLAP_FACES * face_px)
            self._steps.extend(SearchStep(each[None]) for each in tiles)

    def take(self) -> SearchStep:
        """The next step, at least one being left."""
        return self._steps.popleft()


def _tiles(
    region_xyxy: NDArray[np.float32], side_px: float, overlap_px: float
) -> Iterator[NDArray[np.float32]]:
    """Parts of a region, `(4,)` px, that overlap; each has about `side_px` squared pixels."""
    left, top, right, bottom = region_xyxy.tolist()
    columns, rows = math.ceil((right - left) / side_px), math.ceil((bottom - top) / side_px)
    half = overlap_px / 2
    for row in range(rows):
        for column in range(columns):
            x, y = (right - left) / columns, (bottom - top) / rows
            edges = [
                max(left + column * x - half, left),
                max(top + row * y - half, top),
                min(left + (column + 1) * x + half, right),
                min(top + (row + 1) * y + half, bottom),
            ]
            yield np.array(edges, dtype=np.float32)
