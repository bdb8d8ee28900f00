"""What the pixels of a decoded frame mean: formats, ranges and colour spaces of 8-bit 4:2:0 video.

The colour codes are those of ITU-T H.273, which FFmpeg uses too.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane

UNSPECIFIED_RANGE = 0
"""Code of a range that a stream does not state."""

FULL_RANGE = 2
"""Code of the range in which luma goes from 0 to 255."""

BT2020 = 9
"""Code of BT.2020's matrix."""

UNSPECIFIED = 2
"""Code of a colour property that a stream does not state."""

RED_AND_BLUE_WEIGHTS = {
    1: (0.2126, 0.0722),  # BT.709
    UNSPECIFIED: (0.299, 0.114),  # read as BT.601, as FFmpeg does
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.601 of 625 lines
    6: (0.299, 0.114),  # BT.601 of 525 lines
    7: (0.212, 0.087),  # SMPTE 240M
    BT2020: (0.2627, 0.0593),
}
"""Weights of red and blue in luma, by the code of the matrix (H.273, table 4)."""

NARROW_BLACK = 16
"""Luma of black in the narrow range (ITU-R BT.601)."""

NARROW_LUMA_STEPS = 219
"""Steps of luma from black to white in the narrow range (ITU-R BT.601)."""

NARROW_CHROMA_STEPS = 224
"""Steps of chroma from one extreme to the other in the narrow range (ITU-R BT.601)."""

NEUTRAL_CHROMA = 128
"""Cb and Cr of every grey."""

_FORMATS = ("yuv420p", "yuvj420p")
"""8-bit 4:2:0 in planes; FFmpeg's old name for its full range is the second."""

_PRIMARIES = frozenset({1, *range(4, 13), 22})
"""Codes of primaries that H.273 defines (table 2)."""

_TRANSFERS = frozenset({1, *range(4, 19)})
"""Codes of transfer characteristics that H.273 defines (table 3)."""


@dataclass(frozen=True, slots=True)
class Colours:
    """What the numbers of a coded picture mean.

    Attributes:
        matrix: how luma and chroma follow from red, green and blue.
        range: 1 is 16 to 235 for luma and 16 to 240 for chroma, which 0 (unspecified) means too;
            2 is 0 to 255.
        primaries: which red, green and blue.
        transfer: how they follow from light.
    """

    matrix: int
    range: int
    primaries: int
    transfer: int

    @classmethod
    def of(cls, frame: "VideoFrame") -> Self:
        """The colours of a decoded frame; unknown codes become 2, unspecified."""
        matrix, primaries, transfer = frame.colorspace, frame.color_primaries, frame.color_trc
        return cls(
            matrix if matrix in RED_AND_BLUE_WEIGHTS else UNSPECIFIED,
            FULL_RANGE if is_full_range(frame) else frame.color_range,
            primaries if primaries in _PRIMARIES else UNSPECIFIED,
            transfer if transfer in _TRANSFERS else UNSPECIFIED,
        )


BT709 = Colours(matrix=1, range=1, primaries=1, transfer=1)
"""The colours that players expect of video."""


def coding_weights(colours: Colours) -> NDArray[np.float64]:
    """Weights of blue, green, red (0 to 255 each) and 1 in luma, cb and cr, `(3, 4)`."""
    red, blue = RED_AND_BLUE_WEIGHTS[colours.matrix]
    luma = np.array([blue, 1 - red - blue, red])
    cb = (np.array([1, 0, 0]) - luma) / (2 * (1 - blue))
    cr = (np.array([0, 0, 1]) - luma) / (2 * (1 - red))
    full = colours.range == FULL_RANGE
    narrow = [NARROW_LUMA_STEPS, NARROW_CHROMA_STEPS, NARROW_CHROMA_STEPS]
    scales = np.array([255, 255, 255] if full else narrow) / 255
    black = np.array([0 if full else NARROW_BLACK, NEUTRAL_CHROMA, NEUTRAL_CHROMA])
    return np.column_stack([np.stack([luma, cb, cr]) * scales[:, None], black])


def stated_colours(track: "VideoCodecContext") -> Colours:
    """The colours that a track states, before anything of it was decoded."""
    return Colours(track.colorspace, track.color_range, track.color_primaries, track.color_trc)


def complete_colours(frame: "VideoFrame", stated: Colours) -> None:
    """Gives a frame those colours that it does not state itself, as its container states them."""
    if frame.colorspace == UNSPECIFIED:
        frame.colorspace = stated.matrix
    if frame.color_range == UNSPECIFIED_RANGE:
        frame.color_range = stated.range
    if frame.color_primaries == UNSPECIFIED:
        frame.color_primaries = stated.primaries
    if frame.color_trc == UNSPECIFIED:
        frame.color_trc = stated.transfer


def has_alpha(frame: "VideoFrame") -> bool:
    """Whether a frame may be transparent."""
    pixels = frame.format
    return pixels.has_palette or any(each.is_alpha for each in pixels.components)


def is_planar(frame: "VideoFrame") -> bool:
    """Whether a frame is 8-bit 4:2:0 with even sides, in a colour space listed here."""
    return (
        frame.format.name in _FORMATS
        and frame.width % 2 == frame.height % 2 == 0
        and frame.colorspace in RED_AND_BLUE_WEIGHTS
    )


def is_full_range(frame: "VideoFrame") -> bool:
    """Whether the luma of a frame goes from 0 to 255, not from 16 to 235."""
    return frame.format.name.startswith("yuvj") or frame.color_range == FULL_RANGE


def luma_of(frame: "VideoFrame") -> NDArray[np.uint8]:
    """The luma of a frame that `is_planar` accepts, `(height, width)`, read-only, not copied."""
    pixels = plane_pixels(frame.planes[0])
    pixels.flags.writeable = False
    return pixels


def plane_pixels(plane: "VideoPlane") -> NDArray[np.uint8]:
    """One plane of a frame of 8 bits, `(height, width)`, in the frame's own memory."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[:, : plane.width]


def deep_plane_pixels(plane: "VideoPlane") -> NDArray[np.uint16]:
    """The same of a frame of more bits."""
    rows = np.frombuffer(memoryview(plane), np.uint16).reshape(-1, plane.line_size // 2)
    return rows[:, : plane.width]
