"""People: when the face of a track was seen, what it is perceived as, and its best view."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeAlias

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

    @property
    def width_px(self) -> float:
        """The width of the face."""
        return float(self.box_xyxy[2] - self.box_xyxy[0])

    @property
    def rank(self) -> tuple[float, float]:
        """How much it shows: its quality, and where views have none, its width."""
        return self.quality, self.width_px


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One track from its first frame to its last one so far, or all tracks of one face in a file.

    Attributes:
        track_id: as in the log; of several tracks, the first.
        first_s: when the face was first seen.
        last_s: when it was last seen.
        frames: in how many frames it was seen.
        labels: what it was last perceived as; empty where it was too small for a label.
        best: the view of the highest quality; where all have none, that of the largest box.
        seconds: for how long it was seen, s; gaps do not count.
        person_id: the number of the person, as far as it is known: the id of its first track.
        tracks: the ids of its tracks.
    """

    track_id: int
    first_s: float
    last_s: float
    frames: int
    labels: Mapping[str, Label]
    best: BestView
    seconds: float = 0.0
    person_id: int = -1
    tracks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.person_id < 0:
            object.__setattr__(self, "person_id", self.track_id)
        if not self.tracks:
            object.__setattr__(self, "tracks", (self.track_id,))

    @classmethod
    def joined(cls, tracks: Sequence[Self], labels: Mapping[str, Label]) -> Self:
        """The person of one or more tracks.

        Args:
            tracks: what each came to.
            labels: what all views of them say together.
        """
        ordered = sorted(tracks, key=lambda track: track.track_id)
        first_id = ordered[0].track_id
        return cls(
            track_id=first_id,
            first_s=min(track.first_s for track in ordered),
            last_s=max(track.last_s for track in ordered),
            frames=sum(track.frames for track in ordered),
            labels=labels,
            best=max((track.best for track in ordered), key=lambda view: view.rank),
            seconds=sum(track.seconds for track in ordered),
            person_id=first_id,
            tracks=tuple(track.track_id for track in ordered),
        )

    def without_crop(self) -> Self:
        """The same without the pixels of the best view."""
        return self if self.best.crop is None else replace(self, best=replace(self.best, crop=None))

    def perceived(self) -> str:
        """The labels in words, such as `Female, White`."""
        words = [label.text or f"{name} unsure" for name, label in self.labels.items()]
        return ", ".join(words) or "too small to say"


@dataclass(frozen=True, slots=True, eq=False)
class Settlement:
    """Which tracks of a file are of one person, once all of it was seen.

    Attributes:
        person_ids: by track, the number of its person, which is the id of the first of its tracks.
            A track that is not there is a person of its own.
        labels: by number of the person, what all views of it say together, where there was one.
    """

    person_ids: Mapping[int, int]
    labels: Mapping[int, Mapping[str, Label]]

    def persons(self, tracks: Iterable[Person]) -> list[Person]:
        """The persons of a file, in the order of their numbers, given what each track came to."""
        of_person: dict[int, list[Person]] = {}
        for track in tracks:
            person_id = self.person_ids.get(track.track_id, track.track_id)
            of_person.setdefault(person_id, []).append(track)
        return [
            Person.joined(each, self.labels.get(person_id, each[-1].labels))
            for person_id, each in sorted(of_person.items())
        ]


Settle: TypeAlias = Callable[[], Settlement]
"""Says which tracks are of one person; it is asked once all frames were annotated."""
