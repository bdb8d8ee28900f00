"""An image pyramid on one canvas: a picture at many scales, laid out as dlib lays it out.

The network then searches all scales in one call. Its window has one size, so a face of any size is
found on the level where it fills the window. The layout is that of dlib's
`create_tiled_pyramid<pyramid_down<6>>`, down to the pixel, because the boxes follow from it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image

LEVEL_RATIO = Fraction(5, 6)
"""Size of each level relative to the one before it; dlib's. A face is then seen at a size within a
tenth of the window's."""

BORDER_PX = 11
"""Background around the levels, px; dlib's."""

BACKGROUND_BGR = (104.298, 117.001, 122.782)
"""What lies outside the picture: the mean colour, which the network sees as 0; dlib's."""

_GAP_PX = 10
"""Background between neighbouring levels, px; dlib's."""

_LEVEL_OFFSET_PX = 0.3
"""Where the first pixel of a level lies in the level before it, px; dlib's."""

_MIN_ROWS = 5
"""Height of the smallest level, px; dlib's."""

_ALL_LEVELS = 1000
"""More levels than any picture has."""


@dataclass(frozen=True, slots=True)
class Level:
    """One scale of the picture and its place on the canvas, in px.

    A pixel p of the level lies at `scale * p + offset` in the picture.
    """

    x: int
    y: int
    width: int
    height: int
    scale: float
    offset: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A canvas and the levels on it, largest first."""

    width: int
    height: int
    levels: tuple[Level, ...]

    def paint(self, picture: Image, canvas: NDArray[np.float32]) -> None:
        """Draws all levels of `picture` and their background onto `(3, height, width)` planes.

        Each level is made from the one before by bilinear resizing, without rounding to whole
        values between them: that would find and lose other faces than dlib where it is unsure.
        """
        canvas[:] = np.array(BACKGROUND_BGR, dtype=np.float32)[:, None, None]
        first, *smaller = (
            canvas[:, each.y : each.y + each.height, each.x : each.x + each.width]
            for each in self.levels
        )
        first[:] = picture.transpose(2, 0, 1)
        for source, target in pairwise([first, *smaller]):
            for source_plane, target_plane in zip(source, target, strict=True):
                _resize_aligned(source_plane, target_plane)

    def to_picture(self, centres_xy: NDArray[np.float32], half_size: float) -> NDArray[np.float32]:
        """Windows of one size around points of the canvas, `(n, 2)`, as boxes in the picture.

        A window belongs to the level nearest its centre.

        Returns:
            `(n, 4)` float32.
        """
        table = np.array(
            [(*_edges(level), level.scale, level.offset) for level in self.levels], dtype=np.float32
        )
        nearest = _nearest(centres_xy, table[:, :4])
        origin, scale, offset = table[nearest, :2], table[nearest, 4:5], table[nearest, 5:6]
        local = centres_xy - origin
        first, last = local - half_size, local + half_size  # pixels, inclusive
        boxes: NDArray[np.float32] = np.concatenate(
            [first * scale + offset, last * scale + offset + 1], axis=1
        )
        return boxes


@lru_cache(maxsize=64)
def tiled_layout(width: int, height: int, max_levels: int = _ALL_LEVELS) -> Layout:
    """dlib's canvas for a picture of that size, with at most so many levels."""
    sizes = list(_level_sizes(width, height))[:max_levels]
    column = _first_column(sizes)
    column_height = sum(h + _GAP_PX for _, h in sizes[:column]) - _GAP_PX
    places: list[tuple[int, int]] = []
    y = 0
    for _, h in sizes[:column]:
        places.append((0, y))
        y += h + _GAP_PX
    bottom = column_height
    for w, h in sizes[column:]:
        if bottom - h < height:  # it would touch the largest level
            break
        places.append((width - w, bottom - h))
        bottom -= h + _GAP_PX
    levels: list[Level] = []
    scale, offset, enlarged = 1.0, 0.0, float(1 / LEVEL_RATIO)
    for (x, y), (w, h) in zip(places, sizes, strict=False):
        levels.append(Level(x + BORDER_PX, y + BORDER_PX, w, h, scale, offset))
        scale, offset = scale * enlarged, scale * _LEVEL_OFFSET_PX + offset
    return Layout(width + 2 * BORDER_PX, column_height + 2 * BORDER_PX, tuple(levels))


def _level_sizes(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Width and height of every level, largest first, px."""
    yield width, height
    while True:
        width, height = math.floor(width * LEVEL_RATIO), math.floor(height * LEVEL_RATIO)
        if height < _MIN_ROWS or width < 1:
            return
        yield width, height


def _first_column(sizes: list[tuple[int, int]]) -> int:
    """How many levels stand below one another at the left."""
    full_width, full_height = sizes[0]
    total = sum(height + _GAP_PX for _, height in sizes) - 2 * _GAP_PX
    so_far = previous_width = 0
    for index, (width, height) in enumerate(sizes):
        fits_beside = width <= full_width - previous_width - _GAP_PX
        if fits_beside and (so_far - full_height) * 2 >= total - full_height:
            return index
        so_far += height + _GAP_PX
        previous_width = width
    return len(sizes)


def _resize_aligned(source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
    """Fills `target` bilinearly, the centres of the corner pixels mapped onto each other."""
    (rows, columns), (height, width) = source.shape, target.shape
    matrix = np.array(
        [[(columns - 1) / max(width - 1, 1), 0, 0], [0, (rows - 1) / max(height - 1, 1), 0]]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cv2.warpAffine(
        source, matrix, (width, height), target, flags=flags, borderMode=cv2.BORDER_REPLICATE
    )


def _edges(level: Level) -> tuple[int, int, int, int]:
    """Left, top, right and bottom pixel of a level on the canvas, inclusive."""
    return level.x, level.y, level.x + level.width - 1, level.y + level.height - 1


def _nearest(points_xy: NDArray[np.float32], rectangles: NDArray[np.float32]) -> NDArray[np.intp]:
    """For each point the rectangle, of `(m, 4)` inclusive edges, that is nearest to it."""
    points = points_xy[:, None]
    outside = np.maximum(rectangles[:, :2] - points, points - rectangles[:, 2:]).clip(0)
    return np.square(outside).sum(axis=-1).argmin(axis=1)
