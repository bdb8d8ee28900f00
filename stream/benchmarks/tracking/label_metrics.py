"""Metrics of labels against true labels: accuracy, gain over single frames, changes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stream.tracks import Label, Track

_Z_95 = 1.96
"""Half the width of a 95 % confidence interval of a normal distribution, in standard errors."""


@dataclass(frozen=True, slots=True)
class FaceOutcome:
    """How right one attribute of one face was in one scene.

    Attributes:
        settled_right: whether the most probable class of its track at the end is the true one.
        views: number of single frames that were labelled on their own.
        views_right: number of those whose most probable class is the true one.
        shown_right: whether the label shown at the end is the true class; None where unsure.
    """

    settled_right: bool
    views: int
    views_right: int
    shown_right: bool | None

    @property
    def gain(self) -> float:
        """How much more often the settled label is right than a single frame's, -1 to 1."""
        return self.settled_right - self.views_right / self.views


@dataclass(frozen=True, slots=True)
class LabelMetrics:
    """The metrics of one attribute over one scene or several.

    Attributes:
        faces: the outcome of each face that had a label at the end and in some single frame.
        changes: changes of the labels of tracks, those to unsure and from it included.
        track_minutes: length of all tracks together, minutes.
    """

    faces: tuple[FaceOutcome, ...] = ()
    changes: int = 0
    track_minutes: float = 0.0

    def __add__(self, other: "LabelMetrics") -> "LabelMetrics":
        return LabelMetrics(
            self.faces + other.faces,
            self.changes + other.changes,
            self.track_minutes + other.track_minutes,
        )

    @property
    def changes_per_minute(self) -> float:
        """Changes of label in a minute of one track."""
        return self.changes / self.track_minutes if self.track_minutes else 0.0

    @property
    def settled_accuracy(self) -> float:
        """Share of faces whose track has the true class at the end."""
        return _mean([face.settled_right for face in self.faces])

    @property
    def single_accuracy(self) -> float:
        """Share of single frames that have the true class, every face weighted alike."""
        return _mean([face.views_right / face.views for face in self.faces])

    @property
    def gain(self) -> float:
        """Settled accuracy less single accuracy."""
        return _mean([face.gain for face in self.faces])

    @property
    def gain_margin(self) -> float:
        """Half the width of the gain's 95 % confidence interval, with the faces as the sample."""
        if len(self.faces) < 2:
            return math.inf
        deviation = float(np.std([face.gain for face in self.faces], ddof=1))
        return _Z_95 * deviation / math.sqrt(len(self.faces))

    def as_dict(self) -> dict[str, object]:
        """The metrics as JSON has them."""
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


def most_probable_class(label: Label) -> str:
    """The class of the highest probability, whether it is shown or not."""
    return max(label.probabilities, key=label.probabilities.__getitem__)


def label_changes(tracks_by_frame: Sequence[Sequence[Track]], attribute: str) -> int:
    """How often the label of a track differs from the label that it had before."""
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
