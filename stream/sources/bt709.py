"""Decoded frames in HDR or of wide primaries, converted to frames of 8 bits in BT.709.

A frame of 4:2:0 has one colour for four values of luma. So the exact conversion is made once for
the four, with their mean luma. Each luma is converted by a table that holds for grey, and gets the
difference that the colour makes to the mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeAlias

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter
from numpy.typing import NDArray

from models.pictures.tone_mapping import MOST, ToneMapping, tone_mapping
from stream.coded import (
    BT709,
    BT2020,
    UNSPECIFIED,
    Colours,
    coding_weights,
    deep_plane_pixels,
    is_planar,
    plane_pixels,
)

_BITS = {"yuv420p": 8, "yuvj420p": 8, "yuv420p10le": 10, "yuv420p12le": 12}
"""Bits of a sample, by the format of frames whose planes are converted as they are."""

_FORMAT = "yuv420p10le"
"""The format that frames of all others are brought to first."""

_FINE = 64
"""Parts of a step of 8 bits in which samples are computed before they are rounded; with more, 16
bits would not hold a difference."""

_STRIP_ROWS = 32
"""Rows of chroma that are converted at a time, so that all steps stay in the cache of a core."""

_Plane: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]
"""Samples of luma, cb or cr, `(height, width)`."""


def in_bt709(frame: VideoFrame, reformatter: VideoReformatter) -> VideoFrame:
    """A frame in BT.709; the same one where its colours are shown as they are.

    Of frames that are not HDR those that can be recorded to the bit stay as they are, too: players
    know their primaries.

    Args:
        frame: as it was decoded.
        reformatter: used where the format is not one of 4:2:0 in planes.

    Raises:
        FFmpegError: the frame is in a format that cannot be converted.
    """
    mapping = tone_mapping(frame.color_primaries, frame.color_trc)
    if mapping is None or (not mapping.is_hdr and is_planar(frame)):
        return frame
    if frame.format.name not in _BITS:
        frame = reformatter.reformat(frame, format=_FORMAT, dst_colorspace=Colorspace.BT2020)
    colours, bits = Colours.of(frame), _BITS[frame.format.name]
    if colours.matrix == UNSPECIFIED:
        colours = replace(colours, matrix=BT2020)
    converted = VideoFrame(frame.width, frame.height, "yuv420p")
    converted.colorspace, converted.color_range = BT709.matrix, BT709.range
    converted.color_primaries, converted.color_trc = BT709.primaries, BT709.transfer
    pixels = plane_pixels if bits == 8 else deep_plane_pixels
    planes: list[_Plane] = [pixels(each) for each in frame.planes]
    results: list[_Plane] = [plane_pixels(each) for each in converted.planes]
    conversion = _conversion(mapping, colours, bits)
    for top in range(0, len(planes[1]), _STRIP_ROWS):
        half = slice(top, top + _STRIP_ROWS)
        whole = slice(2 * half.start, 2 * half.stop)
        conversion.convert(_strip(planes, whole, half), _strip(results, whole, half))
    return converted


def _strip(planes: Sequence[_Plane], whole: slice, half: slice) -> list[_Plane]:
    """Rows of luma, and those of chroma that belong to them."""
    luma, cb, cr = planes
    return [luma[whole], cb[half], cr[half]]


@dataclass(frozen=True, slots=True, eq=False)
class _Conversion:
    """How the samples of one kind of frame are converted.

    Attributes:
        mapping: converts red, green and blue.
        to_rgb: weights of luma, cb, cr and 1 in red, green and blue of 16 bits.
        to_fine: weights of these and 1 in luma, cb and cr of BT.709, in fine steps.
        grey: what luma becomes where there is no colour, in fine steps, by its value; `(1, n)`.
    """

    mapping: ToneMapping
    to_rgb: NDArray[np.float64]
    to_fine: NDArray[np.float64]
    grey: NDArray[np.int16]

    def convert(self, planes: Sequence[_Plane], results: Sequence[_Plane]) -> None:
        """Converts luma, cb and cr into planes of the same sizes."""
        luma, cb, cr = planes
        mean = cv2.resize(luma, cb.shape[::-1], interpolation=cv2.INTER_AREA)
        exact = self.exact(cv2.merge([mean, cb, cr]).astype(np.uint16, copy=False))
        added = cv2.subtract(cv2.extractChannel(exact, 0), cv2.LUT(mean, self.grey))
        added = cv2.resize(added, (luma.shape[1], len(mean)), interpolation=cv2.INTER_NEAREST)
        for first in range(min(len(luma), 2)):  # even and odd rows of luma
            fine = cv2.LUT(luma[first::2], self.grey)
            fine = cv2.add(fine, added[: len(fine)])
            cv2.convertScaleAbs(fine, results[0][first::2], 1 / _FINE)
        rounded = cv2.convertScaleAbs(exact, None, 1 / _FINE)
        for channel in (1, 2):
            cv2.extractChannel(rounded, channel, results[channel])

    def exact(self, ycc: NDArray[np.uint16]) -> NDArray[np.int16]:
        """Luma, cb and cr in BT.709, in fine steps, by those of the frame; `(height, width, 3)`."""
        rgb = cv2.transform(ycc, self.to_rgb).astype(np.uint16, copy=False)
        fine = cv2.transform(self.mapping.convert(rgb), self.to_fine)
        return fine.astype(np.uint16, copy=False).view(np.int16)


@cache
def _conversion(mapping: ToneMapping, colours: Colours, bits: int) -> _Conversion:
    coding, fine = coding_weights(colours), coding_weights(BT709) * _FINE
    decoding = np.linalg.inv(coding[:, :3])[::-1] * (MOST / 255)
    to_rgb = np.column_stack([decoding * 2.0 ** (8 - bits), -decoding @ coding[:, 3]])
    to_fine = np.column_stack([fine[:, 2::-1] * (255 / MOST), fine[:, 3]])
    conversion = _Conversion(mapping, to_rgb, to_fine, np.zeros((1, 0), np.int16))
    greys = np.full((1, 1 << bits, 3), 1 << (bits - 1), np.uint16)
    greys[..., 0] = np.arange(1 << bits)
    grey = conversion.exact(greys)[..., 0]
    # OpenCV wants an entry for each number that 16 bits can hold.
    return replace(conversion, grey=grey if bits == 8 else np.resize(grey, (1, MOST + 1)))
