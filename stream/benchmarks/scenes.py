"""Clips whose truth is known: real faces that move on known paths over a plain background.

What a tracker should say of them is exact, so it can be measured how far it is from that. Each face
is one still picture: what differs from view to view is its place, size, tilt and blur, and the
noise of a camera indoors, new in each frame.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from stream.frames import Frame, SourceInfo

CAST_SIZE = 13
"""How many faces the scenes show."""

FPS = 25.0
SIZE_WH = (1280, 720)

# The detector's box in an aligned chip with padding 0.25, as fractions of the chip: the median
# over 40 chips of FairFace.
_FACE_IN_CHIP = (0.05, -0.02, 0.87, 0.80)
_FEATHER = 0.02  # of the chip's width: how softly it lies on the background
_BACKGROUND_GREY = (60, 190)
_NOISE = 8.0  # of 255, the deviation of each pixel: a webcam's in a lit room
_NOISE_SHIFTS = 61  # the noise is one field, elsewhere in each frame


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a chip lies: its middle and width in px, its tilt in degrees, its blur in px."""

    x: float
    y: float
    width: float
    tilt_degrees: float = 0.0
    blur_px: float = 0.0


PathOfFace: TypeAlias = Callable[[float], Pose | None]
"""Where a face is at a time in seconds; None while it is not in the scene."""


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """A face that moves: an aligned chip, BGR, and what it is labelled as."""

    chip: Image
    labels: Mapping[str, str]
    path: PathOfFace


@dataclass(frozen=True, slots=True)
class Pillar:
    """Something that hides what passes behind it, from `left` to `right` px."""

    left: int
    right: int


@dataclass(frozen=True, slots=True, eq=False)
class TrueFace:
    """One actor in one frame: its row in the cast, its box `(4,)`, and how much of it is seen."""

    actor: int
    box_xyxy: NDArray[np.float32]
    visible: float


class SceneSource:
    """A scene as a video; later actors stand in front of earlier ones.

    Args:
        name: what it shows.
        actors: the cast.
        duration_s: how long it lasts.
        pillars: what stands in front of all of them.
    """

    def __init__(
        self, name: str, actors: Sequence[Actor], duration_s: float, pillars: Sequence[Pillar] = ()
    ) -> None:
        self.actors = tuple(actors)
        self._pillars = tuple(pillars)
        self._info = SourceInfo(name, "video", SIZE_WH, FPS, round(duration_s * FPS))
        self._background = _background()
        self._noise = _noise()

    def __repr__(self) -> str:
        return f"SceneSource({self._info.uri}, {len(self.actors)} actors)"

    @property
    def info(self) -> SourceInfo:
        """A video of known length."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """The scene, drawn as it is asked for."""
        for index in range(self._info.frame_count or 0):
            yield Frame(self.draw(index), index, index / FPS, time.monotonic())

    def interrupt(self) -> None:
        """It never waits."""

    def close(self) -> None:
        """There is nothing to release."""

    def truth(self, index: int) -> list[TrueFace]:
        """Who is in a frame, and where; those of whom nothing is seen too."""
        cover = np.full(SIZE_WH[::-1], -1, dtype=np.int16)  # whose pixel it is
        boxes: dict[int, NDArray[np.float32]] = {}
        for row, actor in enumerate(self.actors):
            pose = actor.path(index / FPS)
            if pose is not None:
                boxes[row] = _box(pose)
                _region(cover, boxes[row])[:] = row
        for pillar in self._pillars:
            cover[:, pillar.left : pillar.right] = -1
        return [
            TrueFace(row, box, _share(_region(cover, box) == row, box))
            for row, box in boxes.items()
        ]

    def draw(self, index: int) -> Image:
        """A frame of it."""
        picture = self._background.copy()
        for actor in self.actors:
            pose = actor.path(index / FPS)
            if pose is not None:
                _paste(picture, actor.chip, pose)
        for pillar in self._pillars:
            cv2.rectangle(
                picture, (pillar.left, 0), (pillar.right - 1, SIZE_WH[1]), (70, 80, 90), cv2.FILLED
            )
        y, x = index % _NOISE_SHIFTS, 37 * index % _NOISE_SHIFTS
        noise = self._noise[y : y + SIZE_WH[1], x : x + SIZE_WH[0]]
        return cv2.add(picture, noise, dtype=cv2.CV_8U).astype(np.uint8, copy=False)


def scenes(cast: Sequence[tuple[Image, Mapping[str, str]]]) -> list[SceneSource]:
    """One scene of each kind: pan, scale, blur, cross, occlude, leave and return.

    Args:
        cast: `CAST_SIZE` chips with their labels; no face is used twice.
    """
    faces = iter(cast)

    def actor(path: PathOfFace) -> Actor:
        chip, labels = next(faces)
        return Actor(chip, labels, path)

    return [
        SceneSource("pan", [actor(_panning(x)) for x in (0.2, 0.5, 0.8)], 8),
        SceneSource("scale", [actor(_approaching(x)) for x in (0.25, 0.75)], 8),
        SceneSource("blur", [actor(_blurring(x)) for x in (0.3, 0.7)], 8),
        SceneSource("cross", [actor(_walking(0.5, right=right)) for right in (True, False)], 6),
        SceneSource(
            "occlude",
            [actor(_walking(0.3, right=True)), actor(_walking(0.7, right=False))],
            6,
            [Pillar(600, 690)],
        ),
        SceneSource("leave and return", [actor(_leaving), actor(_panning(0.75))], 8),
    ]


def _panning(x: float) -> PathOfFace:
    def path(time_s: float) -> Pose:
        swing = math.sin(2 * math.pi * time_s / 4)
        return Pose(
            (x + 0.08 * swing) * SIZE_WH[0], (0.5 + 0.1 * swing) * SIZE_WH[1], 150, 8 * swing
        )

    return path


def _approaching(x: float) -> PathOfFace:
    def path(time_s: float) -> Pose:
        near = 0.5 - 0.5 * math.cos(2 * math.pi * time_s / 8)
        return Pose(x * SIZE_WH[0], 0.5 * SIZE_WH[1], 60 + 320 * near)

    return path


def _blurring(x: float) -> PathOfFace:
    def path(time_s: float) -> Pose:
        blur_px = 3.5 * max(math.sin(2 * math.pi * time_s / 4), 0)
        shift = 0.04 * math.sin(2 * math.pi * time_s / 3)
        return Pose((x + shift) * SIZE_WH[0], 0.5 * SIZE_WH[1], 160, blur_px=blur_px)

    return path


def _walking(y: float, *, right: bool) -> PathOfFace:
    def path(time_s: float) -> Pose:
        way = 0.12 + 0.76 * time_s / 6
        return Pose((way if right else 1 - way) * SIZE_WH[0], y * SIZE_WH[1], 150)

    return path


def _leaving(time_s: float) -> Pose | None:
    """Out at the left after two and a half seconds, back a second later."""
    if 2.5 <= time_s < 3.5:
        return None
    away = 2.5 - time_s if time_s < 2.5 else time_s - 3.5
    return Pose(-60 + 200 * min(away, 2.0), 0.5 * SIZE_WH[1], 150)


def _paste(picture: Image, chip: Image, pose: Pose) -> None:
    height, width = chip.shape[:2]
    scale = pose.width / width
    reach = math.ceil(scale * math.hypot(width, height) / 2) + 1  # however it is tilted
    left, top = (max(math.floor(middle) - reach, 0) for middle in (pose.x, pose.y))
    right, bottom = (max(math.ceil(middle) + reach, 0) for middle in (pose.x, pose.y))
    place = picture[top:bottom, left:right]
    if not place.size:
        return
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), pose.tilt_degrees, scale)
    matrix[:, 2] += pose.x - left - width / 2, pose.y - top - height / 2
    shrink = max(width / pose.width, 1.0)
    soft = cv2.GaussianBlur(
        chip, (0, 0), math.hypot(0.4 * (shrink - 1), pose.blur_px * shrink) or 0.01
    )
    size_wh = place.shape[1], place.shape[0]
    face = cv2.warpAffine(soft, matrix, size_wh, flags=cv2.INTER_LINEAR).astype(np.float32)
    alpha = cv2.warpAffine(_mask(width, height), matrix, size_wh)[..., None]
    place[:] = (place * (1 - alpha) + face * alpha).astype(np.uint8)


@cache
def _mask(width: int, height: int) -> NDArray[np.float32]:
    """An ellipse with soft edges: what of a chip is laid on the background, 0 to 1."""
    mask = np.zeros((height, width), dtype=np.float32)
    axes = round(width * 0.46), round(height * 0.48)
    cv2.ellipse(mask, (width // 2, height // 2), axes, 0, 0, 360, 1.0, cv2.FILLED)
    return cv2.GaussianBlur(mask, (0, 0), width * _FEATHER).astype(np.float32, copy=False)


def _background() -> Image:
    """Soft shades, the same each time."""
    noise = np.random.default_rng(0).integers(0, 256, (9, 16, 3)).astype(np.float32)
    smooth = cv2.resize(noise, SIZE_WH, interpolation=cv2.INTER_CUBIC)
    low, high = _BACKGROUND_GREY
    return (low + np.clip(smooth, 0, 255) / 255 * (high - low)).astype(np.uint8)


def _noise() -> NDArray[np.int16]:
    """More of it than a frame needs, the same each time."""
    shape = SIZE_WH[1] + _NOISE_SHIFTS, SIZE_WH[0] + _NOISE_SHIFTS, 3
    random = np.random.default_rng(0)
    return (_NOISE * random.standard_normal(shape, dtype=np.float32)).astype(np.int16)


def _box(pose: Pose) -> NDArray[np.float32]:
    left, top, right, bottom = (np.array(_FACE_IN_CHIP) - 0.5) * pose.width
    # The face's middle lies above the chip's, and turns around it.
    x, y = (left + right) / 2, (top + bottom) / 2
    angle = math.radians(pose.tilt_degrees)
    cx = pose.x + x * math.cos(angle) + y * math.sin(angle)
    cy = pose.y - x * math.sin(angle) + y * math.cos(angle)
    half_w, half_h = (right - left) / 2, (bottom - top) / 2
    return np.array([cx - half_w, cy - half_h, cx + half_w, cy + half_h], dtype=np.float32)


def _region(cover: NDArray[np.int16], box: NDArray[np.float32]) -> NDArray[np.int16]:
    left, top, right, bottom = (max(round(float(edge)), 0) for edge in box)
    return cover[top:bottom, left:right]


def _share(seen: NDArray[np.bool_], box: NDArray[np.float32]) -> float:
    area = float(np.prod(box[2:] - box[:2]))
    return min(float(seen.sum()) / area, 1.0)
