"""Where the faces of a source are: known ones followed, new ones searched for."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.engine import Engine
from models.faces import Detections, iou
from stream.controls import Controls, RunReport
from stream.following.change_map import ChangeMap
from stream.following.cuts import CutDetector
from stream.following.schedule import Schedule, SearchPart
from stream.following.template_matching import TemplateMatcher
from stream.following.track_state import TrackState
from stream.following.tracker import Tracker
from stream.frames import Frame, SourceInfo

_RETURNING_AFTER = 3
"""Missed frames after which a face that is found again is due for a view at once; fewer cost more
views of faces that the detector misses now and then. Chosen by eye."""

_SAME_FACE_IOU = 0.4
"""Overlap above which two searches of one frame have found the same face; their boxes differ by a
step of the pyramid, a fifth. Lower takes neighbours for one face."""


@dataclass(frozen=True, slots=True)
class FramePlan:
    """How a frame is processed.

    Attributes:
        frames: how many frames it is on from the last one; a live source skips some.
        is_cut: it is unrelated to those before: no face is followed into it.
        part: what of it is searched for new faces; None for nothing.
    """

    frames: int
    is_cut: bool
    part: SearchPart | None


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """The faces of tracks that a search found in a frame.

    Attributes:
        faces: what was found near the tracks.
        rows: by track, the row of its face.
        returning: the tracks among them that had been lost for some frames.
    """

    faces: Detections
    rows: Mapping[int, int]
    returning: Set[int]


class Follower:
    """Follows the faces of one source, and searches for new ones.

    A face that moves little is matched by its template; any other is searched for in a small crop
    around its expected place; all of a frame is searched only now and then. So a steady scene
    costs little, whatever its size.

    Args:
        engine: finds faces.
        info: the source; pictures are unrelated to one another.
        schedule: says what of each frame is searched for new faces.
        controls: what the user wishes: while faces are blurred, none may be overlooked.
        report: takes what is done to keep up with a live source.
    """

    def __init__(
        self,
        engine: Engine,
        info: SourceInfo,
        schedule: Schedule,
        controls: Controls,
        report: RunReport,
    ) -> None:
        self._tracker = Tracker(info.nominal_fps)
        self._engine = engine
        self._schedule = schedule
        self._controls = controls
        self._report = report
        self._are_unrelated = info.kind == "pictures"
        self._search_in_turns = info.is_live  # else all at once, which costs less
        self._cuts = CutDetector()
        self._change_map = ChangeMap()
        self._templates = TemplateMatcher()
        self._last_index = 0
        self._size_wh: tuple[int, int] | None = None

    def __repr__(self) -> str:
        return f"Follower({self._engine!r}, {self._schedule!r})"

    def begin(self, frame: Frame) -> FramePlan:
        """Moves on to the next frame, and says how it is processed."""
        frames = max(frame.index - self._last_index, 1)
        self._last_index = frame.index
        is_cut = self._are_unrelated or self._cuts.observe(frame) | self._is_resized(frame)
        if is_cut:
            self._tracker.lose_all(frames)
            self._schedule.restart()
        if self._are_unrelated:
            self._tracker.drop_lost()
        part = self._schedule.next_part(frame, search_all=self._controls.blur)
        self._report.load_shedding = self._schedule.load_shedding_note
        return FramePlan(frames, is_cut, part)

    def _is_resized(self, frame: Frame) -> bool:
        """Whether frames have another size from here on; the tracks are then counted in its px."""
        before_wh, self._size_wh = self._size_wh, frame.size_wh
        if before_wh in (None, frame.size_wh):
            return False
        self._tracker.rescale(np.divide(frame.size_wh, before_wh, dtype=np.float32))
        return True

    def follow(self, frame: Frame, plan: FramePlan, is_due: Callable[[int], bool]) -> Sightings:
        """Finds the faces of the tracks again.

        Where all of the frame is searched anyway, none is matched by its template.

        Args:
            frame: the picture.
            plan: how it is processed.
            is_due: whether a track is due for a view, for which its face must be searched for.
        """
        returning = {
            state.track_id
            for state in self._tracker.states
            if state.missed_frames >= _RETURNING_AFTER
        }
        is_thorough = plan.part is not None and plan.part.is_whole
        matched = {} if is_thorough else self._matched(frame, plan.frames, is_due)
        faces = self._found_near(frame, self._tracker.predicted_xyxy(plan.frames, matched))
        rows = self._tracker.follow(faces, plan.frames, matched)
        boxes = {state.track_id: state.box_xyxy for state in self._tracker.states}
        self._templates.update(frame, {track_id: boxes[track_id] for track_id in rows})
        return Sightings(faces, rows, returning & rows.keys())

    def new_faces(self, frame: Frame, part: SearchPart) -> Detections:
        """The faces that a part of the search finds and no visible track explains.

        1. Pictures: all faces of which the search is sure.
        2. Else the search is made where the picture changed; what it finds is rough.
        3. Around each finding a closer look, at other sizes, gives the faces themselves; one
           counts if either search is sure of it.
        """
        if self._are_unrelated:
            faces = self._engine.find_part(frame.image)
            return faces[self._is_sure(faces)]
        regions = self._regions(frame, part)
        if regions is not None and not len(regions):
            return Detections.of([], [])
        rough = self._engine.find_part(
            frame.image, part.index, part.count, part.scale_factor, regions
        )
        rough = rough[self._tracker.unexplained_rows(rough.boxes_xyxy)]
        faces = self._found_near(frame, rough.boxes_xyxy)
        confirmed = iou(faces.boxes_xyxy, rough[self._is_sure(rough)].boxes_xyxy) > _SAME_FACE_IOU
        faces = faces[self._is_sure(faces) | confirmed.any(axis=1)]
        return faces[self._tracker.unexplained_rows(faces.boxes_xyxy)]

    def admit(
        self, faces: Detections, appearances: Mapping[int, NDArray[np.float32]]
    ) -> dict[int, int]:
        """Gives each new face a track; see `Tracker.admit`."""
        return self._tracker.admit(faces, appearances)

    def settle_id(self, track_id: int, appearance: NDArray[np.float32], weight: float) -> int:
        """The id of a track after a view of its face: a new one if the face is plainly another's.

        Args:
            track_id: the track in whose place the face was seen.
            appearance: `(d,)`, kept to tell later views from.
            weight: how good the view is, above 0 and at most 1.
        """
        if self._tracker.is_other_face(track_id, appearance):
            track_id = self._tracker.rename(track_id)
        self._tracker.remember(track_id, appearance, weight)
        return track_id

    def finish(self, plan: FramePlan) -> Sequence[TrackState]:
        """Ends the frame; the states of the tracks, in the order of their ids."""
        if plan.is_cut:
            self._tracker.drop_lost()
        states = sorted(self._tracker.states, key=lambda state: state.track_id)
        self._templates.keep({state.track_id for state in states})
        return states

    def _matched(
        self, frame: Frame, frames: int, is_due: Callable[[int], bool]
    ) -> dict[int, NDArray[np.float32]]:
        """By track, the box `(4,)` px of a face that its template finds, so that no search need."""
        least_px = self._engine.settings.min_face_px
        expected = {
            state.track_id: state.predicted_xyxy(frames)
            for state in self._tracker.states
            if state.may_be_matched(frame.index + self._turn_offset(state))
            and not (state.width_px >= least_px and is_due(state.track_id))
        }
        return self._templates.match(frame, expected)

    def _turn_offset(self, state: TrackState) -> int:
        """By how many frames the turn of a track is off: in a live source each has its own."""
        return state.track_id if self._search_in_turns else 0

    def _found_near(self, frame: Frame, boxes_xyxy: NDArray[np.float32]) -> Detections:
        """The faces near places `(n, 4)`; of none, the picture is not even converted."""
        if not len(boxes_xyxy):
            return Detections.of([], [])
        return self._engine.find_near(frame.image, boxes_xyxy)

    def _is_sure(self, faces: Detections) -> NDArray[np.bool_]:
        return faces.scores > self._engine.settings.threshold

    def _regions(self, frame: Frame, part: SearchPart) -> NDArray[np.float32] | None:
        """Where a part of the search must be made, `(n, 4)` px; None for everywhere."""
        if self._controls.blur:
            return None
        face_px = self._engine.smallest_px(frame.size_wh, part.scale_factor)
        visible_xyxy, lost_xyxy = self._tracker.visible_xyxy, self._tracker.lost_xyxy
        return self._change_map.take_regions(frame, part, visible_xyxy, lost_xyxy, face_px)
