"""The state of one track: where its face is, how it moves, and what its appearance is."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

_VELOCITY_GAIN = 0.3
"""Share of the prediction error that the velocity takes over; higher follows turns sooner and
jitters more."""

_VELOCITY_DECAY = 0.97
"""Factor of the velocity of a face out of sight, per frame; lower stops it sooner."""

_STILL_GAIN = 0.35
"""Share of the prediction error that the box of a still face takes over; lower is steadier."""

_MOVING_GAIN = 0.9
"""Share of the prediction error that the box of a moving face takes over; higher lags less."""

_MOTION_ERROR = 0.06
"""Prediction error that counts as motion, in face widths; lower takes more jitter for motion."""

_SETTLED_FRAMES = 5
"""Frames in which a face was found before its motion is known well enough to match it; fewer match
sooner and lose more faces."""

_MATCHED_FRAMES = 7
"""Frames in a row in which a face may be matched instead of searched for; more cost less and
drift farther."""

_MATCHED_GROWTH = 0.05
"""Change of size, as a share of it, up to which a face may be matched: a match keeps the size. More
costs less, and boxes lag behind faces that come nearer."""

SAME_FACE_DISTANCE = 0.5
"""Distance of two appearances under which they are of one face; higher finds more faces again and
confuses more. Stricter than dlib's own threshold for one person, 0.6."""

OTHER_FACE_DISTANCE = 0.7
"""Distance of two appearances above which they are of two faces, even in the expected place; lower
splits tracks of faces that turn. Laxer than dlib's own threshold for one person, 0.6."""

_REPLACING_WEIGHT = 0.7
"""Weight of a view, as a share of that kept, from which its appearance replaces the kept one;
higher keeps better views and follows changes of a face less."""

_BOTH_CORNERS = np.array([0, 1, 0, 1])
"""Picks x and y for both corners of a box."""


@dataclass(slots=True, eq=False)
class TrackState:
    """Where a face is, how it moves, and what its appearance is.

    Attributes:
        track_id: identifies the track; it is never used again.
        box_xyxy: `(4,)` float32 px, smoothed.
        velocity_xy: `(2,)` float32, px a frame.
        score: the detector's confidence when the face was last found.
        seen_xyxy: `(4,)` float32 px, where that was.
        seen_frames: in how many frames the face was found.
        missed_frames: for how many frames it has not been found.
        growth: change of its width a frame, as a share of it, when it was last searched for;
            infinite before that.
        matched_frames: for how many frames in a row it was matched and not searched for.
        appearance: `(d,)` float32, the embedding of a good view, kept only while the track lives
            and only to tell it from others that cross it; None before the first view.
        appearance_weight: how good that view was, 0 to 1.
    """

    track_id: int
    box_xyxy: NDArray[np.float32]
    velocity_xy: NDArray[np.float32]
    score: float
    seen_xyxy: NDArray[np.float32]
    seen_frames: int = 1
    missed_frames: int = 0
    growth: float = float("inf")
    matched_frames: int = 0
    appearance: NDArray[np.float32] | None = None
    appearance_weight: float = 0.0

    @classmethod
    def start(cls, track_id: int, box_xyxy: NDArray[np.float32], score: float) -> Self:
        """The state of a face that was found for the first time, at rest."""
        return cls(track_id, box_xyxy.copy(), np.zeros(2, np.float32), score, box_xyxy)

    @property
    def width_px(self) -> float:
        """The width of the smoothed box."""
        return float(self.box_xyxy[2] - self.box_xyxy[0])

    def predicted_xyxy(self, frames: int) -> NDArray[np.float32]:
        """Where the face should be so many frames on, `(4,)` px."""
        return self.box_xyxy + frames * self.velocity_xy[_BOTH_CORNERS]

    def may_be_matched(self, turn: int) -> bool:
        """Whether template matching may stand in for a search in the next frame.

        Args:
            turn: counts the frames, from any start; in each eighth the face is searched for.
        """
        settled = self.seen_frames >= _SETTLED_FRAMES and not self.missed_frames
        matches = self.matched_frames + 1
        is_due = matches > _MATCHED_FRAMES or turn % (_MATCHED_FRAMES + 1) == 0
        return settled and not is_due and matches * self.growth < _MATCHED_GROWTH

    def update(self, box_xyxy: NDArray[np.float32], score: float, frames: int) -> None:
        """The face was found there, so many frames on."""
        elapsed = frames + self.missed_frames + self.matched_frames
        width_px = max(float(box_xyxy[2] - box_xyxy[0]), 1.0)
        self.growth = abs(width_px / max(self.width_px, 1.0) - 1) / elapsed
        self.score, self.matched_frames = score, 0
        self._move_to(box_xyxy, frames)

    def match(self, box_xyxy: NDArray[np.float32], frames: int) -> None:
        """The face was matched there by its template, so many frames on, and not searched for."""
        self.matched_frames += 1
        self._move_to(box_xyxy, frames)

    def miss(self, frames: int) -> None:
        """The face was not found, so many frames on."""
        self.box_xyxy = self.predicted_xyxy(frames)
        self.velocity_xy = self.velocity_xy * np.float32(_VELOCITY_DECAY**frames)
        self.missed_frames += frames
        self.matched_frames = 0

    def reappear(self, box_xyxy: NDArray[np.float32], score: float) -> None:
        """The face is back, in another place: neither its motion nor its growth is known there."""
        self.box_xyxy, self.velocity_xy = box_xyxy.copy(), np.zeros(2, np.float32)
        self.score, self.seen_xyxy = score, box_xyxy
        self.seen_frames += 1
        self.missed_frames = 0
        self.growth, self.matched_frames = float("inf"), 0

    def rescale(self, factors_xy: NDArray[np.float32]) -> None:
        """The frames have another size from here on: px are counted in that."""
        self.box_xyxy = self.box_xyxy * factors_xy[_BOTH_CORNERS]
        self.seen_xyxy = self.seen_xyxy * factors_xy[_BOTH_CORNERS]
        self.velocity_xy = self.velocity_xy * factors_xy

    def _move_to(self, box_xyxy: NDArray[np.float32], frames: int) -> None:
        """Smooths the box and the velocity, given where the face is, so many frames on."""
        predicted = self.predicted_xyxy(frames)
        width_px = max(float(box_xyxy[2] - box_xyxy[0]), 1.0)
        error = box_xyxy - predicted
        motion = min(max(map(abs, error.tolist())) / (width_px * _MOTION_ERROR), 1.0)
        gain = _STILL_GAIN + motion * (_MOVING_GAIN - _STILL_GAIN)
        error_xy = np.float32(0.5) * (error[:2] + error[2:])
        # A turn may fall into the frames that were missed: the error is that of all of them.
        elapsed = frames + self.missed_frames
        self.velocity_xy = self.velocity_xy + np.float32(_VELOCITY_GAIN / elapsed) * error_xy
        self.seen_xyxy = box_xyxy
        self.box_xyxy = predicted + np.float32(gain) * error
        self.seen_frames += 1
        self.missed_frames = 0

    def distance(self, appearance: NDArray[np.float32]) -> float:
        """From the kept appearance to another, `(d,)`; infinite where none is kept."""
        if self.appearance is None:
            return float("inf")
        return float(np.linalg.norm(self.appearance - appearance))

    def is_other_face(self, appearance: NDArray[np.float32]) -> bool:
        """Whether an appearance is another face's, even in this one's place."""
        return self.appearance is not None and self.distance(appearance) > OTHER_FACE_DISTANCE

    def become(self, track_id: int) -> None:
        """Another face has taken this place: it has an id of its own, and no view so far."""
        self.track_id, self.seen_frames = track_id, 1
        self.appearance, self.appearance_weight = None, 0.0

    def remember(self, appearance: NDArray[np.float32], weight: float) -> None:
        """Keeps the appearance of a view of that weight, unless the kept one is much better."""
        if weight >= _REPLACING_WEIGHT * self.appearance_weight:
            self.appearance, self.appearance_weight = appearance, weight
