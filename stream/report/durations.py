"""How long each frame of a log stands for, from the times of its frames.

1. The next frame of the log follows at once, or a track goes on in it: until its time.
2. Frames are missing between them, as those without faces are in a table: for one frame interval.
3. The pause is longer than any between frames, as where a live source was lost: likewise.
"""

import numpy as np
from numpy.typing import NDArray

from stream.frames import ASSUMED_FPS
from stream.report.rows import NO_FACE, FaceRows

_LONGEST_PAUSE_S = 1.0
"""Time between two frames at most that the first one stands for, s; where the interval itself is
long, three of them. More counts what nobody saw, less loses time where frames were dropped."""

_PAUSE_INTERVALS = 3
"""The same in frame intervals."""


class FrameDurations:
    """Says of frames, part by part, how long each stands for.

    Args:
        fps: frames a second; None where the frames have to say it.
        has_all_frames: whether frames without faces have rows, too.
        is_pictures: each frame counts as 1 then.
    """

    def __init__(self, fps: float | None, *, has_all_frames: bool, is_pictures: bool) -> None:
        self._interval_s = 1 / fps if fps else None
        self._has_all_frames = has_all_frames
        self._is_pictures = is_pictures

    def of(
        self, rows: FaceRows, starts: NDArray[np.intp], ordinals: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """How long each frame stands for, `(f,)`; the last one for one interval.

        Args:
            rows: faces of f frames.
            starts: `(f,)`, the first row of each frame.
            ordinals: `(n,)`, which of the frames each row is of.
        """
        if self._is_pictures:
            return np.ones(len(starts))
        frames, times = rows.frame[starts], rows.time_s[starts]
        gaps_s = np.diff(times).clip(0)
        steps = np.diff(frames)
        self._learn(gaps_s, steps)
        interval_s = 1 / ASSUMED_FPS if self._interval_s is None else self._interval_s
        goes_on = np.full(len(gaps_s), True)
        if not self._has_all_frames:
            goes_on = (steps == 1) | _is_shared(rows.track, ordinals, len(starts))
        longest_s = max(_LONGEST_PAUSE_S, _PAUSE_INTERVALS * interval_s)
        lasting = np.where(goes_on & (gaps_s <= longest_s), gaps_s, interval_s)
        return np.append(lasting, interval_s)

    def _learn(self, gaps_s: NDArray[np.float64], steps: NDArray[np.int64]) -> None:
        """Takes the usual time between two frames that follow one another, if it is not known."""
        between = gaps_s[(steps == 1) & (gaps_s > 0)]
        if self._interval_s is None and len(between):
            self._interval_s = float(np.median(between))


def _is_shared(
    tracks: NDArray[np.int64], ordinals: NDArray[np.intp], frames: int
) -> NDArray[np.bool_]:
    """Whether each frame but the last has a track that the next one has, too, `(f - 1,)`."""
    _, codes = np.unique(tracks, return_inverse=True)
    keys = ordinals * (int(codes.max(initial=0)) + 1) + codes
    follows = np.isin(keys + int(codes.max(initial=0)) + 1, keys) & (tracks != NO_FACE)
    shared = np.zeros(frames, dtype=np.bool_)
    shared[ordinals[follows]] = True
    return shared[:-1]
