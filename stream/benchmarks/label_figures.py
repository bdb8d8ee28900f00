"""How right and how steady labels are, against what the faces of a scene are labelled as."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stream.tracks import Label, Track


@dataclass(frozen=True, slots=True)
class FaceOutcome:
    """One attribute of one face in one scene.

    Attributes:
        settled_right: the likeliest class its track has in the end is the true one.
        views: how many single frames were labelled on their own.
        views_right: in how many of them the likeliest class was the true one; under `views`.
        shown_right: the label shown in the end is the true class; None where it was unsure.
    """

    settled_right: bool
    views: int
    views_right: int
    shown_right: bool | None

    @property
    def gain(self) -> float:
        """By how much the settled label is right more often than a single frame's, -1 to 1."""
        return self.settled_right - self.views_right / self.views


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """Of one attribute, over some scenes.

    Attributes:
        faces: each face that had a label in the end and in some single frame.
        changes: how often the label of a track changed, to unsure and from it included.
        track_minutes: how long tracks lasted, added up.
    """

    faces: tuple[FaceOutcome, ...] = ()
    changes: int = 0
    track_minutes: float = 0.0

    def __add__(self, other: "LabelFigures") -> "LabelFigures":
        return LabelFigures(
            self.faces + other.faces,
            self.changes + other.changes,
            self.track_minutes + other.track_minutes,
        )

    @property
    def changes_per_minute(self) -> float:
        """Of one track."""
        return self.changes / self.track_minutes if self.track_minutes else 0.0

    @property
    def settled_accuracy(self) -> float:
        """Share of faces whose track says the true class in the end."""
        return _mean([face.settled_right for face in self.faces])

    @property
    def single_accuracy(self) -> float:
        """How often a single frame says the true class; every face counts as much."""
        return _mean([face.views_right / face.views for face in self.faces])

    @property
    def gain(self) -> float:
        """Settled less single accuracy."""
        return _mean([face.gain for face in self.faces])

    @property
    def gain_margin(self) -> float:
        """Half the 95 % confidence interval of the gain, the faces being the sample."""
        if len(self.faces) < 2:
            return math.inf
        deviation = float(np.std([face.gain for face in self.faces], ddof=1))
        return 1.96 * deviation / math.sqrt(len(self.faces))

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        shown = [face.shown_right for face in self.faces if face.shown_right is not None]
        return {
            "faces": len(self.faces),
            "views": sum(face.views for face in self.faces),
            "settled_right": sum(face.settled_right for face in self.faces),
            "views_right": sum(face.views_right for face in self.faces),
            "faces_better_settled": sum(face.gain > 0 for face in self.faces),
            "faces_worse_settled": sum(face.gain < 0 for face in self.faces),
            "shown": len(shown),
            "shown_right": sum(shown),
            "settled_accuracy": self.settled_accuracy,
            "single_accuracy": self.single_accuracy,
            "gain": self.gain,
            "gain_margin_95": self.gain_margin if self.faces[1:] else None,
            "changes": self.changes,
            "track_minutes": self.track_minutes,
            "changes_per_minute": self.changes_per_minute,
        }


def likeliest(label: Label) -> str:
    """The class of highest probability, shown or not."""
    return max(label.probabilities, key=label.probabilities.__getitem__)


def label_changes(tracks_by_frame: Sequence[Sequence[Track]], attribute: str) -> int:
    """How often the label of a track is another than in the frame before."""
    before: dict[int, str | None] = {}
    changes = 0
    for tracks in tracks_by_frame:
        for track in tracks:
            label = track.labels.get(attribute)
            if label is not None:
                changes += before.get(track.track_id, label.text) != label.text
                before[track.track_id] = label.text
    return changes


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0
