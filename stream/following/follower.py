"""Where the faces of a source are: known ones followed, new ones searched for."""

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.engine import Engine
from models.faces import Detections, concatenate, iou
from stream.controls import Controls, RunReport
from stream.following.change_map import ChangeMap
from stream.following.cuts import CutDetector
from stream.following.schedule import Schedule, Search
from stream.following.search_steps import SearchStep, SearchSteps
from stream.following.smallest_faces import note_smallest
from stream.following.template_matching import TemplateMatcher
from stream.following.track_state import TrackState
from stream.following.tracker import Tracker
from stream.frames import Frame, SourceInfo

NextDue: TypeAlias = Callable[[Mapping[int, NDArray[np.float32]]], Collection[int]]
"""Says which tracks are to be viewed in a frame, given where their faces should be, `(4,)` px."""

_RETURNING_AFTER = 3
"""Missed frames after which a face that is found again is due for a view at once; fewer cost more
views of faces that the detector misses now and then. Chosen by eye."""

_SAME_FACE_IOU = 0.4
"""Overlap above which a candidate and a face of the closer look are the same, the box of the first
being rough. Lower takes neighbours for one face."""


@dataclass(frozen=True, slots=True)
class FramePlan:
    """How a frame is processed.

    Attributes:
        frames: how many frames it is on from the last one; a live source skips some.
        is_cut: it is unrelated to those before: no face is followed into it.
        search: how much of it is searched for new faces; None for nothing.
    """

    frames: int
    is_cut: bool
    search: Search | None


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


@dataclass(frozen=True, slots=True, eq=False)
class NewFaces:
    """The faces that a search found and no visible track explains.

    Attributes:
        faces: where they are.
        confirmed: `(n,)`, whether two searches of the frame are sure of each.
    """

    faces: Detections
    confirmed: NDArray[np.bool_]


class Follower:
    """Follows the faces of one source, and searches for new ones.

    A face that moves little is matched by its template; any other is searched for in a small crop
    around its expected place; new faces are searched for now and then, where the picture changed.
    So a steady scene costs little, whatever its size.

    Args:
        engine: finds faces.
        info: the source, which moves.
        schedule: says what of each frame is searched for new faces.
        controls: what the user wishes: while faces are blurred, none may be overlooked.
        report: takes how small faces may be, and what is done to keep up with a live source.
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
        self._search_in_turns = info.is_live  # else all at once, which costs less
        self._cuts = CutDetector()
        self._change_map = ChangeMap()
        self._steps = SearchSteps()
        self._templates = TemplateMatcher()
        self._last_index = 0
        self._size_wh: tuple[int, int] | None = None

    def __repr__(self) -> str:
        return f"Follower({self._engine!r}, {self._schedule!r})"

    @property
    def appearances(self) -> dict[int, NDArray[np.float32]]:
        """By track, the kept appearance `(d,)` of its face; of those that have one."""
        return {
            state.track_id: state.appearance
            for state in self._tracker.states
            if state.appearance is not None
        }

    def begin(self, frame: Frame) -> FramePlan:
        """Moves on to the next frame, and says how it is processed."""
        frames = 1 if frame.sought else max(frame.index - self._last_index, 1)
        self._last_index = frame.index
        is_cut = self._is_cut(frame)
        if is_cut:
            self._tracker.lose_all(frames)
            self._schedule.restart()
        note_smallest(self._engine, frame.size_wh, self._report)
        search = self._schedule.next_search(
            frame, search_all=self._controls.blur, has_steps=bool(self._steps)
        )
        self._report.load_shedding = self._schedule.load_shedding_note
        return FramePlan(frames, is_cut, search)

    def _is_cut(self, frame: Frame) -> bool:
        """Whether another shot, a frame of another size or a place that was sought begins."""
        return self._cuts.observe(frame) | self._is_resized(frame) | frame.sought

    def _is_resized(self, frame: Frame) -> bool:
        """Whether frames have another size from here on; the tracks are then counted in its px."""
        before_wh, self._size_wh = self._size_wh, frame.size_wh
        if before_wh in (None, frame.size_wh):
            return False
        self._tracker.rescale(np.divide(frame.size_wh, before_wh, dtype=np.float32))
        return True

    def follow(self, frame: Frame, plan: FramePlan, next_due: NextDue) -> Sightings:
        """Finds the faces of the tracks again.

        Where all of the frame is searched anyway, none is matched by its template.

        Args:
            frame: the picture.
            plan: how it is processed.
            next_due: says which tracks are to be viewed; their faces must be searched for.
        """
        returning = {
            state.track_id
            for state in self._tracker.states
            if state.missed_frames >= _RETURNING_AFTER
        }
        is_thorough = plan.search is Search.ALL
        matched = {} if is_thorough else self._matched(frame, plan.frames, next_due)
        faces = self._found_near(frame, self._tracker.predicted_xyxy(plan.frames, matched))
        rows = self._tracker.follow(faces, plan.frames, matched)
        boxes = {state.track_id: state.box_xyxy for state in self._tracker.states}
        self._templates.update(frame, {track_id: boxes[track_id] for track_id in rows})
        return Sightings(faces, rows, returning & rows.keys())

    def new_faces(self, frame: Frame, search: Search) -> NewFaces:
        """The faces that a search finds and no visible track explains.

        1. The search gives candidates, whose boxes are rough.
        2. Around each candidate a closer look, at another scale, gives the faces themselves; one
           counts if either search is fairly sure of it.
        """
        rough = self._candidates(frame, search)
        rough = rough[self._tracker.unexplained_rows(rough.boxes_xyxy)]
        faces = self._found_near(frame, rough.boxes_xyxy)
        entry = self._engine.threshold - self._engine.detector.traits.entry_margin
        clear = rough[rough.scores > entry]
        overlaps = iou(faces.boxes_xyxy, clear.boxes_xyxy) > _SAME_FACE_IOU
        rows = self._tracker.unexplained_rows(faces.boxes_xyxy)
        rows = rows[((faces.scores > entry) | overlaps.any(axis=1))[rows]]
        is_sure_at_both = overlaps[:, self._is_sure(clear)].any(axis=1) & self._is_sure(faces)
        confirmed = is_sure_at_both[rows]
        return NewFaces(faces[rows], confirmed)

    def admit(
        self, new: NewFaces, appearances: Mapping[int, NDArray[np.float32]]
    ) -> dict[int, int]:
        """Gives each new face a track; see `Tracker.admit`."""
        return self._tracker.admit(new.faces, new.confirmed, appearances)

    def settle_id(self, track_id: int, appearance: NDArray[np.float32], weight: float) -> int:
        """The id of a track after a view of its face: a new one if the face is plainly another's.

        Args:
            track_id: the track in whose place the face was seen.
            appearance: `(d,)`, kept to tell later views from.
            weight: how good the view is, above 0 and at most 1.
        """
        if self._tracker.is_other_face(track_id, appearance, weight):
            track_id = self._tracker.rename(track_id)
        self._tracker.remember(track_id, appearance, weight)
        return track_id

    def finish(self, plan: FramePlan) -> Sequence[TrackState]:
        """Ends the frame; the states of the tracks, in the order of their ids."""
        if plan.is_cut:
            self._tracker.drop_lost()
        if self._controls.blur:
            # No face may be seen for the time that it takes to be sure of it.
            self._tracker.confirm_all()
        states = sorted(self._tracker.states, key=lambda state: state.track_id)
        self._templates.keep({state.track_id for state in states})
        return states

    def _matched(
        self, frame: Frame, frames: int, next_due: NextDue
    ) -> dict[int, NDArray[np.float32]]:
        """By track, the box `(4,)` px of a face that its template finds, so that no search need."""
        visible = [state for state in self._tracker.states if not state.missed_frames]
        expected = {state.track_id: state.predicted_xyxy(frames) for state in visible}
        sought = next_due(expected)
        matchable = {
            state.track_id: expected[state.track_id]
            for state in visible
            if state.may_be_matched(frame.index + self._turn_offset(state))
            and state.track_id not in sought
        }
        return self._templates.match(frame, matchable)

    def _turn_offset(self, state: TrackState) -> int:
        """By how many frames the turn of a track is off: in a live source each has its own."""
        return state.track_id if self._search_in_turns else 0

    def _found_near(self, frame: Frame, boxes_xyxy: NDArray[np.float32]) -> Detections:
        """The faces near places `(n, 4)`; of none, the picture is not even converted."""
        if not len(boxes_xyxy):
            return Detections.of([], [])
        return self._engine.find_near(frame.image, boxes_xyxy)

    def _is_sure(self, faces: Detections) -> NDArray[np.bool_]:
        return faces.scores > self._engine.threshold

    def _candidates(self, frame: Frame, search: Search) -> Detections:
        """What the search of a frame takes for faces at first sight."""
        found = [
            self._engine.find_candidates(frame.image, step.regions_xyxy, step.scale_factor)
            for step in self._steps_of(frame, search)
            if len(step.regions_xyxy)
        ]
        return concatenate(found)

    def _steps_of(self, frame: Frame, search: Search) -> list[SearchStep]:
        """What of a frame is searched: in a live source, one step at a time."""
        if search is Search.ALL:
            self._change_map.take_all(frame)
            self._steps.clear()
            return [SearchStep(np.array([[0, 0, *frame.size_wh]], dtype=np.float32))]
        if search is Search.CHANGES:
            face_px = self._engine.smallest_px(frame.size_wh)
            visible_xyxy, lost_xyxy = self._tracker.visible_xyxy, self._tracker.lost_xyxy
            regions = self._change_map.take_regions(frame, visible_xyxy, lost_xyxy, face_px)
            if not self._search_in_turns:
                return [SearchStep(regions)]
            self._steps.divide(regions, self._engine.scale(frame.size_wh), face_px)
        return [self._steps.take()] if self._steps else []
