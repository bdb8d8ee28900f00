"""Scenes with exact ground truth: pictures of faces that move on known trajectories.

Each face is one still picture over a plain background. From frame to frame its place, size, tilt
and blur change, and the noise of a camera indoors is added, new in each frame.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from models.pictures.h264 import coded_as_h264
from stream.benchmarks.tracking.trajectories import (
    SIZE_WH,
    Pose,
    Trajectory,
    approaching,
    blurring,
    crossing,
    leaving_and_returning,
    panning,
)
from stream.frames import Frame, SourceInfo

FACES_IN_ALL = 13
"""Number of faces in the scenes, all scenes together."""

FPS = 25.0
"""Frame rate of the scenes, frames a second."""

_FACE_IN_CHIP = (0.12, -0.03, 0.90, 0.94)
"""The detector's box of an aligned chip of padding 0.25 that lies in a scene, as fractions of the
chip (left, top, right, bottom): the median of CenterFace's over 80 chips of FairFace."""

_FEATHER = 0.02
"""Softness of the edge of a chip on the background, as a share of the chip's width."""

_BACKGROUND_GREY = (60, 190)
"""The darkest and the brightest value of the background, 0 to 255."""

_NOISE = 8.0
"""Standard deviation of the noise of a pixel, in steps of 255: a webcam's in a lit room."""

_NOISE_SHIFTS = 61
"""Places at which the one field of noise is laid over a frame, in each direction."""

_OCCLUDER_BGR = (70, 80, 90)
"""Colour of what hides faces, BGR."""


@dataclass(frozen=True, slots=True, eq=False)
class SceneFace:
    """A face that moves: an aligned chip, BGR, its true labels by attribute, and its trajectory."""

    chip: Image
    labels: Mapping[str, str]
    trajectory: Trajectory


@dataclass(frozen=True, slots=True)
class Occluder:
    """A column from `left` to `right` px that hides the faces behind it."""

    left: int
    right: int


@dataclass(frozen=True, slots=True, eq=False)
class TrueFace:
    """The ground truth of one face in one frame.

    Attributes:
        face_id: place of the face among the faces of the scene.
        box_xyxy: `(4,)`, left, top, right, bottom, px.
        visible: share of the box that is not hidden, 0 to 1.
    """

    face_id: int
    box_xyxy: NDArray[np.float32]
    visible: float


class SceneSource:
    """A scene as a video; later faces are in front of earlier ones.

    Args:
        name: what the scene tests.
        faces: the faces in it.
        duration_s: length of the video, s.
        occluders: what is in front of all faces.
        shot_s: length of a shot, after which the background is another one, s; 0 for no cuts.
    """

    def __init__(
        self,
        name: str,
        faces: Sequence[SceneFace],
        duration_s: float,
        occluders: Sequence[Occluder] = (),
        shot_s: float = 0.0,
    ) -> None:
        self.faces = tuple(faces)
        self._occluders = tuple(occluders)
        self._info = SourceInfo(name, "video", SIZE_WH, FPS, round(duration_s * FPS))
        self._shot_frames = round(shot_s * FPS)
        self._background = _background()
        self._noise = _noise()
        self._crf: int | None = None

    def __repr__(self) -> str:
        return f"SceneSource({self._info.uri}, {len(self.faces)} faces)"

    @property
    def info(self) -> SourceInfo:
        """A video of known length."""
        return self._info

    def coded(self, crf: int | None) -> "SceneSource":
        """The same scene, coded as H.264 of a rate factor; as it is drawn where that is None."""
        scene = copy(self)
        scene._crf = crf
        return scene

    def frames(self) -> Iterator[Frame]:
        """The frames, each drawn when it is asked for."""
        pictures: Iterator[Image] = map(self.draw, range(self._info.frame_count or 0))
        if self._crf is not None:
            pictures = coded_as_h264(pictures, self._crf, SIZE_WH, FPS)
        for index, picture in enumerate(pictures):
            yield Frame(picture, index, index / FPS, time.monotonic())

    def interrupt(self) -> None:
        """It never waits."""

    def close(self) -> None:
        """There is nothing to release."""

    def truth(self, index: int) -> list[TrueFace]:
        """The faces in a frame, those that are fully hidden too."""
        front = np.full(SIZE_WH[::-1], -1, dtype=np.int16)  # by pixel, the id of the face in front
        boxes: dict[int, NDArray[np.float32]] = {}
        for face_id, face in enumerate(self.faces):
            pose = face.trajectory(index / FPS)
            if pose is not None:
                boxes[face_id] = _box(pose)
                _region(front, boxes[face_id])[:] = face_id
        for occluder in self._occluders:
            front[:, occluder.left : occluder.right] = -1
        return [
            TrueFace(face_id, box, _share(_region(front, box) == face_id, box))
            for face_id, box in boxes.items()
        ]

    def draw(self, index: int) -> Image:
        """The picture of a frame."""
        is_odd_shot = self._shot_frames and index // self._shot_frames % 2
        picture = 255 - self._background if is_odd_shot else self._background.copy()
        for face in self.faces:
            pose = face.trajectory(index / FPS)
            if pose is not None:
                _paste(picture, face.chip, pose)
        for occluder in self._occluders:
            top_left, bottom_right = (occluder.left, 0), (occluder.right - 1, SIZE_WH[1])
            cv2.rectangle(picture, top_left, bottom_right, _OCCLUDER_BGR, cv2.FILLED)
        y, x = index % _NOISE_SHIFTS, 37 * index % _NOISE_SHIFTS
        noise = self._noise[y : y + SIZE_WH[1], x : x + SIZE_WH[0]]
        return cv2.add(picture, noise, dtype=cv2.CV_8U).astype(np.uint8, copy=False)


def scenes(labelled_chips: Sequence[tuple[Image, Mapping[str, str]]]) -> list[SceneSource]:
    """One scene of each kind: pan, scale, blur, cross, occlude, leave and return.

    Args:
        labelled_chips: `FACES_IN_ALL` chips with their labels; none is used twice.
    """
    unused = iter(labelled_chips)

    def face(trajectory: Trajectory) -> SceneFace:
        chip, labels = next(unused)
        return SceneFace(chip, labels, trajectory)

    return [
        SceneSource("pan", [face(panning(x)) for x in (0.2, 0.5, 0.8)], 8),
        SceneSource("scale", [face(approaching(x)) for x in (0.25, 0.75)], 8),
        SceneSource("blur", [face(blurring(x)) for x in (0.3, 0.7)], 8),
        SceneSource("cross", [face(crossing(0.5, right=right)) for right in (True, False)], 6),
        SceneSource(
            "occlude",
            [face(crossing(0.3, right=True)), face(crossing(0.7, right=False))],
            6,
            [Occluder(600, 690)],
        ),
        SceneSource("leave and return", [face(leaving_and_returning), face(panning(0.75))], 8),
    ]


def _paste(picture: Image, chip: Image, pose: Pose) -> None:
    """Draws a chip into a picture."""
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
    """The part of a chip that is drawn: all but its edges, which are soft; 0 to 1.

    Hair, ears and neck are drawn too: a detector looks at what surrounds a face.
    """
    mask = np.zeros((height, width), dtype=np.float32)
    edge = math.ceil(2 * width * _FEATHER)
    mask[edge : height - edge, edge : width - edge] = 1.0
    return cv2.GaussianBlur(mask, (0, 0), width * _FEATHER).astype(np.float32, copy=False)


def _background() -> Image:
    """Soft shades of random colours, the same in every scene."""
    noise = np.random.default_rng(0).integers(0, 256, (9, 16, 3)).astype(np.float32)
    smooth = cv2.resize(noise, SIZE_WH, interpolation=cv2.INTER_CUBIC)
    low, high = _BACKGROUND_GREY
    return (low + np.clip(smooth, 0, 255) / 255 * (high - low)).astype(np.uint8)


def _noise() -> NDArray[np.int16]:
    """Gaussian noise larger than a frame by `_NOISE_SHIFTS`, the same in every scene."""
    shape = SIZE_WH[1] + _NOISE_SHIFTS, SIZE_WH[0] + _NOISE_SHIFTS, 3
    random = np.random.default_rng(0)
    return (_NOISE * random.standard_normal(shape, dtype=np.float32)).astype(np.int16)


def _box(pose: Pose) -> NDArray[np.float32]:
    """The box `(4,)` that the detector would find of a face in a pose, px."""
    left, top, right, bottom = (np.array(_FACE_IN_CHIP) - 0.5) * pose.width
    # The middle of the face lies above the middle of the chip, and turns around it.
    x, y = (left + right) / 2, (top + bottom) / 2
    angle = math.radians(pose.tilt_degrees)
    cx = pose.x + x * math.cos(angle) + y * math.sin(angle)
    cy = pose.y - x * math.sin(angle) + y * math.cos(angle)
    half_w, half_h = (right - left) / 2, (bottom - top) / 2
    return np.array([cx - half_w, cy - half_h, cx + half_w, cy + half_h], dtype=np.float32)


def _region(front: NDArray[np.int16], box: NDArray[np.float32]) -> NDArray[np.int16]:
    """The pixels of a box, as a view."""
    left, top, right, bottom = (max(round(float(edge)), 0) for edge in box)
    return front[top:bottom, left:right]


def _share(seen: NDArray[np.bool_], box: NDArray[np.float32]) -> float:
    """The share of a box that its seen pixels make up, 0 to 1."""
    area = float(np.prod(box[2:] - box[:2]))
    return min(float(seen.sum()) / area, 1.0)
