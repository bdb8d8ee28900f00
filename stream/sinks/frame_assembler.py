"""What all sinks are given of a frame: its tracks, the people who left with it, what to blur."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stream.controls import Controls
from stream.drawing.overlay import Overlay
from stream.following.lost_faces import LostFaces
from stream.frames import Frame, SourceInfo
from stream.people import Person, Settle
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.people_ledger import PeopleLedger
from stream.sinks.segments import Segmenter
from stream.tracks import Track


class FrameAssembler:
    """Makes the annotated frames of one run; the people are counted here, once for all sinks.

    Args:
        overlay: draws the frames.
        info: the source.
        controls: what the user wishes, such as that faces be unrecognisable.
        face_crops: whether people need crops of their best views.
        segmenter: divides the run; None where it is not divided.
        settle: says which tracks are of one person; None where they are not joined.
    """

    def __init__(
        self,
        overlay: Overlay,
        info: SourceInfo,
        controls: Controls | None = None,
        *,
        face_crops: bool = False,
        segmenter: Segmenter | None = None,
        settle: Settle | None = None,
    ) -> None:
        self._overlay = overlay
        self._controls = controls or Controls()
        self._face_crops = face_crops
        self._are_unrelated = info.kind == "pictures"
        self._settle = settle
        self._people = PeopleLedger(info, keeps_all=settle is not None)
        self._lost = LostFaces()
        self._segmenter = segmenter

    def __repr__(self) -> str:
        return f"FrameAssembler({self._people!r})"

    def follow(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Takes in a frame that no sink gets: faces that are lost in it may have to be blurred in
        those that follow.
        """
        self._face_places(frame, tracks)

    def annotated(self, frame: Frame, tracks: Sequence[Track]) -> AnnotatedFrame:
        """The next frame as all sinks get it, its people counted."""
        blur, faces_xyxy = self._controls.blur, self._face_places(frame, tracks)
        annotated = AnnotatedFrame(frame, tracks, self._overlay, faces_xyxy, blur)
        picture = (lambda: annotated.shown) if self._face_crops else None
        annotated.ended = self._people.add(frame, tracks, picture, blur=blur)
        annotated.present = self._people.present
        if self._segmenter is not None:
            annotated.place = self._segmenter.place(frame, tracks)
        return annotated

    def persons(self) -> list[Person] | None:
        """The persons of all frames so far; None where tracks are not joined."""
        return None if self._settle is None else self._people.persons(self._settle())

    def _face_places(self, frame: Frame, tracks: Sequence[Track]) -> NDArray[np.float32]:
        """Where faces are, and where those may be that were lost a moment ago, `(n, 4)` px."""
        places = [track.box_xyxy for track in tracks]
        if not self._are_unrelated:
            places += list(self._lost.update(tracks, frame))
        return np.array(places, dtype=np.float32).reshape(-1, 4)
