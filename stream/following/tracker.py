"""Matches the faces of each frame to the tracks of those before."""

from collections.abc import Container, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from models.faces import Detections, iou
from stream.following.association import assign, closeness, stacked
from stream.following.track_state import OTHER_FACE_DISTANCE, SAME_FACE_DISTANCE, TrackState
from stream.frames import ASSUMED_FPS

_MIN_IOU = 0.2
"""Overlap of a face with the predicted box of the track that it continues; lower forgives faster
motion and confuses more neighbours."""

_SAME_PLACE_IOU = 0.4
"""Overlap with a visible face above which a detection is that face; lower overlooks new faces close
to known ones, higher finds known ones twice."""

_SEEN_PLACE_AFTER = 3
"""Missed frames from which a face is also searched for where it was last seen; fewer cost more
searches of faces that the detector misses now and then."""

_LOST_SEARCH_FRAMES = 4
"""Frames from one search for such a face to the next; fewer find it sooner and cost more. Where the
picture changes it is searched for anyway."""

_LOST_S = 2.0
"""How long a lost track is kept, s; longer bridges longer gaps and risks mistaken returns."""

_NO_MATCHES: Mapping[int, NDArray[np.float32]] = MappingProxyType({})
"""Of a frame in which no face was matched by its template."""


class Tracker:
    """Keeps the states of the tracks, and gives each face of a frame to one of them.

    Args:
        fps: frames a second, from which follows for how many frames a lost track is kept.

    Attributes:
        states: the states of all tracks, visible and lost.
    """

    def __init__(self, fps: float = ASSUMED_FPS) -> None:
        self.states: list[TrackState] = []
        self._max_missed = round(_LOST_S * fps)
        self._next_id = 1
        self._is_cut = False

    def __repr__(self) -> str:
        return f"Tracker({len(self.states)} tracks, next id {self._next_id})"

    @property
    def visible_xyxy(self) -> NDArray[np.float32]:
        """The boxes of the visible faces in the last frame, `(n, 4)` px."""
        return stacked([each.box_xyxy for each in self.states if not each.missed_frames])

    @property
    def lost_xyxy(self) -> NDArray[np.float32]:
        """Where the lost faces should be by now, and where they were last seen, `(n, 4)` px."""
        return stacked([box for each in self._lost for box in (each.box_xyxy, each.seen_xyxy)])

    @property
    def _lost(self) -> list[TrackState]:
        return [each for each in self.states if each.missed_frames]

    def predicted_xyxy(self, frames: int = 1, matched: Container[int] = ()) -> NDArray[np.float32]:
        """Where to search for the faces of the tracks so many frames on, `(n, 4)` px.

        A face lost for three or more frames is searched for in every fourth frame only, and at its
        last seen box too.

        Args:
            frames: how many.
            matched: the ids of tracks whose faces need no search.
        """
        wanted = [
            each
            for each in self.states
            if each.track_id not in matched and not self._may_wait(each, frames)
        ]
        seen = [each.seen_xyxy for each in wanted if each.missed_frames >= _SEEN_PLACE_AFTER]
        return stacked([*(each.predicted_xyxy(frames) for each in wanted), *seen])

    def follow(
        self,
        faces: Detections,
        frames: int = 1,
        matched: Mapping[int, NDArray[np.float32]] = _NO_MATCHES,
    ) -> dict[int, int]:
        """Moves all tracks so many frames on.

        1. A visible track takes the face that overlaps its predicted box.
        2. A lost track takes one of the faces left, the farther off the longer it was lost.
        3. A track whose face was matched by its template takes that place.
        4. All others are missed, and end when they were missed for too long.

        Args:
            faces: what was found where faces were searched for.
            frames: how many.
            matched: by track, the box `(4,)` px where its face was matched, not searched for.

        Returns:
            By track, for those whose face was found by a search: the row of the face.
        """
        found = self._assigned(faces, frames)
        for state in self.states:
            row = found.get(state.track_id)
            if row is not None:
                state.update(faces.boxes_xyxy[row], float(faces.scores[row]), frames)
            elif state.track_id in matched:
                state.match(matched[state.track_id], frames)
            else:
                state.miss(frames)
        self.states = [each for each in self.states if not self._has_ended(each, frames)]
        return found

    def unexplained_rows(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.intp]:
        """The rows of boxes that overlap no visible face of the last frame.

        Its box and where it was seen both count: the box follows a change of size with a delay.
        """
        visible = [each for each in self.states if not each.missed_frames]
        places = stacked([box for each in visible for box in (each.box_xyxy, each.seen_xyxy)])
        known = (iou(boxes_xyxy, places) > _SAME_PLACE_IOU).any(axis=1)
        return np.flatnonzero(~known)

    def admit(
        self,
        faces: Detections,
        confirmed: NDArray[np.bool_],
        appearances: Mapping[int, NDArray[np.float32]],
    ) -> dict[int, int]:
        """Gives each face a track: a lost one if the face is the same, else a new one.

        Args:
            faces: those that no visible track explains.
            confirmed: `(n,)`, whether each is surely one, so that its track may be shown at once.
            appearances: the embeddings `(d,)` of the faces that were described, by row.

        Returns:
            By track, the row of its face.
        """
        admitted: dict[int, int] = {}
        for row, (box, score) in enumerate(
            zip(faces.boxes_xyxy, faces.scores.tolist(), strict=True)
        ):
            state = self._returning(box, appearances.get(row))
            if state is None:
                state = TrackState.start(self._new_id(), box, score, bool(confirmed[row]))
                self.states.append(state)
            else:
                state.reappear(box, score)
            admitted[state.track_id] = row
        return admitted

    def is_other_face(self, track_id: int, appearance: NDArray[np.float32], weight: float) -> bool:
        """Whether an appearance `(d,)`, in a view of that weight, is plainly another face's."""
        return self._state(track_id).is_other_face(appearance, weight)

    def rename(self, track_id: int) -> int:
        """Another face has taken the place of a track: gives it an id of its own, the result."""
        new_id = self._new_id()
        self._state(track_id).become(new_id)
        return new_id

    def remember(self, track_id: int, appearance: NDArray[np.float32], weight: float) -> None:
        """Keeps the appearance `(d,)` that a track has in a view of that weight."""
        self._state(track_id).remember(appearance, weight)

    def lose_all(self, frames: int) -> None:
        """Counts all tracks as lost, so many frames on: another shot begins.

        A track whose face is admitted in this frame all the same goes on; `drop_lost` ends the
        others.
        """
        for state in self.states:
            state.miss(frames)
        self._is_cut = True

    def rescale(self, factors_xy: NDArray[np.float32]) -> None:
        """The frames have another size from here on, so many times as large, `(2,)`."""
        for state in self.states:
            state.rescale(factors_xy)

    def drop_lost(self) -> None:
        """Ends the tracks that are not visible: the next frame is unrelated to those before."""
        self.states = [each for each in self.states if not each.missed_frames]
        self._is_cut = False

    def confirm_all(self) -> None:
        """Every track counts as surely a face from here on."""
        for state in self.states:
            state.confirmed = True

    def _may_wait(self, state: TrackState, frames: int) -> bool:
        """Whether a lost face need not be searched for so many frames on.

        A live source leaves frames out: what counts is that a fourth one falls among them. A track
        that is not confirmed would end unless its face is found at once.
        """
        missed, every = state.missed_frames, _LOST_SEARCH_FRAMES
        is_turn = (missed + frames) // every > missed // every
        return state.confirmed and missed >= _SEEN_PLACE_AFTER and not is_turn

    def _state(self, track_id: int) -> TrackState:
        return next(each for each in self.states if each.track_id == track_id)

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _has_ended(self, state: TrackState, frames: int) -> bool:
        if not state.confirmed:
            return state.missed_frames > frames  # it may be missed once
        return state.missed_frames > self._max_missed

    def _assigned(self, faces: Detections, frames: int) -> dict[int, int]:
        """By track, the row of the face that continues it."""
        if not len(faces):
            return {}
        visible, lost = [each for each in self.states if not each.missed_frames], self._lost
        expected = stacked([each.predicted_xyxy(frames) for each in visible])
        pairs = assign(iou(expected, faces.boxes_xyxy), _MIN_IOU)
        found = {visible[state].track_id: row for state, row in pairs}
        free = [row for row in range(len(faces)) if row not in found.values()]
        if not (lost and free):
            return found
        predicted = [each.predicted_xyxy(frames) for each in lost]
        near = closeness(lost, predicted, faces.boxes_xyxy[free])
        found.update((lost[state].track_id, free[row]) for state, row in assign(near, 0.0))
        return found

    def _returning(
        self, box: NDArray[np.float32], appearance: NDArray[np.float32] | None
    ) -> TrackState | None:
        """The lost track that a face belongs to.

        1. Without an appearance, the track that the box overlaps; after a cut, none.
        2. The track of the same appearance, wherever it was.
        3. Where the appearance leaves it open, the nearest track in reach.

        After a cut a face must be near and of the same appearance: a camera that swings changes
        the picture as much as a cut does.
        """
        lost = self._lost
        if not lost:
            return None
        near = closeness(lost, [each.box_xyxy for each in lost], box[None])[:, 0]
        if appearance is None and self._is_cut:
            return None
        if appearance is None:
            overlap = iou(stacked([each.box_xyxy for each in lost]), box[None])[:, 0]
            candidates = np.where(overlap > _SAME_PLACE_IOU, near, -1)
        else:
            distances = np.array([each.distance(appearance) for each in lost])
            if distances.min() < SAME_FACE_DISTANCE and not self._is_cut:
                return lost[int(distances.argmin())]
            alike = distances < (SAME_FACE_DISTANCE if self._is_cut else OTHER_FACE_DISTANCE)
            candidates = np.where(alike, near, -1)
        return lost[int(candidates.argmax())] if candidates.max() >= 0 else None
