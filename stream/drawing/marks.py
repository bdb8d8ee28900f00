"""What is put on pictures: rectangles of one colour, and dark panes with white writing."""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image

Colour: TypeAlias = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
CLEAR = 255
"""What a pane lets through where it hides nothing."""


class Box(NamedTuple):
    """Whole pixels, right and bottom exclusive; a tuple, for many are made for each picture."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def halved(self) -> "Box":
        """All it touches at half the resolution."""
        left, top, right, bottom = self
        return Box(left // 2, top // 2, (right + 1) // 2, (bottom + 1) // 2)

    @property
    def halved_inwards(self) -> "Box":
        """What it covers whole at half the resolution."""
        left, top, right, bottom = self
        return Box((left + 1) // 2, (top + 1) // 2, right // 2, bottom // 2)

    def grown(self, margin: int) -> "Box":
        """With so much more at each side."""
        left, top, right, bottom = self
        return Box(left - margin, top - margin, right + margin, bottom + margin)


NOWHERE = Box(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Fill:
    """A rectangle of one colour, but for a hole in it.

    Attributes:
        box: the rectangle.
        colour: all of it has.
        hole: stays as it is; inside the rectangle, or empty.
    """

    box: Box
    colour: Colour
    hole: Box = NOWHERE

    def draw(self, picture: Image) -> None:
        """Puts it on a picture; what lies outside is left out."""
        pour(picture, self.box, self.hole, self.colour)


@dataclass(frozen=True, slots=True, eq=False)
class Pane:
    """What darkens a picture and adds white to it; the same one may lie in many places.

    Attributes:
        gain: `(height, width)` uint8, how much of the picture is seen through it; `CLEAR` is all.
        white: `(height, width)` uint8, how much is added.
    """

    gain: NDArray[np.uint8]
    white: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Stamp:
    """A pane in one place: `left` and `top` are its corner, px."""

    left: int
    top: int
    pane: Pane

    def draw(self, picture: Image) -> None:
        """Puts it on a picture; what lies outside is left out."""
        gain, white = (
            cv2.cvtColor(each, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
            for each in (self.pane.gain, self.pane.white)
        )
        press(picture, self.left, self.top, gain, white)


Mark: TypeAlias = Fill | Stamp


def pour(pixels: Image, box: Box, hole: Box, value: int | Colour) -> None:
    """Gives a value to what lies in a box and not in a hole in it; what lies outside is left out.

    Args:
        pixels: the picture, or one plane of it; changed in place.
        box: where.
        hole: inside the box, or empty.
        value: of each pixel.
    """
    if box.left < 0 or box.top < 0:
        box, hole = _clipped(box), _clipped(hole)
    left, top, right, bottom = box
    first, upper, last, lower = hole
    if first >= last or upper >= lower:
        pixels[top:bottom, left:right] = value
        return
    pixels[top:upper, left:right] = value
    pixels[lower:bottom, left:right] = value
    pixels[upper:lower, left:first] = value
    pixels[upper:lower, last:right] = value


def press(
    pixels: NDArray[np.uint8],
    left: int,
    top: int,
    gain: NDArray[np.uint8],
    light: NDArray[np.uint8],
) -> None:
    """Scales pixels and adds to them, where a pane lies; what lies outside is left out.

    Args:
        pixels: the picture, or one plane of it; changed in place.
        left: where the pane begins, px.
        top: likewise.
        gain: uint8, what is kept of each pixel of the pane, as `Pane.gain`.
        light: uint8, what is added.
    """
    (high, wide), (height, width) = pixels.shape[:2], gain.shape[:2]
    right, bottom = left + width, top + height
    if left < 0 or top < 0 or right > wide or bottom > high:
        part = np.s_[max(-top, 0) : max(high - top, 0), max(-left, 0) : max(wide - left, 0)]
        gain, light = gain[part], light[part]
    region = pixels[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if region.size:
        cv2.multiply(region, gain, region, 1 / CLEAR)
        cv2.add(region, light, region)


def _clipped(box: Box) -> Box:
    """Without what is before the first row or column; arrays themselves end at their last."""
    return Box(*(max(edge, 0) for edge in box))
