"""Clips to measure with, made on the spot: the demo's portrait as often as faces are wanted."""

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
_FACE_PX = 96.0  # the width of a face in the portrait
_FACE_SHARE, _LEAST_FACE_PX = 1 / 8, 60.0  # of the clip's height: 90 px at 720p; found for sure
_HEAD_XYXY = (139, 20, 309, 206)  # where the head is in the portrait, px
_SWAY, _ZOOM, _TILT_DEGREES = 0.5, 0.05, 6.0  # of each head: in its own widths, in scale, in angle
_CALM_FRAMES = 90  # a shorter clip sways less, not faster
_GOLDEN = 0.618034  # neighbours on the circle of phases and colours differ most


@dataclass(frozen=True, slots=True, eq=False)
class _Head:
    """One copy of the portrait's head, and where it moves.

    Attributes:
        image: its pixels.
        mask: `(h, w, 1)` float32, 1 where it hides what is behind it.
        middle_xy: of its path, px of the clip.
        sway_xy: how far it moves to each side, px.
        phase: where in its path it begins, in turns.
    """

    image: Image
    mask: NDArray[np.float32]
    middle_xy: tuple[float, float]
    sway_xy: tuple[float, float]
    phase: float


class CrowdSource:
    """So many faces of the same width, each in a place of its own, moving gently.

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
        self._heads = [self._head(picture, number, faces) for number in range(faces)]

    def __repr__(self) -> str:
        return f"CrowdSource({self._info.uri}, {self._info.frame_count} frames)"

    @property
    def info(self) -> SourceInfo:
        """A video of known length."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """The clip, drawn as it is asked for."""
        for index in range(self._info.frame_count or 0):
            yield Frame(self._draw(index), index, index / FPS, time.monotonic())

    def interrupt(self) -> None:
        """It never waits."""

    def close(self) -> None:
        """There is nothing to release."""

    def _head(self, picture: Image, number: int, faces: int) -> _Head:
        """Every other one mirrored, each in a colour and at a place of its own."""
        width, height = self._info.size_wh
        columns = math.ceil(math.sqrt(faces))
        rows = math.ceil(faces / columns)
        face_px = max(height * _FACE_SHARE, _LEAST_FACE_PX)
        scale = face_px / _FACE_PX
        left, top, right, bottom = _HEAD_XYXY
        head = cv2.resize(picture[top:bottom, left:right], None, fx=scale, fy=scale)
        high, wide = head.shape[:2]
        light = 1 + 0.15 * np.cos(2 * np.pi * (number * _GOLDEN + np.arange(3) / 3))
        coloured = np.clip(head * light, 0, 255).astype(np.uint8)
        room_xy = (width / columns - wide) / 2, (height / rows - high) / 2
        calm = min((self._info.frame_count or 0) / _CALM_FRAMES, 1.0)
        sway = face_px * _SWAY * calm
        return _Head(
            coloured[:, ::-1] if number % 2 else coloured,
            _oval(wide, high),
            ((number % columns + 0.5) * width / columns, (number // columns + 0.5) * height / rows),
            (min(sway, max(room_xy[0], 0)), min(sway, max(room_xy[1], 0))),
            number * _GOLDEN % 1,
        )

    def _draw(self, index: int) -> Image:
        view = self._background.copy()
        for head in self._heads:
            turn = 2 * math.pi * (index / (self._info.frame_count or 1) + head.phase)
            x = head.middle_xy[0] + head.sway_xy[0] * math.sin(turn)
            y = head.middle_xy[1] + head.sway_xy[1] * math.sin(2 * turn)
            _paste(view, head, (x, y), 1 + _ZOOM * math.cos(turn), _TILT_DEGREES * math.cos(turn))
        return view


def write_clip(source: CrowdSource, path: Path) -> Path:
    """Writes the clip as the recorder would, so that reading it is real work."""
    with VideoFile(path, source.info, RecorderSection()) as film:
        for frame in source.frames():
            film.add(frame.image, frame.time_s)
    return path


def _oval(width: int, height: int) -> NDArray[np.float32]:
    """1 in the middle, 0 at the edges, soft in between."""
    x, y = np.linspace(-1, 1, width), np.linspace(-1, 1, height)
    distance = np.hypot(x[None], y[:, None])
    return np.clip((1 - distance) / 0.2, 0, 1).astype(np.float32)[..., None]


def _paste(
    view: Image, head: _Head, middle_xy: tuple[float, float], zoom: float, tilt_degrees: float
) -> None:
    """Draws a head into a picture."""
    high, wide = head.image.shape[:2]
    corner = round(middle_xy[0] - 0.6 * wide), round(middle_xy[1] - 0.6 * high)
    left, top = max(corner[0], 0), max(corner[1], 0)
    place = view[top : corner[1] + round(1.2 * high), left : corner[0] + round(1.2 * wide)]
    matrix = cv2.getRotationMatrix2D((wide / 2, high / 2), tilt_degrees, zoom)
    matrix[:, 2] += middle_xy[0] - wide / 2 - left, middle_xy[1] - high / 2 - top
    size_wh = place.shape[1], place.shape[0]
    image = cv2.warpAffine(head.image, matrix, size_wh).astype(np.float32)
    mask = cv2.warpAffine(head.mask, matrix, size_wh)[..., None]
    place[:] = (place + (image - place) * mask).astype(np.uint8)
