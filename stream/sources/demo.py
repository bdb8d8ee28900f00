"""The demo: a short clip drawn on the spot, for a first look without a camera or a file."""

import math
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from models.faces import Image
from stream.errors import SourceError
from stream.frames import Frame, SourceInfo
from stream.sources.pictures import read_picture

_SIZE_WH = (1280, 720)
"""Width and height of the clip, px."""

_FPS = 25.0
"""Frames a second of the clip."""

_FRAMES = 150
"""Frames of the clip: six seconds, the longest period of its motions."""

_ZOOM = 1.35
"""Mean scale of the portrait, which is 512 px square."""

_FACE_XY = (224.0, 118.0)
"""The centre of the face in the portrait, px."""


class DemoSource:
    """A portrait seen by a camera that pans, zooms and tilts.

    The portrait is NASA's of the astronaut Eileen Collins, in the public domain; scikit-image
    installs it.

    Args:
        frame_count: the length of the clip.
        size_wh: width and height of the clip, px.
    """

    def __init__(self, frame_count: int = _FRAMES, size_wh: tuple[int, int] = _SIZE_WH) -> None:
        self._portrait = portrait()
        blurred = cv2.GaussianBlur(cv2.resize(self._portrait, size_wh), (0, 0), size_wh[1] / 15)
        self._background = blurred.astype(np.uint8, copy=False)
        self._info = SourceInfo("demo", "video", size_wh, _FPS, frame_count)

    def __repr__(self) -> str:
        return f"DemoSource({self._info.frame_count} frames)"

    @property
    def info(self) -> SourceInfo:
        """A video of known length."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """The frames of the clip, each drawn when it is asked for."""
        for index in range(self._info.frame_count or 0):
            yield Frame(self._draw(index / _FPS), index, index / _FPS, time.monotonic())

    def interrupt(self) -> None:
        """The demo never waits."""

    def close(self) -> None:
        """There is nothing to release."""

    def _draw(self, time_s: float) -> Image:
        """The picture at a time: each motion has a period of its own, so that they mix."""
        width, height = self._info.size_wh
        scale = height / _SIZE_WH[1] * _ZOOM * (1 + 0.35 * math.sin(2 * math.pi * time_s / 5.0))
        tilt_degrees = 14 * math.sin(2 * math.pi * time_s / 4.0)
        matrix = cv2.getRotationMatrix2D(_FACE_XY, tilt_degrees, scale)
        shift_x = width * (0.5 + 0.22 * math.sin(2 * math.pi * time_s / 6.0))
        shift_y = height * (0.42 + 0.08 * math.sin(2 * math.pi * time_s / 3.0))
        matrix[0, 2] += shift_x - _FACE_XY[0]
        matrix[1, 2] += shift_y - _FACE_XY[1]
        view = self._background.copy()
        cv2.warpAffine(
            self._portrait, matrix, (width, height), view, borderMode=cv2.BORDER_TRANSPARENT
        )
        return view


def portrait() -> Image:
    """The portrait that the demo and the benchmarks use, `(512, 512, 3)` BGR.

    Raises:
        SourceError: scikit-image is not installed.
    """
    spec = find_spec("skimage")
    if spec is not None and spec.origin is not None:
        picture = read_picture(Path(spec.origin).parent / "data" / "astronaut.png")
        if picture is not None:
            return picture
    raise SourceError("the demo's portrait is missing: install scikit-image with pip")
