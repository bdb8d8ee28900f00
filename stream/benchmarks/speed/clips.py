"""Synthetic clips that the benchmark of speed measures: any number of moving faces, at any size."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from stream.frames import Frame, SourceInfo
from stream.settings.schema import RecorderSection
from stream.sinks.video.video_file import VideoFile
from stream.sources.demo import portrait

FPS = 30.0
"""Frame rate of the clips, and of the camera that plays them, frames a second."""

_PORTRAIT_FACE_PX = 96.0
"""Width of the face in the demo's portrait, px."""

_HEAD_XYXY = (139, 20, 309, 206)
"""Where the head is in the demo's portrait, px."""

_FACE_SHARE = 1 / 8
"""Width of a face as a share of the clip's height: 90 px at 720p."""

_MIN_FACE_PX = 60.0
"""The narrowest face in a clip, px: wide enough to be found for sure."""

_SWAY = 0.5
"""How far a face moves to each side, in face widths; more makes templates match less often."""

_ZOOM = 0.05
"""How far the scale of a face goes from 1, up and down."""

_TILT_DEGREES = 6.0
"""How far a face tilts to each side, degrees."""

_FULL_SWAY_FRAMES = 90
"""Length of clip from which faces sway by `_SWAY`; in a shorter one they sway less, not faster."""

_GOLDEN_FRACTION = 0.618034
"""Fraction of a turn between the phases and between the colours of neighbouring faces: the golden
ratio less 1, whose multiples modulo 1 are spread most evenly (Knuth, The Art of Computer
Programming, volume 3, 6.4)."""


@dataclass(frozen=True, slots=True, eq=False)
class _FaceCopy:
    """One copy of the head in the portrait, and the path it moves on.

    Attributes:
        image: its pixels.
        mask: `(h, w, 1)` float32, 1 where it hides what is behind it.
        middle_xy: of its path, px of the clip.
        sway_xy: how far it moves to each side, px.
        phase: where on its path it starts, in turns.
    """

    image: Image
    mask: NDArray[np.float32]
    middle_xy: tuple[float, float]
    sway_xy: tuple[float, float]
    phase: float


class SyntheticSource:
    """A clip of several faces of the same width that move gently, each in a cell of a grid.

    The end meets the beginning, so that the clip can be played in a loop.

    Args:
        faces: how many.
        size_wh: width and height, px.
        frame_count: how long it is.
    """

    def __init__(self, faces: int, size_wh: tuple[int, int], frame_count: int) -> None:
        picture = portrait()
        blurred = cv2.GaussianBlur(cv2.resize(picture, size_wh), (0, 0), size_wh[1] / 15)
        self._background = blurred.astype(np.uint8, copy=False)
        self._info = SourceInfo(f"{faces} faces", "video", size_wh, FPS, frame_count)
        self._copies = [self._face_copy(picture, number, faces) for number in range(faces)]

    def __repr__(self) -> str:
        return f"SyntheticSource({self._info.uri}, {self._info.frame_count} frames)"

    @property
    def info(self) -> SourceInfo:
        """A video of known length."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """The frames, each drawn when it is asked for."""
        for index in range(self._info.frame_count or 0):
            yield Frame(self._draw(index), index, index / FPS, time.monotonic())

    def interrupt(self) -> None:
        """It never waits."""

    def close(self) -> None:
        """There is nothing to release."""

    def _face_copy(self, picture: Image, number: int, faces: int) -> _FaceCopy:
        """The copy of a number: each has its own colour and cell, every other one is mirrored."""
        width, height = self._info.size_wh
        columns = math.ceil(math.sqrt(faces))
        rows = math.ceil(faces / columns)
        face_px = max(height * _FACE_SHARE, _MIN_FACE_PX)
        scale = face_px / _PORTRAIT_FACE_PX
        left, top, right, bottom = _HEAD_XYXY
        head = cv2.resize(picture[top:bottom, left:right], None, fx=scale, fy=scale)
        high, wide = head.shape[:2]
        light = 1 + 0.15 * np.cos(2 * np.pi * (number * _GOLDEN_FRACTION + np.arange(3) / 3))
        coloured = np.clip(head * light, 0, 255).astype(np.uint8)
        margin_xy = (width / columns - wide) / 2, (height / rows - high) / 2
        sway = face_px * _SWAY * min((self._info.frame_count or 0) / _FULL_SWAY_FRAMES, 1.0)
        return _FaceCopy(
            coloured[:, ::-1] if number % 2 else coloured,
            _oval(wide, high),
            ((number % columns + 0.5) * width / columns, (number // columns + 0.5) * height / rows),
            (min(sway, max(margin_xy[0], 0)), min(sway, max(margin_xy[1], 0))),
            number * _GOLDEN_FRACTION % 1,
        )

    def _draw(self, index: int) -> Image:
        view = self._background.copy()
        for copy in self._copies:
            turn = 2 * math.pi * (index / (self._info.frame_count or 1) + copy.phase)
            x = copy.middle_xy[0] + copy.sway_xy[0] * math.sin(turn)
            y = copy.middle_xy[1] + copy.sway_xy[1] * math.sin(2 * turn)
            _paste(view, copy, (x, y), 1 + _ZOOM * math.cos(turn), _TILT_DEGREES * math.cos(turn))
        return view


def write_clip(source: SyntheticSource, path: Path) -> Path:
    """Writes a clip as the recorder does, so that its decoding costs what a recording's does."""
    with VideoFile(path, source.info, RecorderSection()) as film:
        for frame in source.frames():
            film.add(frame.image, frame.time_s)
    return path


def _oval(width: int, height: int) -> NDArray[np.float32]:
    """The mask of a face, `(height, width, 1)`: 1 in the middle, 0 at the edges, soft between."""
    x, y = np.linspace(-1, 1, width), np.linspace(-1, 1, height)
    distance = np.hypot(x[None], y[:, None])
    return np.clip((1 - distance) / 0.2, 0, 1).astype(np.float32)[..., None]


def _paste(
    view: Image, copy: _FaceCopy, middle_xy: tuple[float, float], zoom: float, tilt_degrees: float
) -> None:
    """Draws a face into a picture."""
    high, wide = copy.image.shape[:2]
    corner = round(middle_xy[0] - 0.6 * wide), round(middle_xy[1] - 0.6 * high)
    left, top = max(corner[0], 0), max(corner[1], 0)
    place = view[top : corner[1] + round(1.2 * high), left : corner[0] + round(1.2 * wide)]
    matrix = cv2.getRotationMatrix2D((wide / 2, high / 2), tilt_degrees, zoom)
    matrix[:, 2] += middle_xy[0] - wide / 2 - left, middle_xy[1] - high / 2 - top
    size_wh = place.shape[1], place.shape[0]
    image = cv2.warpAffine(copy.image, matrix, size_wh).astype(np.float32)
    mask = cv2.warpAffine(copy.mask, matrix, size_wh)[..., None]
    place[:] = (place + (image - place) * mask).astype(np.uint8)
