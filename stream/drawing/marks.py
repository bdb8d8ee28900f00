"""Marks, the drawing's primitives: filled rectangles, and tiles of white text on a dark ground."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image

Colour: TypeAlias = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""

WHITE = (255, 255, 255)
"""The colour of text."""

BLACK = (0, 0, 0)
"""The colour of the ground of a tile."""

UNIT_GAIN = 255
"""Gain of a tile where it leaves the picture as it is."""


class Box(NamedTuple):
    """Whole pixels, right and bottom exclusive; a tuple, for many are made for each picture."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Its width, px."""
        return self.right - self.left

    @property
    def area(self) -> int:
        """How many pixels it has."""
        return (self.right - self.left) * (self.bottom - self.top)

    @property
    def halved_out(self) -> "Box":
        """The pixels at half the resolution that the box touches."""
        left, top, right, bottom = self
        return Box(left // 2, top // 2, (right + 1) // 2, (bottom + 1) // 2)

    @property
    def halved_in(self) -> "Box":
        """The pixels at half the resolution that the box covers whole."""
        left, top, right, bottom = self
        return Box((left + 1) // 2, (top + 1) // 2, right // 2, bottom // 2)

    def grown(self, margin: int) -> "Box":
        """The box with so much more at each side, px."""
        left, top, right, bottom = self
        return Box(left - margin, top - margin, right + margin, bottom + margin)


EMPTY_BOX = Box(0, 0, 0, 0)
"""A box without pixels."""


def overlap_px(box: Box, others: Iterable[Box]) -> int:
    """The pixels that a box shares with each of the others, added up. So few are compared that
    NumPy's arrays would be slower."""
    left, top, right, bottom = box
    overlap = 0
    for other_left, other_top, other_right, other_bottom in others:
        if other_left < right and other_right > left and other_top < bottom and other_bottom > top:
            width = min(right, other_right) - max(left, other_left)
            overlap += width * (min(bottom, other_bottom) - max(top, other_top))
    return overlap


def touches(box: Box, others: Iterable[Box]) -> bool:
    """Whether a box shares a pixel with any of the others."""
    left, top, right, bottom = box
    for other_left, other_top, other_right, other_bottom in others:
        if other_left < right and other_right > left and other_top < bottom and other_bottom > top:
            return True
    return False


def enclosing(boxes: Iterable[Box]) -> Box:
    """The smallest box around all of these; empty where there are none."""
    edges = list(zip(*boxes, strict=True))
    if not edges:
        return EMPTY_BOX
    lefts, tops, rights, bottoms = edges
    return Box(min(lefts), min(tops), max(rights), max(bottoms))


@dataclass(frozen=True, slots=True)
class Fill:
    """A rectangle of one colour, except for a hole in it.

    Attributes:
        box: the rectangle.
        colour: of every pixel that is filled.
        hole: stays as it is; inside the rectangle, or empty.
    """

    box: Box
    colour: Colour
    hole: Box = EMPTY_BOX

    def draw(self, picture: Image) -> None:
        """Fills the rectangle on a picture; what lies outside is left out."""
        fill_rectangle(picture, self.box, self.hole, self.colour)


@dataclass(frozen=True, slots=True, eq=False)
class TextTile:
    """What white text on a dark, translucent ground does to the pixels under it: the gain and the
    offset of each. One tile may be placed many times.

    Attributes:
        gain: `(height, width)` uint8, how much of the picture is kept; `UNIT_GAIN` is all.
        offset: `(height, width)` uint8, how much white is added.
    """

    gain: NDArray[np.uint8]
    offset: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PlacedTile:
    """A tile at a place of a picture: `left` and `top` are its corner, px."""

    left: int
    top: int
    tile: TextTile

    def draw(self, picture: Image) -> None:
        """Blends the tile with a picture; what lies outside is left out."""
        gain, offset = (
            cv2.cvtColor(each, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
            for each in (self.tile.gain, self.tile.offset)
        )
        blend(picture, self.left, self.top, gain, offset)


Mark: TypeAlias = Fill | PlacedTile


def fill_rectangle(pixels: Image, box: Box, hole: Box, value: int | Colour) -> None:
    """Sets the pixels of a box that are not in a hole in it; what lies outside is left out.

    Args:
        pixels: the picture, or one plane of it; changed in place.
        box: the rectangle, px.
        hole: inside the box, or empty.
        value: of each pixel.
    """
    if box.left < 0 or box.top < 0:
        box, hole = _clipped(box), _clipped(hole)
    left, top, right, bottom = box
    hole_left, hole_top, hole_right, hole_bottom = hole
    if hole_left >= hole_right or hole_top >= hole_bottom:
        pixels[top:bottom, left:right] = value
        return
    pixels[top:hole_top, left:right] = value
    pixels[hole_bottom:bottom, left:right] = value
    pixels[hole_top:hole_bottom, left:hole_left] = value
    pixels[hole_top:hole_bottom, hole_right:right] = value


def blend(
    pixels: NDArray[np.uint8],
    left: int,
    top: int,
    gain: NDArray[np.uint8],
    offset: NDArray[np.uint8],
) -> None:
    """Multiplies pixels by a gain and adds an offset; what lies outside is left out.

    Args:
        pixels: the picture, or one plane of it; changed in place.
        left: the first column that the gain and the offset apply to.
        top: the first row.
        gain: uint8, how much of each pixel is kept; `UNIT_GAIN` is all.
        offset: uint8, what is added to each pixel.
    """
    (rows, columns), (height, width) = pixels.shape[:2], gain.shape[:2]
    right, bottom = left + width, top + height
    if left < 0 or top < 0 or right > columns or bottom > rows:
        inside = np.s_[max(-top, 0) : max(rows - top, 0), max(-left, 0) : max(columns - left, 0)]
        gain, offset = gain[inside], offset[inside]
    region = pixels[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if region.size:
        cv2.multiply(region, gain, region, 1 / UNIT_GAIN)
        cv2.add(region, offset, region)


def _clipped(box: Box) -> Box:
    """The box without what is before the first row or column; arrays end at their last."""
    return Box(*(max(edge, 0) for edge in box))
