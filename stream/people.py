"""People: when the face of a track was seen, what it is perceived as, and its best view."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from stream.tracks import Label


@dataclass(frozen=True, slots=True, eq=False)
class BestView:
    """A face in one frame.

    Attributes:
        frame: index of the frame.
        time_s: time of the frame in its source.
        path: the file, if the frame is a picture.
        box_xyxy: `(4,)` float32, px of the frame.
        quality: how good the view is, 0 to 1; 0 where the face is too small for a label.
        crop: the face with a margin, in the pixels of the source; None where no sink needs it.
        blurred: whether the face is unrecognisable in the crop.
    """

    frame: int
    time_s: float
    path: Path | None
    box_xyxy: NDArray[np.float32]
    quality: float
    crop: Image | None = None
    blurred: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One track, from its first frame to its last one so far.

    Attributes:
        track_id: as in the log.
        first_s: when the face was first seen.
        last_s: when it was last seen.
        frames: in how many frames it was seen.
        labels: what it was last perceived as; empty where it was too small for a label.
        best: the view of the highest quality; where all have none, that of the largest box.
    """

    track_id: int
    first_s: float
    last_s: float
    frames: int
    labels: Mapping[str, Label]
    best: BestView

    def perceived(self) -> str:
        """The labels in words, such as `Female, White`."""
        words = [label.text or f"{name} unsure" for name, label in self.labels.items()]
        return ", ".join(words) or "too small to say"
