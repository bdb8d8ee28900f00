"""Picture → tracks: each picture for itself, and those that follow looked at meanwhile."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from models.engine import Engine
from models.faces import Detections
from models.networks.runtime import available_cores
from stream.controls import RunReport
from stream.following.smallest_faces import note_smallest
from stream.frames import Frame
from stream.labelling.labeller import Labeller, Views
from stream.stopwatch import stage
from stream.tracks import Track

_AHEAD_PX = 12_000_000
"""Largest picture that is looked at before its turn, px; of larger ones several at once would take
over a gigabyte."""

_AT_REST_XY = np.zeros(2, dtype=np.float32)
"""The velocity of a face in a picture."""


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    """What was found in one picture.

    Attributes:
        faces: all of its faces.
        rows: those of them that are large enough for a label.
        views: of these.
    """

    faces: Detections
    rows: list[int]
    views: Views | None


class PictureAnnotator:
    """Finds the faces of pictures, which are unrelated to one another, and labels them.

    One picture does not keep all cores busy: those that follow are looked at meanwhile.

    Args:
        engine: finds faces.
        labeller: says what they are perceived as.
        report: takes how small faces may be.
    """

    def __init__(self, engine: Engine, labeller: Labeller, report: RunReport) -> None:
        self._engine = engine
        self._labeller = labeller
        self._report = report
        self._pool = ThreadPoolExecutor(available_cores(), thread_name_prefix="pictures")
        self._ahead: dict[int, Future[_Looked]] = {}  # by the index of the frame
        self._last_id = 0

    def __repr__(self) -> str:
        return f"PictureAnnotator({self._engine!r}, {self._labeller!r})"

    @property
    def attributes(self) -> Mapping[str, Sequence[str]]:
        """What it may say: attributes and their classes."""
        return self._labeller.attributes

    @property
    def settle(self) -> None:
        """Nothing: each face of a picture is a person of its own."""

    def annotate(self, frame: Frame, coming: Sequence[Frame] = ()) -> tuple[Track, ...]:
        """The faces in a picture, each a track of its own.

        Args:
            frame: the picture.
            coming: those that follow, as far as they have been read.
        """
        note_smallest(self._engine, frame.size_wh, self._report)
        ahead = {
            each.index: self._ahead.get(each.index) or self._pool.submit(self._look, each)
            for each in coming
            if np.prod(each.size_wh) <= _AHEAD_PX
        }
        known, self._ahead = self._ahead.get(frame.index), ahead
        looked = self._look(frame) if known is None else known.result()
        first_id = self._last_id + 1
        self._last_id += len(looked.faces)
        if looked.views is not None:
            for index, row in enumerate(looked.rows):
                self._labeller.add_view(first_id + row, looked.views, index, frame.time_s)
        track_ids = range(first_id, self._last_id + 1)
        self._labeller.keep(track_ids)
        return tuple(
            self._track(track_id, looked.faces, row) for row, track_id in enumerate(track_ids)
        )

    def _look(self, frame: Frame) -> _Looked:
        """Finds the faces of a picture, and views those that are large enough."""
        with stage("search"):
            faces = self._engine.find(frame.image)
        rows = self._labeller.wide_rows(faces, None)
        return _Looked(faces, rows, self._labeller.view(frame, faces, rows) if rows else None)

    def _track(self, track_id: int, faces: Detections, row: int) -> Track:
        return Track(
            track_id=track_id,
            box_xyxy=faces.boxes_xyxy[row],
            score=float(faces.scores[row]),
            labels=self._labeller.labels(track_id),
            seen_frames=1,
            missed_frames=0,
            quality=self._labeller.quality(track_id),
            velocity_xy=_AT_REST_XY,
        )
