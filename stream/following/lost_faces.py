"""Where faces may be that are not found any more: they must stay blurred for a moment."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.faces import sizes_wh
from stream.frames import Frame
from stream.tracks import Track

_HELD_S = 1.0
"""How long a face that is not found any more stays blurred, s; longer hides more of what is behind
a face that has left."""

_PREDICTED_S = 0.5
"""How long a lost face is expected to go on as it moved, s; longer covers fast faces farther
ahead."""

_GROWTH_PER_S = 0.5
"""How much wider the place of a lost face becomes a second, as a share of its box: less and less is
known of it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sighting:
    """Where a face was last found in a frame of that size: `box_xyxy (4,)` px, `velocity_xy (2,)`
    px a frame.
    """

    box_xyxy: NDArray[np.float32]
    velocity_xy: NDArray[np.float32]
    size_wh: tuple[int, int]
    frame: int
    time_s: float


class LostFaces:
    """Remembers for a moment where faces were that are not found any more.

    A face that is missed for some frames is still there, and must not be seen.
    """

    def __init__(self) -> None:
        self._sightings: dict[int, _Sighting] = {}

    def __repr__(self) -> str:
        return f"LostFaces({len(self._sightings)} remembered)"

    def update(self, tracks: Sequence[Track], frame: Frame) -> NDArray[np.float32]:
        """Takes in the next frame.

        Returns:
            `(n, 4)` px: of each face lost a moment ago, where it was and where it may be by now.
        """
        visible = {each.track_id: each for each in tracks if not each.missed_frames}
        for track_id, track in visible.items():
            self._sightings[track_id] = _Sighting(
                track.box_xyxy, track.velocity_xy, frame.size_wh, frame.index, frame.time_s
            )
        self._sightings = {
            track_id: sighting
            for track_id, sighting in self._sightings.items()
            if abs(frame.time_s - sighting.time_s) <= _HELD_S
        }
        lost = [each for track_id, each in self._sightings.items() if track_id not in visible]
        boxes = [box for sighting in lost for box in _whereabouts(sighting, frame)]
        return np.array(boxes, dtype=np.float32).reshape(-1, 4)


def _whereabouts(sighting: _Sighting, frame: Frame) -> list[NDArray[np.float32]]:
    """Where a face was and where it may be, both wider the longer it is lost."""
    lost_s, frames = abs(frame.time_s - sighting.time_s), frame.index - sighting.frame
    resized = np.tile(np.divide(frame.size_wh, sighting.size_wh, dtype=np.float32), 2)
    box_xyxy, velocity = sighting.box_xyxy * resized, np.tile(sighting.velocity_xy, 2) * resized
    margin = sizes_wh(box_xyxy[None])[0] * np.float32(_GROWTH_PER_S * lost_s / 2)
    wider = box_xyxy + np.concatenate([-margin, margin])
    believed = min(_PREDICTED_S / lost_s, 1.0) if lost_s else 1.0
    moved = velocity * np.float32(frames * believed)
    return [wider, wider + moved]
