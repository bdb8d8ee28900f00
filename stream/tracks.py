"""Faces of a picture and tracks of a frame, with the labels of what each face is perceived as."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.program.printable import printable

MAX_SHOWN_CONFIDENCE = 0.99
"""Highest confidence that people are shown: a model is never quite sure. Entries have the exact
figure."""

_SHARE_DIGITS = 4
"""Digits of probabilities, scores and qualities in entries; more say what no model knows."""


@dataclass(frozen=True, slots=True, repr=False)
class Label:
    """What one attribute of a face is perceived as.

    Attributes:
        text: the class or group of classes; None where the model is unsure.
        confidence: the probability of `text`, or of the likeliest class where unsure; 0 to 1.
        probabilities: by class, also of classes that are shown as a group.
        is_held: `text` is still shown although its probability fell under the threshold, so that
            the label does not flicker; no number is drawn beside it.
        finest: the likeliest class of those that `text` stands for; None where it is a class, or
            unsure.
    """

    text: str | None
    confidence: float
    probabilities: Mapping[str, float]
    is_held: bool = False
    finest: str | None = None

    def __str__(self) -> str:
        text = "unsure" if self.text is None else printable(self.text)
        return f"{text} {min(self.confidence, MAX_SHOWN_CONFIDENCE):.0%}"

    def __repr__(self) -> str:
        return f"Label({self})"

    def __hash__(self) -> int:
        return hash((self.text, self.confidence))

    def as_dict(self) -> dict[str, Any]:
        """The label as the log has it."""
        return {
            "label": self.text,
            **({} if self.finest is None else {"finest": self.finest}),
            "confidence": round(self.confidence, _SHARE_DIGITS),
            "probabilities": {
                name: round(value, _SHARE_DIGITS) for name, value in self.probabilities.items()
            },
        }


class SeenFace:
    """What a face of a picture and a track of a frame have in common.

    Two of one kind are equal where all their values are.
    """

    __slots__: tuple[str, ...] = ()

    box_xyxy: NDArray[np.float32]
    score: float
    labels: Mapping[str, Label]
    quality: float

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(
            np.array_equal(getattr(self, name), getattr(other, name))
            if isinstance(getattr(self, name), np.ndarray)
            else getattr(self, name) == getattr(other, name)
            for name in self.__slots__
        )

    def __hash__(self) -> int:
        return hash((self.score, self.quality))

    def __str__(self) -> str:
        words = ", ".join(f"{printable(name)} {label}" for name, label in self.labels.items())
        left, top, right, bottom = self.box_xyxy.round().astype(int).tolist()
        return f"{words or 'no labels'} in ({left}, {top}, {right}, {bottom})"

    def as_dict(self) -> dict[str, Any]:
        """The face in plain values, for JSON or a table, as the log has it."""
        return {
            "box": box_entry(self.box_xyxy),
            "score": round(self.score, _SHARE_DIGITS),
            "quality": round(self.quality, _SHARE_DIGITS),
            "labels": label_entries(self.labels),
        }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Face(SeenFace):
    """One face in one picture.

    Attributes:
        box_xyxy: `(4,)` float32, px of the picture.
        score: the detector's confidence; higher is surer.
        labels: by attribute; empty where the face is too small for a label.
        quality: the quality of the view, 0 to 1; 0 where there is no label.
    """

    box_xyxy: NDArray[np.float32]
    score: float
    labels: Mapping[str, Label]
    quality: float

    def __repr__(self) -> str:
        return f"Face({self})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Track(SeenFace):
    """One face in one frame, known from frame to frame.

    Attributes:
        track_id: the same from frame to frame.
        box_xyxy: `(4,)` float32, px of the frame.
        score: the detector's confidence when the face was last seen.
        labels: by attribute; empty before the first view of the face, and while it is too small.
        seen_frames: in how many frames the face was found.
        missed_frames: how many frames ago the face was last found; 0 is in this frame.
        quality: the quality of the best view so far, 0 to 1.
        velocity_xy: `(2,)` float32, px a frame; zero where it is not known.
        person_id: the number of the person, as far as it is known in this frame: the id of the
            first track of the same face in the file, or its own.
    """

    track_id: int
    box_xyxy: NDArray[np.float32]
    score: float
    labels: Mapping[str, Label]
    seen_frames: int
    missed_frames: int
    quality: float
    velocity_xy: NDArray[np.float32] = field(default_factory=lambda: np.zeros(2, np.float32))
    person_id: int = -1

    def __post_init__(self) -> None:
        if self.person_id < 0:
            object.__setattr__(self, "person_id", self.track_id)

    def __repr__(self) -> str:
        missed = f", missed for {self.missed_frames}" if self.missed_frames else ""
        return f"Track({self.track_id}: {self}{missed})"

    def as_dict(self) -> dict[str, Any]:
        """The track in plain values, for JSON or a table, as the log has it."""
        of_face = SeenFace.as_dict(self)
        box, score = of_face.pop("box"), of_face.pop("score")
        return {
            "track": self.track_id,
            "person": self.person_id,
            "box": box,
            "score": score,
            "missed": self.missed_frames,
            **of_face,
        }


def box_entry(box_xyxy: NDArray[np.float32]) -> list[float]:
    """Left, top, right and bottom of a box `(4,)`, px, to a tenth."""
    return [round(edge, 1) for edge in box_xyxy.astype(np.float64).tolist()]


def label_entries(labels: Mapping[str, Label]) -> dict[str, Any]:
    """Labels as the log has them, by attribute."""
    return {attribute: label.as_dict() for attribute, label in labels.items()}
