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
from stream.marks import BLACK, CLEAR, WHITE, Box, Colour, Fill, Mark, Pane, Stamp, pour, press

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane

_FORMATS = ("yuv420p", "yuvj420p")  # the second is an old name for the first in the full range
_FULL_RANGE = 2
_UNSAID = 2
_RED_AND_BLUE = {  # their weights in luma, by the code of the matrix
    1: (0.2126, 0.0722),  # BT.709
    _UNSAID: (0.299, 0.114),  # taken for BT.601, as FFmpeg does
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.601 of 625 lines
    6: (0.299, 0.114),  # BT.601 of 525 lines
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020
}
_OPENCV_STEPS, _MIDDLE = 1024, 127.5  # its weights are rounded so; greys of 0 to 255 lose by it
_NO_CHROMA = 128
_KEPT = 128  # of panes and colours, whose numbers are kept for the next picture
_PRIMARIES = frozenset({1, *range(4, 13), 22})
_TRANSFERS = frozenset({1, *range(4, 19)})


@dataclass(frozen=True, slots=True)
class Colours:
    """What the numbers of a coded picture mean.

    Attributes:
        matrix: how luma and chroma follow from red, green and blue.
        range: 1 is 16 to 235 for luma and 16 to 240 for chroma, which 0 (unsaid) means too; 2 is
            0 to 255.
        primaries: which red, green and blue.
        transfer: how they follow from light.
    """

    matrix: int
    range: int
    primaries: int
    transfer: int

    @classmethod
    def of(cls, frame: "VideoFrame") -> Self:
        """Those of a decoded frame; codes that mean nothing here become 2, unsaid."""
        return cls(
            frame.colorspace if frame.colorspace in _RED_AND_BLUE else _UNSAID,
            _FULL_RANGE if is_full_range(frame) else frame.color_range,
            frame.color_primaries if frame.color_primaries in _PRIMARIES else _UNSAID,
            frame.color_trc if frame.color_trc in _TRANSFERS else _UNSAID,
        )


BT709 = Colours(matrix=1, range=1, primaries=1, transfer=1)
"""What players expect of video."""


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """The pixels of a frame, in the frame's own memory.

    Attributes:
        luma: `(height, width)` uint8; both are even.
        blueness: `(height / 2, width / 2)` uint8, 128 is none.
        redness: likewise.
    """

    luma: NDArray[np.uint8]
    blueness: NDArray[np.uint8]
    redness: NDArray[np.uint8]

    @classmethod
    def of(cls, frame: "VideoFrame") -> Self:
        """Those of a frame of a format that `is_planar` knows."""
        return cls(*map(_pixels, frame.planes))

    def copy_from(self, other: "Planes") -> None:
        """Takes over what is in others of the same size."""
        self.luma[:] = other.luma
        self.blueness[:] = other.blueness
        self.redness[:] = other.redness

    def paint(self, image: Image, box: Box, colours: Colours) -> None:
        """Takes over a part of a picture of the same size, its edges moved outwards to even ones.

        Args:
            image: the picture.
            box: the part, px; what lies outside is left out.
            colours: what the numbers are to mean.
        """
        height, width = self.blueness.shape
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
        cv2.extractChannel(halved, 1, self.blueness[quarter])
        cv2.extractChannel(halved, 2, self.redness[quarter])

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
        luma, blueness, redness = _coded(fill.colour, colours)
        pour(self.luma, fill.box, fill.hole, luma)
        box, hole = fill.box.halved, fill.hole.halved_inwards
        pour(self.blueness, box, hole, blueness)
        pour(self.redness, box, hole, redness)

    def _stamp(self, stamp: Stamp, colours: Colours) -> None:
        left, top = stamp.left, stamp.top
        press(self.luma, left, top, stamp.pane.gain, _light(stamp.pane, colours))
        gain, light = _halved(stamp.pane, left % 2, top % 2)
        press(self.blueness, left // 2, top // 2, gain, light)
        press(self.redness, left // 2, top // 2, gain, light)


def is_planar(frame: "VideoFrame") -> bool:
    """Whether it is of 8 bits, 4:2:0, with even sides, in colours that are known here."""
    return (
        frame.format.name in _FORMATS
        and frame.width % 2 == frame.height % 2 == 0
        and frame.colorspace in _RED_AND_BLUE
    )


def is_full_range(frame: "VideoFrame") -> bool:
    """Whether its luma goes from 0 to 255, not from 16 to 235."""
    return frame.format.name.startswith("yuvj") or frame.color_range == _FULL_RANGE


def luma_of(frame: "VideoFrame") -> NDArray[np.uint8]:
    """How bright a frame is that `is_planar` knows, `(height, width)`, to be read where it is."""
    pixels = _pixels(frame.planes[0])
    pixels.flags.writeable = False
    return pixels


def _pixels(plane: "VideoPlane") -> NDArray[np.uint8]:
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[:, : plane.width]


@cache
def _weights(colours: Colours) -> NDArray[np.float32]:
    """What blue, green, red and 1 add to luma, blueness and redness, `(3, 4)`."""
    red, blue = _RED_AND_BLUE[colours.matrix]
    luma = np.array([blue, 1 - red - blue, red])
    blueness = (np.array([1, 0, 0]) - luma) / (2 * (1 - blue))
    redness = (np.array([0, 0, 1]) - luma) / (2 * (1 - red))
    full = colours.range == _FULL_RANGE
    scales = np.array([255, 255, 255] if full else [219, 224, 224]) / 255
    exact = np.stack([luma, blueness, redness]) * scales[:, None]
    weights = np.rint(exact * _OPENCV_STEPS) / _OPENCV_STEPS
    lost = (exact - weights).sum(axis=1) * _MIDDLE
    zero = np.array([0 if full else 16, _NO_CHROMA, _NO_CHROMA])
    return np.column_stack([weights, zero + lost]).astype(np.float32)


@lru_cache(maxsize=_KEPT)
def _coded(colour: Colour, colours: Colours) -> tuple[int, int, int]:
    """A colour's luma, blueness and redness."""
    exact = _weights(colours) @ np.array([*colour, 1], np.float32)
    luma, blueness, redness = np.rint(exact).clip(0, 255).astype(int).tolist()
    return luma, blueness, redness


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
    light = (CLEAR - gain) * np.float32(_NO_CHROMA / CLEAR)
    return np.rint(gain).astype(np.uint8), np.rint(light).astype(np.uint8)
