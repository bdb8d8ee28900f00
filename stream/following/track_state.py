"""One person's box through time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_VELOCITY_GAIN = 0.3  # how fast the estimate of the motion follows what is seen
_VELOCITY_KEPT = 0.97  # a frame, out of sight
_BOX_GAIN_STILL, _BOX_GAIN_MOVING = 0.35, 0.9  # the box follows a moving face, not jitter
_MOVING = 0.06  # error that counts as motion, as a fraction of the face's width
_SETTLED = 5  # sights after which a face's motion is known
_GLANCES = 7  # frames in a row in which it may be recognised instead of looked for,
_GROWN = 0.05  # while its size, which a glance does not see, changes by less than that
_TWICE = np.array([0, 1, 0, 1])  # x and y of a box's corners


@dataclass(slots=True, eq=False)
class TrackState:
    """Where somebody is, is going, and how they look.

    Attributes:
        track_id: never used again.
        box_xyxy: `(4,)` float32, smoothed.
        velocity_xy: `(2,)` float32, px a frame.
        score: the detector's confidence when it was last seen.
        seen_xyxy: `(4,)` float32, where that was.
        seen_frames: how often it was seen.
        missed_frames: for how many frames it has not been.
        growth: by what share of it its width changed a frame when it was last looked for.
        rested_frames: for how many frames it has been recognised and not looked for.
        signature: `(d,)` float32, the embedding of a good view, kept only while the trail lives
            and only to tell it from others that cross it; None before the first view.
        signature_weight: how good that view was.
    """

    track_id: int
    box_xyxy: NDArray[np.float32]
    velocity_xy: NDArray[np.float32]
    score: float
    seen_xyxy: NDArray[np.float32]
    seen_frames: int = 1
    missed_frames: int = 0
    growth: float = float("inf")
    rested_frames: int = 0
    signature: NDArray[np.float32] | None = None
    signature_weight: float = 0.0

    def predicted_xyxy(self, frames: int) -> NDArray[np.float32]:
        """Where it should be so many frames on."""
        return self.box_xyxy + frames * self.velocity_xy[_TWICE]

    @property
    def width_px(self) -> float:
        """Of its box."""
        return float(self.box_xyxy[2] - self.box_xyxy[0])

    def may_rest(self, turn: int) -> bool:
        """It need not be looked for in the next frame if it is recognised where it should be.

        Args:
            turn: counts the frames, from wherever; in each eighth it is looked for all the same.
        """
        settled = self.seen_frames >= _SETTLED and not self.missed_frames
        rests = self.rested_frames + 1
        is_due = rests > _GLANCES or turn % (_GLANCES + 1) == 0
        return settled and not is_due and rests * self.growth < _GROWN

    def recognise(self, box_xyxy: NDArray[np.float32], frames: int) -> None:
        """So many frames on it was there by its looks, and not looked for."""
        growth, rested_frames = self.growth, self.rested_frames
        self.see(box_xyxy, self.score, frames)
        self.growth, self.rested_frames = growth, rested_frames + 1

    def see(self, box_xyxy: NDArray[np.float32], score: float, frames: int) -> None:
        """So many frames on it was found there."""
        predicted = self.predicted_xyxy(frames)
        width = max(float(box_xyxy[2] - box_xyxy[0]), 1.0)
        error = box_xyxy - predicted
        motion = min(max(map(abs, error.tolist())) / (width * _MOVING), 1.0)
        gain = _BOX_GAIN_STILL + motion * (_BOX_GAIN_MOVING - _BOX_GAIN_STILL)
        error_xy = np.float32(0.5) * (error[:2] + error[2:])
        # What was missed may have been a turn: then the error is that of many frames.
        gone = frames + self.missed_frames
        self.growth = abs(width / max(self.width_px, 1.0) - 1) / (gone + self.rested_frames)
        self.velocity_xy = self.velocity_xy + np.float32(_VELOCITY_GAIN / gone) * error_xy
        self.seen_xyxy = box_xyxy
        self.box_xyxy = predicted + np.float32(gain) * error
        self.score = score
        self.seen_frames += 1
        self.missed_frames = 0
        self.rested_frames = 0

    def miss(self, frames: int) -> None:
        """So many frames on it was not found."""
        self.box_xyxy = self.predicted_xyxy(frames)
        self.velocity_xy = self.velocity_xy * np.float32(_VELOCITY_KEPT**frames)
        self.missed_frames += frames
        self.rested_frames = 0
