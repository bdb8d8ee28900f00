"""Tracks around the ends of a span, and which of two neighbouring spans are of the same face."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.faces import iou
from stream.following.association import assign
from stream.following.track_state import OTHER_FACE_DISTANCE, SAME_FACE_DISTANCE

RETURN_S = 2.0
"""For how long a face may be out of sight and be found again in its track, s: that of the tracker,
so that a seam joins what an uncut run would."""

_COMPARED_FRAMES = 25
"""Frames before the seam whose boxes are compared, of those in which both spans saw the two faces;
more count what was before two faces crossed."""

_MIN_IOU = 0.3
"""Mean overlap of the boxes from which two tracks may be of one face; lower takes neighbours for
one. Boxes of the same face in the same frames overlap by 0.8 and more."""

_CLEAR_IOU = 0.6
"""Mean overlap from which the embeddings are not asked, where no other track is as near."""

_LEAST_WORTH = 1e-6
"""What a pair must be worth to be one."""

_FAR = float("inf")
"""The distance of two appearances of which one is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class SeamTrack:
    """Where one track was seen around an end of a span.

    Attributes:
        track_id: in that span.
        times_ms: `(n,)` int64, media times of the frames in which its face was found, ms.
        boxes_xyxy: `(n, 4)` float32, px, where.
        appearance: `(d,)` float32, the embedding of a good view; None where there was none. It is
            kept in memory only.
    """

    track_id: int
    times_ms: NDArray[np.int64]
    boxes_xyxy: NDArray[np.float32]
    appearance: NDArray[np.float32] | None

    def __repr__(self) -> str:
        return f"SeamTrack({self.track_id}, {len(self.times_ms)} frames)"


@dataclass(frozen=True, slots=True, eq=False)
class Seam:
    """What a span knows of the tracks around its ends.

    Attributes:
        head: those before and shortly after its start.
        tail: those before its end.
    """

    head: Sequence[SeamTrack] = ()
    tail: Sequence[SeamTrack] = ()


def same_tracks(before: Sequence[SeamTrack], after: Sequence[SeamTrack]) -> dict[int, int]:
    """By track of the later span, the track of the earlier one that is of the same face.

    1. Both were seen in the same frames: their boxes overlap there. Where that is not clear, or
       another track is as near, their embeddings decide.
    2. They were never seen in one frame: the later one begins within `RETURN_S` of the last sight
       of the earlier one, and its face looks the same, or is in the same place if its looks are not
       known.
    3. They were seen in the same frames at different places: they are two faces.

    Args:
        before: the tail of the earlier span.
        after: the head of the later one.
    """
    worth = np.zeros((len(before), len(after)), np.float32)
    overlaps = [[_overlap(one, other) for other in after] for one in before]
    for row, one in enumerate(before):
        for column, other in enumerate(after):
            rivals = [
                *(overlaps[row][each] for each in range(len(after)) if each != column),
                *(overlaps[each][column] for each in range(len(before)) if each != row),
            ]
            is_contested = any(each is not None and each >= _MIN_IOU for each in rivals)
            worth[row, column] = _worth(one, other, overlaps[row][column], is_contested)
    pairs = assign(worth, _LEAST_WORTH)
    return {after[column].track_id: before[row].track_id for row, column in pairs}


def _worth(one: SeamTrack, other: SeamTrack, overlap: float | None, is_contested: bool) -> float:
    """How surely two tracks are of one face, 0 to 2; 0 for surely not."""
    distance = _distance(one, other)
    if overlap is None:
        return _worth_of_return(one, other, distance)
    if overlap < _MIN_IOU:
        return 0.0
    if overlap >= _CLEAR_IOU and not is_contested:
        return 1 + overlap
    if distance == _FAR:
        return overlap
    return 0.0 if distance > OTHER_FACE_DISTANCE else overlap + max(1 - distance, 0.0)


def _worth_of_return(one: SeamTrack, other: SeamTrack, distance: float) -> float:
    """The same for tracks that were never seen in one frame."""
    gap_ms = int(other.times_ms[0]) - int(one.times_ms[-1])
    if not 0 < gap_ms <= 1000 * RETURN_S:
        return 0.0
    if distance != _FAR:
        return max(SAME_FACE_DISTANCE - distance, 0.0)
    overlap = float(iou(one.boxes_xyxy[-1:], other.boxes_xyxy[:1])[0, 0])
    return overlap / 2 if overlap >= _MIN_IOU else 0.0


def _overlap(one: SeamTrack, other: SeamTrack) -> float | None:
    """The mean overlap in the last frames in which both were seen; None where there is none."""
    shared, rows, columns = np.intersect1d(one.times_ms, other.times_ms, return_indices=True)
    if not len(shared):
        return None
    last = slice(-_COMPARED_FRAMES, None)
    pairs = zip(one.boxes_xyxy[rows[last]], other.boxes_xyxy[columns[last]], strict=True)
    return float(np.mean([iou(box[None], twin[None])[0, 0] for box, twin in pairs]))


def _distance(one: SeamTrack, other: SeamTrack) -> float:
    """Of the appearances of two tracks."""
    if one.appearance is None or other.appearance is None:
        return _FAR
    return float(np.linalg.norm(one.appearance - other.appearance))


def tracks_of(
    seen: Mapping[int, Sequence[tuple[int, NDArray[np.float32]]]],
    appearances: Mapping[int, NDArray[np.float32]],
) -> tuple[SeamTrack, ...]:
    """Tracks of what was noted of each: times in ms and boxes `(4,)`."""
    return tuple(
        SeamTrack(
            track_id,
            np.array([time_ms for time_ms, _ in sights], np.int64),
            np.array([box for _, box in sights], np.float32).reshape(-1, 4),
            appearances.get(track_id),
        )
        for track_id, sights in seen.items()
    )
