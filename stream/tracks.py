"""What is known of one face in one frame, and what it is perceived as."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Label:
    """What one attribute of a person is perceived as.

    Attributes:
        text: the class or group of classes, or None where the model is unsure.
        confidence: the probability of that, where unsure of the likeliest; 0 to 1.
        probabilities: of every class, those of a group each on its own.
    """

    text: str | None
    confidence: float
    probabilities: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Track:
    """One person in one frame.

    Attributes:
        track_id: the same from frame to frame.
        box_xyxy: `(4,)` float32, px of the frame.
        score: the detector's confidence when the face was last seen.
        labels: by attribute; empty while the face is too small to say.
        seen_frames: in how many frames it was found.
        missed_frames: for how many it has not been; 0 is now.
        quality: how good the best view so far was, 0 to 1.
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
