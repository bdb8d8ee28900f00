"""How soon newcomers are seen: a scene that faces enter one after the other, and the delays."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.faces import Image
from stream.benchmarks.tracking.scenes import FACES_IN_ALL, FPS, SceneFace, SceneSource
from stream.benchmarks.tracking.tracking_metrics import match
from stream.benchmarks.tracking.trajectories import Trajectory, appearing, walking_in
from stream.tracks import Track

_FIRST_S = 1.0
"""When the first newcomer comes, s; by then the first search of all is long done."""

_EVERY_FRAMES = 19
"""Frames between two newcomers: no divisor in common with 20, so that thirteen meet as many phases
of a search that comes round in 4, 5, 10 or 20 frames."""

_TAIL_S = 2.5
"""How long the scene lasts after the last one, s; who is not seen by then counts as never."""

_COLUMNS = (0.12, 0.31, 0.5, 0.69, 0.88)
"""The places of the faces, as shares of the width."""

_ROWS = (0.18, 0.5, 0.82)
"""The same, of the height."""

_WIDTHS_PX = (80.0, 120.0, 160.0)
"""Widths of the chips, in turns, px; a face makes up four fifths of it."""

_STRIDE = 4
"""Steps from one place to the next in the order of coming: no two neighbours come in turn."""

_WHOLLY_VISIBLE = 0.95
"""Visible share from which a face is wholly in the picture; its edges are rounded to pixels."""


@dataclass(frozen=True, slots=True)
class NewcomerMetrics:
    """How soon newcomers were seen.

    Attributes:
        delays_s: by newcomer the time from the first frame that it is wholly in to the first track
            on it, s: 0 if it is seen before, infinite if never.
    """

    delays_s: tuple[float, ...] = ()

    def __add__(self, other: "NewcomerMetrics") -> "NewcomerMetrics":
        return NewcomerMetrics(self.delays_s + other.delays_s)

    def percentile_s(self, percent: float) -> float:
        """A percentile of the delays, rounded up to one of them, s; there is one at least."""
        return float(np.percentile(self.delays_s, percent, method="higher"))

    def as_dict(self) -> dict[str, object]:
        """The metrics as JSON has them, which knows no infinity: None."""
        figures = {"p50_s": 50, "p95_s": 95, "max_s": 100}
        delays = {name: self.percentile_s(percent) for name, percent in figures.items()}
        return {
            "faces": len(self.delays_s),
            "never_seen": sum(map(math.isinf, self.delays_s)),
            **{name: value if math.isfinite(value) else None for name, value in delays.items()},
        }


def newcomer_scene(labelled_chips: Sequence[tuple[Image, Mapping[str, str]]]) -> SceneSource:
    """A scene that `FACES_IN_ALL` faces enter, given as chips with their labels."""
    times_s = [_FIRST_S + number * _EVERY_FRAMES / FPS for number in range(FACES_IN_ALL)]
    faces = [
        SceneFace(chip, labels, _coming(number, at_s))
        for number, (at_s, (chip, labels)) in enumerate(zip(times_s, labelled_chips, strict=True))
    ]
    return SceneSource("newcomers", faces, times_s[-1] + _TAIL_S)


def measure_newcomers(
    scene: SceneSource, tracks_by_frame: Sequence[Sequence[Track]]
) -> NewcomerMetrics:
    """Compares the tracks of each frame with the faces that come in a scene."""
    entered: dict[int, int] = {}  # face id → the first frame that it is wholly in
    seen: dict[int, int] = {}  # face id → the first frame that a track covers it in
    for index, tracks in enumerate(tracks_by_frame):
        truth = scene.truth(index)
        for face in truth:
            if face.visible >= _WHOLLY_VISIBLE:
                entered.setdefault(face.face_id, index)
        for face_id in match(truth, tracks):
            seen.setdefault(face_id, index)
    return NewcomerMetrics(
        tuple(
            max(seen[face_id] - index, 0) / FPS if face_id in seen else math.inf
            for face_id, index in sorted(entered.items())
        )
    )


def _coming(number: int, at_s: float) -> Trajectory:
    """How the newcomer of a number comes: into the outer columns from the side, else at once."""
    place = number * _STRIDE % (len(_COLUMNS) * len(_ROWS))
    x, y = _COLUMNS[place % len(_COLUMNS)], _ROWS[place // len(_COLUMNS)]
    width = _WIDTHS_PX[number % len(_WIDTHS_PX)]
    if x in (_COLUMNS[0], _COLUMNS[-1]):
        return walking_in(x, y, width, at_s)
    return appearing(x, y, width, at_s)
