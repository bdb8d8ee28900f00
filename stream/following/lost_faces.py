"""Faces that are not found any more, and where they may be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.faces import centres_xy, sizes_wh
from stream.tracks import Track

_HELD_S = 1.0  # how long a face that is not found any more stays blurred


_AHEAD_S = 0.5  # how far its motion is believed


_GROWTH = 0.5  # a second: the longer it is out of sight, the less is known of its place


@dataclass(frozen=True, slots=True, eq=False)
class _Sight:
    """Where a face was last found: `box_xyxy (4,)` px, `velocity_xy (2,)` px a second."""

    box_xyxy: NDArray[np.float32]
    velocity_xy: NDArray[np.float32]
    time_s: float


class LostFaces:
    """Remembers for a moment where faces were that are not found any more.

    A face that is missed for some frames is still there, and must not flash up.
    """

    def __init__(self) -> None:
        self._sights: dict[int, _Sight] = {}

    def __repr__(self) -> str:
        return f"LostFaces({len(self._sights)} remembered)"

    def update(self, tracks: Sequence[Track], time_s: float) -> NDArray[np.float32]:
        """Takes in the next frame.

        Returns:
            `(n, 4)` px: of each face lost a moment ago, where it was and where it may be by now.
        """
        found = {each.track_id: each.box_xyxy for each in tracks if not each.missed_frames}
        for track_id, box in found.items():
            self._sights[track_id] = self._sight(track_id, box, time_s)
        self._sights = {
            track_id: sight
            for track_id, sight in self._sights.items()
            if abs(time_s - sight.time_s) <= _HELD_S
        }
        lost = [sight for track_id, sight in self._sights.items() if track_id not in found]
        boxes = [box for sight in lost for box in _whereabouts(sight, time_s)]
        return np.array(boxes, dtype=np.float32).reshape(-1, 4)

    def _sight(self, track_id: int, box: NDArray[np.float32], time_s: float) -> _Sight:
        before = self._sights.get(track_id)
        if before is None or time_s <= before.time_s:
            return _Sight(box, np.zeros(2, np.float32), time_s)
        moved_xy = centres_xy(box[None])[0] - centres_xy(before.box_xyxy[None])[0]
        velocity = (moved_xy / np.float32(time_s - before.time_s) + before.velocity_xy) / 2
        return _Sight(box, velocity, time_s)


def _whereabouts(sight: _Sight, time_s: float) -> list[NDArray[np.float32]]:
    gone_s = abs(time_s - sight.time_s)
    margin = sizes_wh(sight.box_xyxy[None])[0] * np.float32(_GROWTH * gone_s / 2)
    wider = sight.box_xyxy + np.concatenate([-margin, margin])
    return [wider, wider + np.tile(sight.velocity_xy, 2) * np.float32(min(gone_s, _AHEAD_S))]
