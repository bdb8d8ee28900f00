"""How steady boxes are: the jitter of tracks against the ground truth of scenes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.benchmarks.tracking.scenes import SceneSource
from stream.benchmarks.tracking.tracking_metrics import MIN_VISIBLE, match
from stream.tracks import Track

_NOISE_GAIN = math.sqrt(6)
"""By how much a second difference multiplies the standard deviation of independent errors: its
coefficients are 1, -2 and 1."""


@dataclass(frozen=True, slots=True)
class Steadiness:
    """The jitter of the boxes of one scene or several.

    Attributes:
        triples: number of times that a track covered a face in three consecutive frames.
        centre_squares: sum over these of the squared second difference of the error of the centre,
            the mean of x and y, in squared face widths.
        size_squares: the same of the size.
    """

    triples: int = 0
    centre_squares: float = 0.0
    size_squares: float = 0.0

    def __add__(self, other: "Steadiness") -> "Steadiness":
        return Steadiness(
            self.triples + other.triples,
            self.centre_squares + other.centre_squares,
            self.size_squares + other.size_squares,
        )

    @property
    def centre(self) -> float:
        """Standard deviation of a centre's x or y from frame to frame, in face widths."""
        return self._deviation(self.centre_squares)

    @property
    def size(self) -> float:
        """Standard deviation of a size from frame to frame, in face widths."""
        return self._deviation(self.size_squares)

    def as_dict(self) -> dict[str, float]:
        """The jitter as JSON has it, in face widths."""
        return {"triples": self.triples, "centre": self.centre, "size": self.size}

    def _deviation(self, squares: float) -> float:
        return math.sqrt(squares / self.triples) / _NOISE_GAIN if self.triples else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _BoxError:
    """How the box of a track differs from the true one.

    Attributes:
        track_id: of the track.
        values: `(3,)`, x and y of the centre, in true widths, and the ratio of the sizes.
    """

    track_id: int
    values: NDArray[np.float64]


def measure_steadiness(
    scene: SceneSource, tracks_by_frame: Sequence[Sequence[Track]]
) -> Steadiness:
    """The jitter of the tracks of each frame, on faces that are visible."""
    errors = [_errors(scene, index, tracks) for index, tracks in enumerate(tracks_by_frame)]
    seconds = [
        after[face_id].values - 2 * now.values + before[face_id].values
        for before, frame, after in zip(errors, errors[1:], errors[2:], strict=False)
        for face_id, now in frame.items()
        if _track_id(before, face_id) == now.track_id == _track_id(after, face_id)
    ]
    squares = np.square(np.array(seconds).reshape(-1, 3)).sum(axis=0)
    return Steadiness(len(seconds), float(squares[:2].mean()), float(squares[2]))


def _errors(scene: SceneSource, index: int, tracks: Sequence[Track]) -> dict[int, _BoxError]:
    """The errors of the boxes in one frame, by face id."""
    truth, boxes = scene.truth(index), {each.track_id: each.box_xyxy for each in tracks}
    visible = {each.face_id: each.box_xyxy for each in truth if each.visible >= MIN_VISIBLE}
    return {
        face_id: _BoxError(track_id, _difference(boxes[track_id], visible[face_id]))
        for face_id, track_id in match(truth, tracks).items()
        if face_id in visible
    }


def _difference(box: NDArray[np.float32], true: NDArray[np.float32]) -> NDArray[np.float64]:
    """The values of a `_BoxError`."""
    both = np.array([box, true], np.float64)
    centre, true_centre = (both[:, :2] + both[:, 2:]) / 2
    size, true_size = np.sqrt((both[:, 2:] - both[:, :2]).prod(axis=1))
    true_width = both[1, 2] - both[1, 0]
    return np.array([*(centre - true_centre) / true_width, size / true_size])


def _track_id(errors: Mapping[int, _BoxError], face_id: int) -> int | None:
    return errors[face_id].track_id if face_id in errors else None
