"""Pictures as codecs have them: luma, and chroma at half the resolution, 8 bits each (4:2:0).

Codes of colours are those of ITU-T H.273, which FFmpeg uses too.
"""

from dataclasses import dataclass
from functools import cache
from typing import Self

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from numpy.typing import NDArray

from models.faces import Image
from stream.drawing import Box

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
    def of(cls, frame: VideoFrame) -> Self:
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
    def of(cls, frame: VideoFrame) -> Self:
        """Those of a frame of a format that `is_planar` knows."""
        return cls(*map(_pixels, frame.planes))

    def copy_from(self, other: "Planes") -> None:
        """Takes over what is in others of the same size."""
        self.luma[:] = other.luma
        self.blueness[:] = other.blueness
        self.redness[:] = other.redness

    def paint(self, image: Image, box: Box, colours: Colours) -> None:
        """Takes over a part of a picture of the same size.

        Args:
            image: the picture.
            box: the part, px; its edges are even.
            colours: what the numbers are to mean.
        """
        left, top, right, bottom = box.edges
        region, weights = image[top:bottom, left:right], _weights(colours)
        half_wh = (right - left) // 2, (bottom - top) // 2
        # Averaged as colours first: of rounded chroma the rounding would be averaged too.
        half = cv2.transform(cv2.resize(region, half_wh, interpolation=cv2.INTER_AREA), weights)
        quarter = np.s_[top // 2 : bottom // 2, left // 2 : right // 2]
        cv2.extractChannel(cv2.transform(region, weights), 0, self.luma[top:bottom, left:right])
        cv2.extractChannel(half, 1, self.blueness[quarter])
        cv2.extractChannel(half, 2, self.redness[quarter])


def is_planar(frame: VideoFrame) -> bool:
    """Whether it is of 8 bits, 4:2:0, with even sides, in colours that are known here."""
    return (
        frame.format.name in _FORMATS
        and frame.width % 2 == frame.height % 2 == 0
        and frame.colorspace in _RED_AND_BLUE
    )


def is_full_range(frame: VideoFrame) -> bool:
    """Whether its luma goes from 0 to 255, not from 16 to 235."""
    return frame.format.name.startswith("yuvj") or frame.color_range == _FULL_RANGE


def luma(frame: VideoFrame) -> NDArray[np.uint8]:
    """The brightness of a frame that `is_planar` knows, `(height, width)`, in its own memory."""
    return _pixels(frame.planes[0])


def _pixels(plane: VideoPlane) -> NDArray[np.uint8]:
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
    zero = np.array([0 if full else 16, 128, 128])
    return np.column_stack([weights, zero + lost]).astype(np.float32)
