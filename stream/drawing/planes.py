"""Drawing on coded frames: planes of luma, and of chroma at half the resolution (8-bit 4:2:0)."""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from stream.coded import NEUTRAL_CHROMA, Colours, coding_weights, plane_pixels
from stream.drawing.marks import (
    BLACK,
    UNIT_GAIN,
    WHITE,
    Box,
    Colour,
    Fill,
    Mark,
    PlacedTile,
    TextTile,
    blend,
    fill_rectangle,
)

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_OPENCV_STEPS = 1024
"""Steps of 1 to which OpenCV rounds the weights of `cv2.transform`."""

_MEAN_GREY = 127.5
"""Mean of the greys, of 255, at which what the rounding of the weights loses is made up for."""

_CACHED = 128
"""Tiles and colours whose coded numbers are kept for the next picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """The pixels of a frame, in the frame's own memory.

    Attributes:
        luma: `(height, width)` uint8; both are even.
        cb: `(height / 2, width / 2)` uint8; 128 is grey.
        cr: likewise.
    """

    luma: NDArray[np.uint8]
    cb: NDArray[np.uint8]
    cr: NDArray[np.uint8]

    @classmethod
    def of(cls, frame: "VideoFrame") -> Self:
        """The planes of a frame that `is_planar` accepts."""
        return cls(*map(plane_pixels, frame.planes))

    def copy_from(self, other: "Planes") -> None:
        """Copies planes of the same size into these."""
        self.luma[:] = other.luma
        self.cb[:] = other.cb
        self.cr[:] = other.cr

    def write_region(self, image: Image, box: Box, colours: Colours) -> None:
        """Codes a part of a picture of the same size, its edges moved outwards to even ones.

        Args:
            image: the picture.
            box: the part, px; what lies outside is left out.
            colours: what the numbers of the planes mean.
        """
        height, width = self.cb.shape
        half = box.halved_out
        left, right = 2 * max(half.left, 0), 2 * min(half.right, width)
        top, bottom = 2 * max(half.top, 0), 2 * min(half.bottom, height)
        if left >= right or top >= bottom:
            return
        region, weights = image[top:bottom, left:right], _weights(colours)
        half_wh = (right - left) // 2, (bottom - top) // 2
        # Averaged as colours first: of rounded chroma the rounding would be averaged too.
        halved = cv2.transform(cv2.resize(region, half_wh, interpolation=cv2.INTER_AREA), weights)
        chroma = np.s_[top // 2 : bottom // 2, left // 2 : right // 2]
        cv2.extractChannel(cv2.transform(region, weights), 0, self.luma[top:bottom, left:right])
        cv2.extractChannel(halved, 1, self.cb[chroma])
        cv2.extractChannel(halved, 2, self.cr[chroma])

    def draw(self, mark: Mark, colours: Colours) -> None:
        """Draws a mark; what lies outside is left out.

        Args:
            mark: looks as it would on the picture that was coded.
            colours: what the numbers of the planes mean.
        """
        if isinstance(mark, Fill):
            self._fill(mark, colours)
        else:
            self._blend(mark, colours)

    def _fill(self, fill: Fill, colours: Colours) -> None:
        """Chroma is that of the fill wherever it touches: a line has its colour to the edge."""
        luma, cb, cr = _coded(fill.colour, colours)
        fill_rectangle(self.luma, fill.box, fill.hole, luma)
        box, hole = fill.box.halved_out, fill.hole.halved_in
        fill_rectangle(self.cb, box, hole, cb)
        fill_rectangle(self.cr, box, hole, cr)

    def _blend(self, placed: PlacedTile, colours: Colours) -> None:
        left, top, tile = placed.left, placed.top, placed.tile
        blend(self.luma, left, top, tile.gain, _luma_offset(tile, colours))
        gain, offset = _chroma_gain_and_offset(tile, left % 2, top % 2)
        blend(self.cb, left // 2, top // 2, gain, offset)
        blend(self.cr, left // 2, top // 2, gain, offset)


@cache
def _weights(colours: Colours) -> NDArray[np.float32]:
    """Weights of blue, green, red and 1 in luma, cb and cr, `(3, 4)`."""
    exact = coding_weights(colours)
    weights = np.rint(exact[:, :3] * _OPENCV_STEPS) / _OPENCV_STEPS
    lost = (exact[:, :3] - weights).sum(axis=1) * _MEAN_GREY
    return np.column_stack([weights, exact[:, 3] + lost]).astype(np.float32)


@lru_cache(maxsize=_CACHED)
def _coded(colour: Colour, colours: Colours) -> tuple[int, int, int]:
    """Luma, cb and cr of a colour."""
    exact = _weights(colours) @ np.array([*colour, 1], np.float32)
    luma, cb, cr = np.rint(exact).clip(0, 255).astype(int).tolist()
    return luma, cb, cr


@lru_cache(maxsize=_CACHED)
def _luma_offset(tile: TextTile, colours: Colours) -> NDArray[np.uint8]:
    """What a tile adds to luma: white for its letters, and black for the share of the picture that
    it hides."""
    black, white = _coded(BLACK, colours)[0], _coded(WHITE, colours)[0]
    hidden = UNIT_GAIN - tile.gain.astype(np.float32)
    share = np.float32((white - black) / 255)
    offset = tile.offset * share + hidden * np.float32(black / UNIT_GAIN)
    return np.rint(offset).astype(np.uint8)


@lru_cache(maxsize=2 * _CACHED)  # a tile may begin on even or odd columns and rows
def _chroma_gain_and_offset(
    tile: TextTile, column: int, row: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What a tile does to chroma: it moves it towards grey, for black and white have none.

    Args:
        tile: the tile.
        column: 0 if the tile begins with the left column of 2×2 pixels, 1 with the right one.
        row: likewise, the upper or the lower.

    Returns:
        Gain and offset of each 2×2 pixels that the tile touches.
    """
    height, width = tile.gain.shape
    ends = (height + row) % 2, (width + column) % 2
    padded = np.pad(tile.gain, ((row, ends[0]), (column, ends[1])), constant_values=UNIT_GAIN)
    rows, columns = padded.shape
    gain = padded.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3), dtype=np.float32)
    offset = (UNIT_GAIN - gain) * np.float32(NEUTRAL_CHROMA / UNIT_GAIN)
    return np.rint(gain).astype(np.uint8), np.rint(offset).astype(np.uint8)
