"""The frames of joined spans as sinks get them: people are counted over all of them at once."""

from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stream.drawing.overlay import Overlay
from stream.frames import Frame, SourceInfo
from stream.people import Person, Settle
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
        folder, joined = self._spans[bisect(self._starts, person.best.frame) - 1]
        own = next(track for track, joined_id in joined.items() if joined_id == person.track_id)
        crop = as_bgr(folder / picture_name(own))
        return replace(person, best=replace(person.best, crop=crop))


class JoinedFrames(FrameAssembler):
    """Makes the annotated frames of joined spans, which have no pixels.

    Args:
        info: the source.
        count: how many there are.
        crops: gives the crops of faces; None where none is wanted.
        settle: says which tracks are of one person; None where they are not joined.
    """

    def __init__(
        self,
        info: SourceInfo,
        count: int,
        crops: PartCrops | None,
        settle: Settle | None = None,
    ) -> None:
        super().__init__(Overlay(), info, settle=settle)
        self._last_index = count - 1
        self._crops = crops

    def annotated(self, frame: Frame, tracks: Sequence[Track]) -> AnnotatedFrame:
        """The next frame as all sinks get it, its people counted.

        Those who are present get their crops in the last frame only: before that no sink asks.
        """
        annotated = super().annotated(frame, tracks)
        if self._crops is not None:
            annotated.ended = list(map(self._crops.with_crop, annotated.ended))
            if frame.index == self._last_index:
                annotated.present = list(map(self._crops.with_crop, annotated.present))
        return annotated

    def _face_places(self, frame: Frame, tracks: Sequence[Track]) -> NDArray[np.float32]:
        """None: nothing is drawn of these frames, and so nothing blurred."""
        return np.zeros((0, 4), np.float32)
