"""Frames made smaller, before anything is drawn on them: the planes as they were decoded."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.faces import Image
from stream.coded import FULL_RANGE, is_full_range, plane_pixels
from stream.frames import Frame
from stream.sinks import AnnotatedFrame

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter

_PLANES = "yuv420p"
"""Pixel format of what is made here: that of encoders, whatever the range; a frame states it."""


def copied(coded: "VideoFrame") -> "VideoFrame":
    """The same planes in memory of their own."""
    from av.video.frame import VideoFrame

    copy = VideoFrame(coded.width, coded.height, _PLANES)
    for plane, own in zip(coded.planes, copy.planes, strict=True):
        plane_pixels(own)[:] = plane_pixels(plane)
    _take_colours(copy, coded)
    return copy


def bgr_of(coded: "VideoFrame") -> Image:
    """Planes as pixels, `(height, width, 3)` BGR."""
    return np.ascontiguousarray(coded.to_ndarray(format="bgr24"), dtype=np.uint8)


class Scaling:
    """Makes annotated frames no wider than asked for; for one thread at a time.

    Planes take a tenth of the time that a conversion to BGR, scaled and converted back, would.

    Args:
        width: of the frames at most, px.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._reformatter: VideoReformatter | None = None

    def __repr__(self) -> str:
        return f"Scaling({self._width} px)"

    def fitted(self, annotated: AnnotatedFrame) -> AnnotatedFrame:
        """A frame and the places of its faces at the size of the page; itself if it is no wider."""
        width, height = annotated.frame.size_wh
        if width <= self._width:
            return annotated
        # 4:2:0 needs even sides.
        size_wh = self._width - self._width % 2, _even(height * self._width / width)
        by = np.array([size_wh[0] / width, size_wh[1] / height] * 2, np.float32)
        return replace(
            annotated,
            frame=self._scaled(annotated.frame, size_wh),
            tracks=[replace(each, box_xyxy=each.box_xyxy * by) for each in annotated.tracks],
            faces_xyxy=annotated.faces_xyxy * by,
        )

    def _scaled(self, frame: Frame, size_wh: tuple[int, int]) -> Frame:
        if frame.coded is None:
            return replace(frame, pixels=partial(_shrunk, frame, size_wh))
        coded = self._scaled_planes(frame.coded, size_wh)
        return replace(frame, pixels=partial(bgr_of, coded), coded=coded)

    def _scaled_planes(self, coded: "VideoFrame", size_wh: tuple[int, int]) -> "VideoFrame":
        """The same planes with fewer pixels, whose numbers mean the same.

        FFmpeg makes them in this thread alone. OpenCV would wake threads of its own, which take
        more processor time than they save where each pixel is a whole number of pixels, and five
        times as much where it is not.
        """
        from av.video.reformatter import VideoReformatter

        if self._reformatter is None:
            self._reformatter = VideoReformatter()
        scaled = self._reformatter.reformat(
            coded,
            *size_wh,
            _PLANES,
            interpolation="AREA",
            src_color_range=_range_of(coded),
            dst_color_range=_range_of(coded),
            threads=1,
        )
        _take_colours(scaled, coded)
        return scaled


def _even(side: float) -> int:
    return max(round(side / 2), 1) * 2


def _take_colours(made: "VideoFrame", coded: "VideoFrame") -> None:
    """Says of planes that their numbers mean what those mean that they were made from."""
    made.colorspace, made.color_primaries = coded.colorspace, coded.color_primaries
    made.color_trc = coded.color_trc
    made.color_range = _range_of(coded)


def _range_of(coded: "VideoFrame") -> int:
    """The code of the range of luma, which an old name of the format may state alone."""
    return FULL_RANGE if is_full_range(coded) else coded.color_range


def _shrunk(frame: Frame, size_wh: tuple[int, int]) -> Image:
    image = cv2.resize(frame.image, size_wh, interpolation=cv2.INTER_AREA)
    return image.astype(np.uint8, copy=False)
