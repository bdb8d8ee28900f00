"""One person's box through time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.faces import centres_xy

_VELOCITY_GAIN = 0.3  # how fast the estimate of the motion follows what is seen
_VELOCITY_KEPT = 0.97  # a frame, out of sight
_BOX_GAIN_STILL, _BOX_GAIN_MOVING = 0.35, 0.9  # the box follows a moving face, not jitter
_MOVING = 0.06  # surprise that counts as motion, as a fraction of the face's width
_SETTLED = 5  # sights after which a face's motion is known,
_STEADY, _STEADIEST = 0.03, 0.015  # surprises under which it is foretold for one frame, for two
_TWICE = np.array([0, 1, 0, 1])  # x and y of a box's corners


@dataclass(slots=True, eq=False)
class Trail:
    """Where somebody is, is going, and how they look.

    Attributes:
        track_id: never used again.
        box_xyxy: `(4,)` float32, smoothed.
        velocity_xy: `(2,)` float32, px a frame.
        score: the detector's confidence when it was last seen.
        seen_xyxy: `(4,)` float32, where that was.
        seen_frames: how often it was seen.
        missed_frames: for how many frames it has not been.
        surprise: how far off the prediction was when it was last seen, in widths of the face.
        rested_frames: for how many frames it has not been looked for.
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
    surprise: float = float("inf")
    rested_frames: int = 0
    signature: NDArray[np.float32] | None = None
    signature_weight: float = 0.0

    def predicted_xyxy(self, frames: int) -> NDArray[np.float32]:
        """Where it should be so many frames on."""
        return self.box_xyxy + frames * self.velocity_xy[_TWICE]

    def rests(self, frames: int) -> bool:
        """So many frames on its place can be foretold: it need not be looked for."""
        if frames > 1 or self.missed_frames or self.seen_frames < _SETTLED:
            return False
        return self.rested_frames < (self.surprise < _STEADY) + (self.surprise < _STEADIEST)

    def rest(self) -> None:
        """The next frame, where it was not looked for."""
        self.box_xyxy = self.predicted_xyxy(1)
        self.seen_frames += 1
        self.rested_frames += 1

    def see(self, box_xyxy: NDArray[np.float32], score: float, frames: int) -> None:
        """So many frames on it was found there."""
        predicted = self.predicted_xyxy(frames)
        width = max(float(box_xyxy[2] - box_xyxy[0]), 1.0)
        self.surprise = float(np.abs(box_xyxy - predicted).max()) / width
        gain = np.interp(self.surprise, [0, _MOVING], [_BOX_GAIN_STILL, _BOX_GAIN_MOVING])
        error_xy = centres_xy((box_xyxy - predicted)[None])[0]
        # What was missed may have been a turn: then the error is that of many frames.
        gone = frames + self.missed_frames + self.rested_frames
        self.velocity_xy = self.velocity_xy + np.float32(_VELOCITY_GAIN / gone) * error_xy
        self.seen_xyxy = box_xyxy
        self.box_xyxy = (predicted + np.float32(gain) * (box_xyxy - predicted)).astype(np.float32)
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
