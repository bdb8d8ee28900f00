"""Who is who from frame to frame."""

from collections.abc import Container, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from models.faces import Detections, centres_xy, iou, sizes_wh
from stream.following.track_state import TrackState
from stream.frames import ASSUMED_FPS

_MIN_IOU = 0.2  # of a face with where the track it continues should be
_SAME_PLACE_IOU = 0.4  # a face that overlaps one in sight so far is not somebody new
_REACH, _REACH_A_FRAME, _MAX_REACH = 0.4, 0.08, 1.2  # widths: how far off a lost face comes back
_LEFT = 3  # missed frames after which a face is looked for where it was last seen, too
_MAX_GROWTH = 1.6  # of a face while it was out of sight
_LOST_S = 2.0  # how long a track lives on out of sight
_GLIMPSES = 3  # a track seen less often than that ends as soon as it is lost
_SAME_FACE = 0.5  # distance of two embeddings; dlib's own threshold for one person is 0.6
_NO_WORSE = 0.7  # a view so much as good as the one kept replaces it
_OTHER_FACE = 0.7  # beyond it a face is somebody else even where the track should be
_NOBODY: Mapping[int, NDArray[np.float32]] = MappingProxyType({})


class Tracker:
    """Matches the faces of each frame to the trails of those before.

    Args:
        fps: frames a second, from which follows how long a lost track is waited for.
    """

    def __init__(self, fps: float = ASSUMED_FPS) -> None:
        self.trails: list[TrackState] = []
        self._max_missed = round(_LOST_S * fps)
        self._next_id = 1
        self._is_cut = False

    def __repr__(self) -> str:
        return f"Tracker({len(self.trails)} trails, next id {self._next_id})"

    @property
    def here_xyxy(self) -> NDArray[np.float32]:
        """The faces of the trails in sight, in the frame last followed, `(n, 4)`."""
        return _stacked([each.box_xyxy for each in self.trails if not each.missed_frames])

    @property
    def lost_xyxy(self) -> NDArray[np.float32]:
        """Where those that are not in sight should be by now and where they were, `(n, 4)`."""
        lost = [each for each in self.trails if each.missed_frames]
        return _stacked([box for each in lost for box in (each.box_xyxy, each.seen_xyxy)])

    def predicted_xyxy(
        self, frames: int = 1, recognised: Container[int] = ()
    ) -> NDArray[np.float32]:
        """Where, so many frames on, faces not recognised are to be looked for, `(n, 4)`."""
        wanted = [each for each in self.trails if each.track_id not in recognised]
        # Who left comes in again where they were last seen.
        left = [each.seen_xyxy for each in wanted if each.missed_frames >= _LEFT]
        return _stacked([*(each.predicted_xyxy(frames) for each in wanted), *left])

    def follow(
        self,
        faces: Detections,
        frames: int = 1,
        recognised: Mapping[int, NDArray[np.float32]] = _NOBODY,
    ) -> dict[int, int]:
        """Moves all trails so many frames on, to where `faces` were found near them.

        A trail that was in sight takes the face where it should be; those out of sight choose
        among the faces left, the farther off the longer they were gone.

        Args:
            faces: what was found where trails were looked for.
            frames: how many.
            recognised: where the face of a trail is, `(4,)`, that was not looked for.

        Returns:
            For each trail that was seen, its id and the row of its face.
        """
        seen = self._match(faces, frames)
        for trail in self.trails:
            row = seen.get(trail.track_id)
            if row is not None:
                trail.see(faces.boxes_xyxy[row], float(faces.scores[row]), frames)
            elif trail.track_id in recognised:
                trail.recognise(recognised[trail.track_id], frames)
            else:
                trail.miss(frames)
        self.trails = [trail for trail in self.trails if not self._is_over(trail, frames)]
        return seen

    def strangers(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.intp]:
        """The rows of the boxes that no trail in sight accounts for, in the frame last followed."""
        known = (iou(boxes_xyxy, self.here_xyxy) > _SAME_PLACE_IOU).any(axis=1)
        return np.flatnonzero(~known)

    def admit(
        self, faces: Detections, signatures: Mapping[int, NDArray[np.float32]]
    ) -> dict[int, int]:
        """Gives strangers a trail each: a lost one with the same face, else a new one.

        Args:
            faces: those that `strangers` named.
            signatures: the embeddings of the rows that have one.

        Returns:
            For each trail, its id and the row of its face.
        """
        admitted: dict[int, int] = {}
        for row, (box, score) in enumerate(
            zip(faces.boxes_xyxy, faces.scores.tolist(), strict=True)
        ):
            trail = self._lost_one(box, signatures.get(row))
            if trail is None:
                trail = TrackState(self._new_id(), box.copy(), np.zeros(2, np.float32), score, box)
                self.trails.append(trail)
            else:
                # Back from somewhere else: nothing is known of its motion, nor how it looks there.
                trail.growth, trail.rested_frames = float("inf"), 0
                trail.box_xyxy, trail.velocity_xy = box.copy(), np.zeros(2, np.float32)
                trail.score, trail.seen_xyxy, trail.missed_frames = score, box, 0
                trail.seen_frames += 1
            admitted[trail.track_id] = row
        return admitted

    def sign(self, track_id: int, signature: NDArray[np.float32], weight: float) -> int:
        """Notes how a trail looks now, in a view of that weight.

        Returns:
            Its id; a new one where the face is plainly somebody else's than before.
        """
        trail = next(each for each in self.trails if each.track_id == track_id)
        if trail.signature is not None and _distance(trail.signature, signature) > _OTHER_FACE:
            trail.track_id, trail.seen_frames = self._new_id(), 1
            trail.signature_weight = 0.0
        if weight >= _NO_WORSE * trail.signature_weight:
            trail.signature, trail.signature_weight = signature, weight
        return trail.track_id

    def cut(self, frames: int) -> None:
        """Moves all trails so many frames on, into what may be another shot: all are lost.

        Those whose face is admitted in this frame in spite of it go on, `forget` ends the others.
        """
        for trail in self.trails:
            trail.miss(frames)
        self._is_cut = True

    def forget(self) -> None:
        """Ends the trails that are not in sight: what comes has nothing to do with what was."""
        self.trails = [trail for trail in self.trails if not trail.missed_frames]
        self._is_cut = False

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _is_over(self, trail: TrackState, frames: int) -> bool:
        if trail.seen_frames < _GLIMPSES:
            return trail.missed_frames > frames  # it may be missed once
        return trail.missed_frames > self._max_missed

    def _match(self, faces: Detections, frames: int) -> dict[int, int]:
        if not len(faces):
            return {}
        in_sight = [trail for trail in self.trails if not trail.missed_frames]
        lost = [trail for trail in self.trails if trail.missed_frames]
        expected = _stacked([each.predicted_xyxy(frames) for each in in_sight])
        pairs = _assign(iou(expected, faces.boxes_xyxy), _MIN_IOU)
        seen = {in_sight[trail].track_id: row for trail, row in pairs}
        free = [row for row in range(len(faces)) if row not in seen.values()]
        if not (lost and free):
            return seen
        closeness = np.maximum(
            _closeness(
                lost, [each.predicted_xyxy(frames) for each in lost], faces.boxes_xyxy[free]
            ),
            _closeness(lost, [each.seen_xyxy for each in lost], faces.boxes_xyxy[free]),
        )
        seen.update((lost[trail].track_id, free[row]) for trail, row in _assign(closeness, 0.0))
        return seen

    def _lost_one(
        self, box: NDArray[np.float32], signature: NDArray[np.float32] | None
    ) -> TrackState | None:
        """The lost trail this face belongs to: by its looks, where they leave it open by place.

        After a cut it takes both: a camera that swings changes the picture as much.
        """
        lost = [trail for trail in self.trails if trail.missed_frames]
        if not lost:
            return None
        # Where it should be by now, or where it was last seen: who left comes in there again.
        closeness = np.maximum(
            _closeness(lost, [each.box_xyxy for each in lost], box[None]),
            _closeness(lost, [each.seen_xyxy for each in lost], box[None]),
        )[:, 0]
        if signature is None and self._is_cut:
            return None
        if signature is None:
            overlap = iou(_stacked([each.box_xyxy for each in lost]), box[None])[:, 0]
            near = np.where(overlap > _SAME_PLACE_IOU, closeness, -1)
        else:
            distance = np.array([_distance(each.signature, signature) for each in lost])
            if distance.min() < _SAME_FACE and not self._is_cut:
                return lost[int(distance.argmin())]
            alike = distance < (_SAME_FACE if self._is_cut else _OTHER_FACE)
            near = np.where(alike, closeness, -1)
        return lost[int(near.argmax())] if near.max() >= 0 else None


def widths_px(faces: Detections) -> NDArray[np.float32]:
    """How wide each face is, `(n,)`."""
    return sizes_wh(faces.boxes_xyxy)[:, 0]


def _closeness(
    lost: Sequence[TrackState],
    expected_xyxy: Sequence[NDArray[np.float32]],
    boxes_xyxy: NDArray[np.float32],
) -> NDArray[np.float32]:
    """How near each box is to where a lost trail is expected, 1 to 0; -1 out of its reach."""
    expected = _stacked(expected_xyxy)
    widths, found_widths = sizes_wh(expected)[:, None, 0], sizes_wh(boxes_xyxy)[None, :, 0]
    gaps = centres_xy(expected)[:, None] - centres_xy(boxes_xyxy)[None]
    distance = np.linalg.norm(gaps, axis=-1) / widths.clip(1)
    missed = np.array([each.missed_frames for each in lost], dtype=np.float32)[:, None]
    reach = (_REACH + _REACH_A_FRAME * missed).clip(max=_MAX_REACH)
    growth = np.maximum(found_widths / widths.clip(1), widths / found_widths.clip(1))
    within = (distance <= reach) & (growth <= _MAX_GROWTH)
    return np.where(within, 1 - distance / _MAX_REACH, -1).astype(np.float32)


def _assign(gain: NDArray[np.float32], least: float) -> list[tuple[int, int]]:
    """The pairs of row and column with the largest sum of gains; those below `least` left out."""
    possible = gain >= least
    if (possible.sum(axis=0) <= 1).all() and (possible.sum(axis=1) <= 1).all():
        rows, columns = np.nonzero(possible)  # nobody has a rival
    else:
        from scipy.optimize import linear_sum_assignment  # takes half a second: only where needed

        rows, columns = linear_sum_assignment(gain, maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return [(row, column) for row, column in pairs if possible[row, column]]


def _distance(first: NDArray[np.float32] | None, second: NDArray[np.float32]) -> float:
    """Of two embeddings; infinite where one is not known."""
    if first is None:
        return float("inf")
    return float(np.linalg.norm(first - second))


def _stacked(boxes: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.array(boxes, dtype=np.float32).reshape(-1, 4)
