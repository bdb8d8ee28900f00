"""The state of one track: where its face is, how it moves, and what its appearance is."""

import math
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

_SIZE_GAIN = 0.3
"""Share of a change of size that the box takes over at most; higher follows faces that come nearer
sooner, and faces that go behind something: their boxes end where they are hidden."""

_MOTION_ERROR = 0.06
"""Prediction error that counts as motion, in face widths; lower takes more jitter for motion."""

_SETTLED_FRAMES = 5
"""Frames in which a face was found before its motion is known well enough to match it; fewer match
sooner and lose more faces."""

_GROWTH_GAIN = 0.2
"""Share of a newly measured growth that the kept one takes over; higher notices sooner that a face
comes nearer, and takes the jitter of boxes for growth."""

_CONFIRMED_FRAMES = 3
"""Frames in which a face was found before it counts as one, is shown, and survives being lost;
fewer show more false alarms, more show faces later."""

_MATCHED_FRAMES = 15
"""Frames in a row in which a face may be matched instead of searched for; more cost less and
drift farther."""

_MATCHED_GROWTH = 0.07
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

_TELLING_WEIGHT = 0.5
"""Weight of a view, as a share of that of the kept appearance, from which it may tell that another
face has taken the place; lower splits the tracks of faces that are half hidden for a while."""

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
        growth: change of its width a frame, as a share of it, averaged over the searches for it;
            infinite before that.
        matched_frames: for how many frames in a row it was matched and not searched for.
        confirmed: it is surely a face: two searches of its first frame said so, or it was found in
            some frames since.
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
    confirmed: bool = True
    appearance: NDArray[np.float32] | None = None
    appearance_weight: float = 0.0

    @classmethod
    def start(
        cls, track_id: int, box_xyxy: NDArray[np.float32], score: float, confirmed: bool
    ) -> Self:
        """The state of a face that was found for the first time, at rest."""
        at_rest = np.zeros(2, np.float32)
        return cls(track_id, box_xyxy.copy(), at_rest, score, box_xyxy, confirmed=confirmed)

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
            turn: counts the frames, from any start; in each sixteenth the face is searched for.
        """
        settled = self.seen_frames >= _SETTLED_FRAMES and not self.missed_frames
        matches = self.matched_frames + 1
        is_due = matches > _MATCHED_FRAMES or turn % (_MATCHED_FRAMES + 1) == 0
        return settled and not is_due and matches * abs(self.growth) < _MATCHED_GROWTH

    def update(self, box_xyxy: NDArray[np.float32], score: float, frames: int) -> None:
        """The face was found there, so many frames on."""
        elapsed = frames + self.missed_frames + self.matched_frames
        width_px = max(float(box_xyxy[2] - box_xyxy[0]), 1.0)
        change = (width_px / max(self.width_px, 1.0) - 1) / elapsed
        is_first = math.isinf(self.growth)
        self.growth = change if is_first else self.growth + _GROWTH_GAIN * (change - self.growth)
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
        shift_xy = _shift(error)
        # A turn may fall into the frames that were missed: the error is that of all of them.
        elapsed = frames + self.missed_frames
        self.velocity_xy = self.velocity_xy + np.float32(_VELOCITY_GAIN / elapsed) * shift_xy
        self.seen_xyxy = box_xyxy
        shift = shift_xy[_BOTH_CORNERS]
        resize = np.float32(min(gain, _SIZE_GAIN)) * (error - shift)
        self.box_xyxy = predicted + np.float32(gain) * shift + resize
        self.seen_frames += 1
        self.missed_frames = 0
        self.confirmed |= self.seen_frames >= _CONFIRMED_FRAMES

    def distance(self, appearance: NDArray[np.float32]) -> float:
        """From the kept appearance to another, `(d,)`; infinite where none is kept."""
        if self.appearance is None:
            return float("inf")
        return float(np.linalg.norm(self.appearance - appearance))

    def is_other_face(self, appearance: NDArray[np.float32], weight: float) -> bool:
        """Whether the appearance in a view of that weight is another face's, even in this place.

        A view much worse than the kept one cannot say: of a face that is half hidden, say.
        """
        is_fair = weight >= _TELLING_WEIGHT * self.appearance_weight
        is_known = self.appearance is not None
        return is_fair and is_known and self.distance(appearance) > OTHER_FACE_DISTANCE

    def become(self, track_id: int) -> None:
        """Another face has taken this place: it has an id of its own, and no view so far."""
        self.track_id, self.seen_frames = track_id, 1
        self.appearance, self.appearance_weight = None, 0.0

    def remember(self, appearance: NDArray[np.float32], weight: float) -> None:
        """Keeps the appearance of a view of that weight, unless the kept one is much better."""
        if weight >= _REPLACING_WEIGHT * self.appearance_weight:
            self.appearance, self.appearance_weight = appearance, weight


def _shift(error_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """By how much a face is off its predicted place, `(2,)` px, given by how much its box is.

    Where both edges are off in one direction, the one that is less so says how far: the other may
    be hidden, as that of a face that goes behind something. Else the box has grown or shrunk.
    """
    first, last = error_xyxy[:2], error_xyxy[2:]
    nearer = np.where(np.abs(first) < np.abs(last), first, last)
    return np.where(first * last > 0, nearer, 0).astype(np.float32)
