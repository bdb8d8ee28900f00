"""Faces made unrecognisable."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image, centres_xy, sizes_wh
from stream.annotator import Track
from stream.marks import Box

_WIDER = 1.7  # than the box: forehead, chin and ears, and what the face moves until the next frame
_CELLS = 6  # across all of it: some four across the face itself, whatever its size
_HELD_S = 1.0  # how long a face that is not found any more stays blurred
_AHEAD_S = 0.5  # how far its motion is believed
_GROWTH = 0.5  # a second: the longer it is out of sight, the less is known of its place


def blurred(image: Image, boxes_xyxy: NDArray[np.float32]) -> Image:
    """A copy in which an ellipse around each box is a few plain tiles.

    The tiles are means of many pixels, so that nothing brings back what they replace.

    Args:
        image: the picture.
        boxes_xyxy: `(n, 4)`, faces; what lies outside of the picture is left out.
    """
    picture = image.copy()
    height, width = image.shape[:2]
    for face in _ellipses(boxes_xyxy):
        _tile(picture, face, face.bounds(width, height))
    return picture


def blurred_places(size_wh: tuple[int, int], boxes_xyxy: NDArray[np.float32]) -> list[Box]:
    """Where `blurred` changes a picture of that size."""
    return [face.bounds(*size_wh) for face in _ellipses(boxes_xyxy)]


@dataclass(frozen=True, slots=True, eq=False)
class _Ellipse:
    """What is hidden of a face: `middle_xy (2,)` and `radii_xy (2,)` px."""

    middle_xy: NDArray[np.float32]
    radii_xy: NDArray[np.float32]

    def bounds(self, width: int, height: int) -> Box:
        """Around what of it lies inside a picture of that size."""
        corner = np.array([width, height])
        left, top = np.floor(self.middle_xy - self.radii_xy).clip(0, corner).astype(int).tolist()
        right, bottom = np.ceil(self.middle_xy + self.radii_xy).clip(0, corner).astype(int).tolist()
        return Box(left, top, right, bottom)


def _ellipses(boxes_xyxy: NDArray[np.float32]) -> Iterator[_Ellipse]:
    for middle_xy, size_wh in zip(centres_xy(boxes_xyxy), sizes_wh(boxes_xyxy), strict=True):
        yield _Ellipse(middle_xy, size_wh * np.float32(_WIDER / 2))


def _tile(picture: Image, face: _Ellipse, bounds: Box) -> None:
    left, top, right, bottom = bounds
    region = picture[top:bottom, left:right]
    if not region.size:
        return
    height, width = region.shape[:2]
    cells_xy = np.rint(np.array([width, height]) / (2 * face.radii_xy / _CELLS)).clip(1).astype(int)
    tiles = cv2.resize(region, cells_xy.tolist(), interpolation=cv2.INTER_AREA)
    mosaic = cv2.resize(tiles, (width, height), interpolation=cv2.INTER_NEAREST)
    mask = np.zeros((height, width), np.uint8)
    middle = np.rint(face.middle_xy - [left, top]).astype(int).tolist()
    radii = np.ceil(face.radii_xy).astype(int).tolist()
    cv2.ellipse(mask, middle, radii, 0, 0, 360, 1, cv2.FILLED)
    np.copyto(region, mosaic, where=mask[..., None].astype(bool))


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
