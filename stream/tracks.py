"""Tracks: one face in one frame, with the labels of what it is perceived as."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Label:
    """What one attribute of a face is perceived as.

    Attributes:
        text: the class or group of classes; None where the model is unsure.
        confidence: the probability of `text`, or of the likeliest class where unsure; 0 to 1.
        probabilities: by class, also of classes that are shown as a group.
        is_held: `text` is still shown although its probability fell under the threshold, so that
            the label does not flicker; no number is drawn beside it.
    """

    text: str | None
    confidence: float
    probabilities: Mapping[str, float]
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Track:
    """One face in one frame.

    Attributes:
        track_id: the same from frame to frame.
        box_xyxy: `(4,)` float32, px of the frame.
        score: the detector's confidence when the face was last seen.
        labels: by attribute; empty before the first view of the face, and while it is too small.
        seen_frames: in how many frames the face was found.
        missed_frames: how many frames ago the face was last found; 0 is in this frame.
        quality: the quality of the best view so far, 0 to 1.
        velocity_xy: `(2,)` float32, px a frame; zero where it is not known.
    """

    track_id: int
    box_xyxy: NDArray[np.float32]
    score: float
    labels: Mapping[str, Label]
    seen_frames: int
    missed_frames: int
    quality: float
    velocity_xy: NDArray[np.float32] = field(default_factory=lambda: np.zeros(2, np.float32))
