"""Faces as H.264 shows them, coded at the size that they have in the video.

Faces of any sizes are laid out on one picture, a mosaic, which moves a little from frame to frame,
for faces in a video do: what the last frame shows was predicted from those before it.
"""

import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from models.faces import Image
from models.pictures.h264 import coded_as_h264

_FPS = 25.0
"""Frames a second of the video; x264 spends a little more on each frame where there are fewer."""

_FRAMES = 4
"""Frames that are coded; the last one is taken. More bring the quality nearer to that in the middle
of a video, and take longer."""

_DRIFT_PX = (1.5, 0.75)
"""How far the picture moves from a frame to the next, to the right and down, px; further means less
is predicted from the frame before."""

_BLOCK_PX = 16
"""Side of a macroblock, px: faces are so far apart that none shares one."""

_MOSAIC_WIDTH_PX = 512
"""Width of the mosaic at least, px."""


def code_h264(chips: Sequence[Image], crf: int) -> list[Image]:
    """Square chips of any sizes, each of the same size, as a video of that rate factor shows them.

    The last of a few frames is taken; it lies on the pixels that were given.

    Args:
        chips: each `(side, side, 3)` uint8 BGR.
        crf: the constant rate factor: 18 looks like the original, 28 is ordinary, 36 is coarse.
    """
    if not chips:
        return []
    places, size_wh = _places([len(chip) for chip in chips])
    mosaic = np.full((size_wh[1], size_wh[0], 3), 128, dtype=np.uint8)
    for chip, (left, top) in zip(chips, places, strict=True):
        border = _border(len(chip))
        framed = cv2.copyMakeBorder(chip, *border, *border, cv2.BORDER_REPLICATE)
        mosaic[top : top + len(framed), left : left + len(framed)] = framed
    coded = _last_frame(mosaic, crf)
    shown = []
    for chip, (left, top) in zip(chips, places, strict=True):
        before, side = _border(len(chip))[0], len(chip)
        row, column = top + before, left + before
        shown.append(coded[row : row + side, column : column + side].copy())
    return shown


def _border(side: int) -> tuple[int, int]:
    """Pixels before and after a chip in its cell, whose side is a multiple of a macroblock's."""
    free = -side % _BLOCK_PX + _BLOCK_PX
    return free // 2, free - free // 2


def _places(sides: Sequence[int]) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Left and top of each cell, in rows of falling height, and the size of the mosaic, px."""
    cells = [side + sum(_border(side)) for side in sides]
    # A square at most, for a video of many faces may not be higher than x264 allows.
    width = max(_MOSAIC_WIDTH_PX, *cells, math.isqrt(sum(cell * cell for cell in cells)))
    width += -width % _BLOCK_PX
    places = [(0, 0)] * len(sides)
    left, top, height = 0, 0, 0
    for number in sorted(range(len(cells)), key=lambda each: -cells[each]):
        if left + cells[number] > width or not height:
            left, top, height = 0, top + height, cells[number]
        places[number] = (left, top)
        left += cells[number]
    return places, (width, top + height)


def _last_frame(mosaic: Image, crf: int) -> Image:
    """The mosaic as the last of the frames shows it, `(height, width, 3)` BGR."""
    size_wh = mosaic.shape[1], mosaic.shape[0]
    *_, last = coded_as_h264(_moving(mosaic), crf, size_wh, _FPS)
    return last


def _moving(mosaic: Image) -> Iterator[Image]:
    """The frames, which drift to where the mosaic lies as it was given."""
    size_wh = mosaic.shape[1], mosaic.shape[0]
    for left in range(_FRAMES - 1, -1, -1):
        x, y = (-left * each for each in _DRIFT_PX)
        matrix = np.array([[1, 0, x], [0, 1, y]], dtype=np.float32)
        moved = cv2.warpAffine(mosaic, matrix, size_wh, borderMode=cv2.BORDER_REPLICATE)
        yield moved.astype(np.uint8, copy=False)
