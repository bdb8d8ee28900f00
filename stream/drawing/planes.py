"""Pictures as codecs have them: luma, and chroma at half the resolution, 8 bits each (4:2:0).

Codes of colours are those of ITU-T H.273, which FFmpeg uses too.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from stream.coded import (
    FULL_RANGE,
    NARROW_BLACK,
    NARROW_CHROMA_STEPS,
    NARROW_LUMA_STEPS,
    NEUTRAL_CHROMA,
    RED_AND_BLUE_WEIGHTS,
    Colours,
    plane_pixels,
)
from stream.drawing.marks import (
    BLACK,
    CLEAR,
    WHITE,
    Box,
    Colour,
    Fill,
    Mark,
    Pane,
    Stamp,
    pour,
    press,
)

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_OPENCV_STEPS, _MIDDLE = 1024, 127.5  # its weights are rounded so; greys of 0 to 255 lose by it
_KEPT = 128  # of panes and colours, whose numbers are kept for the next picture


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """The pixels of a frame, in the frame's own memory.

    Attributes:
        luma: `(height, width)` uint8; both are even.
        cb: `(height / 2, width / 2)` uint8, 128 is none.
        cr: likewise.
    """

    luma: NDArray[np.uint8]
    cb: NDArray[np.uint8]
    cr: NDArray[np.uint8]

    @classmethod
    def of(cls, frame: "VideoFrame") -> Self:
        """Those of a frame of a format that `is_planar` knows."""
        return cls(*map(plane_pixels, frame.planes))

    def copy_from(self, other: "Planes") -> None:
        """Takes over what is in others of the same size."""
        self.luma[:] = other.luma
        self.cb[:] = other.cb
        self.cr[:] = other.cr

    def paint(self, image: Image, box: Box, colours: Colours) -> None:
        """Takes over a part of a picture of the same size, its edges moved outwards to even ones.

        Args:
            image: the picture.
            box: the part, px; what lies outside is left out.
            colours: what the numbers are to mean.
        """
        height, width = self.cb.shape
        half = box.halved
        left, right = 2 * max(half.left, 0), 2 * min(half.right, width)
        top, bottom = 2 * max(half.top, 0), 2 * min(half.bottom, height)
        if left >= right or top >= bottom:
            return
        region, weights = image[top:bottom, left:right], _weights(colours)
        half_wh = (right - left) // 2, (bottom - top) // 2
        # Averaged as colours first: of rounded chroma the rounding would be averaged too.
        halved = cv2.transform(cv2.resize(region, half_wh, interpolation=cv2.INTER_AREA), weights)
        quarter = np.s_[top // 2 : bottom // 2, left // 2 : right // 2]
        cv2.extractChannel(cv2.transform(region, weights), 0, self.luma[top:bottom, left:right])
        cv2.extractChannel(halved, 1, self.cb[quarter])
        cv2.extractChannel(halved, 2, self.cr[quarter])

    def put(self, mark: Mark, colours: Colours) -> None:
        """Puts a mark on the picture; what lies outside is left out.

        Args:
            mark: to the eye as it would be on the picture that was coded.
            colours: what the numbers mean.
        """
        if isinstance(mark, Fill):
            self._fill(mark, colours)
        else:
            self._stamp(mark, colours)

    def _fill(self, fill: Fill, colours: Colours) -> None:
        """Chroma is that of the fill wherever it touches: a line has its colour to the edge."""
        luma, cb, cr = _coded(fill.colour, colours)
        pour(self.luma, fill.box, fill.hole, luma)
        box, hole = fill.box.halved, fill.hole.halved_inwards
        pour(self.cb, box, hole, cb)
        pour(self.cr, box, hole, cr)

    def _stamp(self, stamp: Stamp, colours: Colours) -> None:
        left, top = stamp.left, stamp.top
        press(self.luma, left, top, stamp.pane.gain, _light(stamp.pane, colours))
        gain, light = _halved(stamp.pane, left % 2, top % 2)
        press(self.cb, left // 2, top // 2, gain, light)
        press(self.cr, left // 2, top // 2, gain, light)


@cache
def _weights(colours: Colours) -> NDArray[np.float32]:
    """What blue, green, red and 1 add to luma, cb and cr, `(3, 4)`."""
    red, blue = RED_AND_BLUE_WEIGHTS[colours.matrix]
    luma = np.array([blue, 1 - red - blue, red])
    cb = (np.array([1, 0, 0]) - luma) / (2 * (1 - blue))
    cr = (np.array([0, 0, 1]) - luma) / (2 * (1 - red))
    full = colours.range == FULL_RANGE
    narrow = [NARROW_LUMA_STEPS, NARROW_CHROMA_STEPS, NARROW_CHROMA_STEPS]
    scales = np.array([255, 255, 255] if full else narrow) / 255
    exact = np.stack([luma, cb, cr]) * scales[:, None]
    weights = np.rint(exact * _OPENCV_STEPS) / _OPENCV_STEPS
    lost = (exact - weights).sum(axis=1) * _MIDDLE
    zero = np.array([0 if full else NARROW_BLACK, NEUTRAL_CHROMA, NEUTRAL_CHROMA])
    return np.column_stack([weights, zero + lost]).astype(np.float32)


@lru_cache(maxsize=_KEPT)
def _coded(colour: Colour, colours: Colours) -> tuple[int, int, int]:
    """A colour's luma, cb and cr."""
    exact = _weights(colours) @ np.array([*colour, 1], np.float32)
    luma, cb, cr = np.rint(exact).clip(0, 255).astype(int).tolist()
    return luma, cb, cr


@lru_cache(maxsize=_KEPT)
def _light(pane: Pane, colours: Colours) -> NDArray[np.uint8]:
    """What a pane adds to luma: white, and of what it hides the luma of black."""
    black, white = _coded(BLACK, colours)[0], _coded(WHITE, colours)[0]
    hidden = CLEAR - pane.gain.astype(np.float32)
    light = pane.white * np.float32((white - black) / 255) + hidden * np.float32(black / CLEAR)
    return np.rint(light).astype(np.uint8)


@lru_cache(maxsize=2 * _KEPT)  # each begins in one of four ways, from frame to frame in another
def _halved(pane: Pane, column: int, row: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What a pane does to chroma, which neither white nor black has: it moves it to the middle.

    Args:
        pane: the pane.
        column: 0 if it begins with the left column of 2×2 pixels, 1 with the right one.
        row: likewise, the upper or the lower.

    Returns:
        What is kept, and what is added, of each 2×2 pixels that it touches.
    """
    height, width = pane.gain.shape
    ends = (height + row) % 2, (width + column) % 2
    seen = np.pad(pane.gain, ((row, ends[0]), (column, ends[1])), constant_values=CLEAR)
    high, wide = seen.shape
    gain = seen.reshape(high // 2, 2, wide // 2, 2).mean(axis=(1, 3), dtype=np.float32)
    light = (CLEAR - gain) * np.float32(NEUTRAL_CHROMA / CLEAR)
    return np.rint(gain).astype(np.uint8), np.rint(light).astype(np.uint8)
