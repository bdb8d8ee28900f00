"""Who is who from frame to frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.faces import Faces, centres_xy, iou, sizes_wh

_MIN_IOU = 0.2  # of a face with where its track should be
_SAME_PLACE_IOU = 0.4  # a face that overlaps a track so far is not somebody new
_MAX_MISSED = 12  # frames a track lives on unseen
_UNSURE_MISSED = 1  # so many while it has been seen only once: a false alarm goes at once
_VELOCITY_GAIN = 0.3  # how fast the estimate of the motion follows what is seen
_BOX_GAIN_STILL, _BOX_GAIN_MOVING = 0.35, 0.9  # the shown box follows a moving face, not jitter
_MOVING = 0.06  # motion between frames, as a fraction of the face's width


@dataclass(slots=True, eq=False)
class Trail:
    """One person's box through time.

    Attributes:
        track_id: never used again.
        box_xyxy: `(4,)` float32, smoothed.
        velocity_xy: `(2,)` float32, px a frame.
        score: the detector's confidence when it was last seen.
        seen_frames: how often it was seen.
        missed_frames: for how many frames it has not been.
    """

    track_id: int
    box_xyxy: NDArray[np.float32]
    velocity_xy: NDArray[np.float32]
    score: float
    seen_frames: int = 1
    missed_frames: int = 0

    def predicted_xyxy(self) -> NDArray[np.float32]:
        """Where it should be in the next frame."""
        return self.box_xyxy + np.tile(self.velocity_xy, 2)

    def advance(self, seen_xyxy: NDArray[np.float32] | None, score: float = 0.0) -> None:
        """The next frame: the face as it was seen there, or None."""
        predicted = self.predicted_xyxy()
        if seen_xyxy is None:
            self.box_xyxy = predicted
            self.velocity_xy = self.velocity_xy * np.float32(0.8)
            self.missed_frames += 1
            return
        shift = centres_xy(seen_xyxy[None])[0] - centres_xy(self.box_xyxy[None])[0]
        width = max(float(seen_xyxy[2] - seen_xyxy[0]), 1.0)
        surprise = float(np.abs(seen_xyxy - predicted).max()) / width
        blend = min(surprise / _MOVING, 1.0)
        gain = _BOX_GAIN_STILL + (_BOX_GAIN_MOVING - _BOX_GAIN_STILL) * blend
        self.velocity_xy = self.velocity_xy + np.float32(_VELOCITY_GAIN) * (
            shift - self.velocity_xy
        )
        self.box_xyxy = predicted + np.float32(gain) * (seen_xyxy - predicted)
        self.score = score
        self.seen_frames += 1
        self.missed_frames = 0

    @property
    def is_over(self) -> bool:
        """It has been out of sight for too long."""
        return self.missed_frames > (_MAX_MISSED if self.seen_frames > 1 else _UNSURE_MISSED)


class Tracker:
    """Matches the faces of each frame to the trails of those before."""

    def __init__(self) -> None:
        self.trails: list[Trail] = []
        self._next_id = 1

    def __repr__(self) -> str:
        return f"Tracker({len(self.trails)} trails, next id {self._next_id})"

    def predicted_xyxy(self) -> NDArray[np.float32]:
        """Where the trails should be in the next frame, `(n, 4)`."""
        return np.array([each.predicted_xyxy() for each in self.trails], np.float32).reshape(-1, 4)

    def follow(self, faces: Faces) -> dict[int, int]:
        """Moves all trails on to the next frame, where `faces` were found near them.

        Returns:
            For each trail that was seen, its id and the row of its face.
        """
        matched = _assign(iou(self.predicted_xyxy(), faces.boxes_xyxy))
        seen: dict[int, int] = {}
        for index, trail in enumerate(self.trails):
            row = matched.get(index)
            if row is None:
                trail.advance(None)
            else:
                trail.advance(faces.boxes_xyxy[row], float(faces.scores[row]))
                seen[trail.track_id] = row
        self.trails = [trail for trail in self.trails if not trail.is_over]
        return seen

    def admit(self, faces: Faces) -> dict[int, int]:
        """Starts a trail for each face where none is yet, in the frame last followed.

        Returns:
            For each new trail, its id and the row of its face.
        """
        here = np.array([each.box_xyxy for each in self.trails], np.float32).reshape(-1, 4)
        known = (iou(faces.boxes_xyxy, here) > _SAME_PLACE_IOU).any(axis=1)
        started: dict[int, int] = {}
        for row in np.flatnonzero(~known).tolist():
            still = np.zeros(2, dtype=np.float32)
            box, score = faces.boxes_xyxy[row].copy(), float(faces.scores[row])
            self.trails.append(Trail(self._next_id, box, still, score))
            started[self._next_id] = row
            self._next_id += 1
        return started

    def forget(self) -> None:
        """Ends all trails: what comes next has nothing to do with what was."""
        self.trails = []


def _assign(overlap: NDArray[np.float32]) -> dict[int, int]:
    """The pairs of row and column with the largest sum of overlaps, those too small left out."""
    if not overlap.size:
        return {}
    from scipy.optimize import linear_sum_assignment  # half a second: not before the first frame

    pairs = zip(*linear_sum_assignment(overlap, maximize=True), strict=True)
    return {int(row): int(column) for row, column in pairs if overlap[row, column] >= _MIN_IOU}


def widths_px(faces: Faces) -> NDArray[np.float32]:
    """How wide each face is, `(n,)`."""
    return sizes_wh(faces.boxes_xyxy)[:, 0]
