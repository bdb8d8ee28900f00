"""What a log is read as, whatever its format: its persons, then the faces of its frames."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

NO_FACE = -1
"""Track of a row that stands for a frame without faces."""


class Answer(NamedTuple):
    """What a log says of one attribute of a person.

    Attributes:
        label: a class, or a word for several, of the model's tree or of `labels.groups`; None where
            unsure.
        probabilities: by class.
        finest: the likeliest class of those that such a word stands for; None where the log, as a
            table, does not say it.
    """

    label: str | None
    probabilities: Mapping[str, float]
    finest: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LoggedPerson:
    """A person, or a track that is of no other.

    Attributes:
        number: of the person, or of its only track.
        tracks: the tracks of the person.
        answers: by attribute; empty where the face was too small for a label.
    """

    number: int
    tracks: tuple[int, ...]
    answers: Mapping[str, Answer]


@dataclass(frozen=True, slots=True, eq=False)
class FaceRows:
    """Faces of consecutive frames, a row each; all arrays are `(n,)`.

    Attributes:
        frame: index of the frame; rows of one frame stand together, frames in their order.
        time_s: time of the frame; of pictures anything.
        track: as in the log; `NO_FACE` for a frame without faces.
        width_px: width of the face.
        area: share of the frame that the box covers, 0 to 1.
        quality: the best view of the person so far, 0 to 1.
        is_seen: whether the face was found in this frame.
    """

    frame: NDArray[np.int64]
    time_s: NDArray[np.float64]
    track: NDArray[np.int64]
    width_px: NDArray[np.float32]
    area: NDArray[np.float32]
    quality: NDArray[np.float32]
    is_seen: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, rows: slice) -> "FaceRows":
        return FaceRows(*(getattr(self, name)[rows] for name in self.__slots__))

    def joined(self, later: "FaceRows") -> "FaceRows":
        """These rows and later ones."""
        return FaceRows(
            *(
                np.concatenate([getattr(self, each), getattr(later, each)])
                for each in self.__slots__
            )
        )


class Log(Protocol):
    """A log that was found to be one.

    Attributes:
        path: the file.
        source: what it is of, as the log says; empty where it does not.
        model: the classifier, as the log says; None where it does not.
        attributes: the classes of each attribute.
        fps: frames a second; None where it is not known.
        has_all_frames: whether frames without faces have a row, too.
        is_pictures: whether it is of pictures, which have no time.
        is_cut_short: whether its last line is incomplete.
    """

    path: Path
    source: str
    model: str | None
    attributes: Mapping[str, tuple[str, ...]]
    fps: float | None
    has_all_frames: bool
    is_pictures: bool
    is_cut_short: bool

    def persons(self) -> Iterator[LoggedPerson]:
        """Its persons. One that comes later replaces those that have a track of it."""
        ...

    def faces(self) -> Iterator[FaceRows]:
        """Its faces, part by part.

        Raises:
            SourceError: the log cannot be read.
        """
        ...
