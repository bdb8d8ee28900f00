"""The frames of joined spans as sinks get them: people are counted over all of them at once."""

from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from models.faces import Image
from stream.drawing.overlay import Overlay
from stream.frames import Frame, SourceInfo
from stream.people import Person
from stream.sinks import AnnotatedFrame
from stream.sinks.frame_assembler import FrameAssembler
from stream.sinks.pictures.snapshots import picture_name
from stream.sources.given_picture import as_bgr
from stream.tracks import Track


@dataclass(slots=True)
class PartCrops:
    """The crops of faces that spans wrote, for the snapshots and the sheet of all of them.

    Of each person that is the best view of the span in which the best view of all lies.
    """

    _starts: list[int] = field(default_factory=list)  # index of the first frame of each span
    _spans: list[tuple[Path, Mapping[int, int]]] = field(default_factory=list)
    _kept: dict[int, tuple[int, Image]] = field(default_factory=dict)

    def begin(self, index: int, folder: Path, joined: Mapping[int, int]) -> None:
        """Goes on to the next span.

        Args:
            index: of its first frame.
            folder: where its snapshots are.
            joined: by track of the span, its id in the joined run; it grows with its frames.
        """
        self._starts.append(index)
        self._spans.append((folder, joined))

    def with_crop(self, person: Person) -> Person:
        """The person with the crop of their best view.

        Raises:
            SourceError: it cannot be read.
        """
        place = bisect(self._starts, person.best.frame) - 1
        kept = self._kept.get(person.track_id)
        if kept is None or kept[0] != place:
            kept = self._kept[person.track_id] = (place, self._read(place, person.track_id))
        return replace(person, best=replace(person.best, crop=kept[1]))

    def drop(self, person: Person) -> None:
        """Forgets the crop of a person whose track has ended."""
        self._kept.pop(person.track_id, None)

    def _read(self, place: int, track_id: int) -> Image:
        """The crop of a person in a span."""
        folder, joined = self._spans[place]
        own = next(track for track, joined_id in joined.items() if joined_id == track_id)
        return as_bgr(folder / picture_name(own))


class JoinedFrames(FrameAssembler):
    """Makes the annotated frames of joined spans, which have no pixels.

    Args:
        info: the source.
        crops: gives the crops of faces; None where none is wanted.
    """

    def __init__(self, info: SourceInfo, crops: PartCrops | None) -> None:
        super().__init__(Overlay(), info)
        self._crops = crops

    def annotated(self, frame: Frame, tracks: Sequence[Track]) -> AnnotatedFrame:
        """The next frame as all sinks get it, its people counted."""
        annotated = super().annotated(frame, tracks)
        crops = self._crops
        if crops is not None:
            annotated.ended = [crops.with_crop(person) for person in annotated.ended]
            annotated.present = [crops.with_crop(person) for person in annotated.present]
            for person in annotated.ended:
                crops.drop(person)
        return annotated
