"""Tracks → arrays, under the names that the package supervision gives them."""

from collections.abc import Sequence
from typing import TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

from stream.settings.schema import DEFAULT_ATTRIBUTES
from stream.tracks import Track

Column: TypeAlias = NDArray[np.object_] | NDArray[np.float32] | NDArray[np.int64]
"""A value for each of n tracks, `(n,)`."""


class TrackArrays(TypedDict):
    """The n tracks of a frame, a row each: `supervision.Detections(**arrays)` takes it as it is.

    Attributes:
        xyxy: `(n, 4)` float32, px of the frame.
        confidence: `(n,)` float32, the detector's score; higher is surer, and it may exceed 1.
        class_id: `(n,)` int64, always 0, for a face.
        tracker_id: `(n,)` int64, the same from frame to frame.
        data: `(n,)` each: `missed_frames` int64, `quality` float32, and for each attribute, such
            as gender, `gender` (text, None where unsure) and `gender_confidence` float32.
    """

    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int64]
    tracker_id: NDArray[np.int64]
    data: dict[str, Column]


def to_arrays(
    tracks: Sequence[Track], attributes: Sequence[str] = DEFAULT_ATTRIBUTES
) -> TrackArrays:
    """The tracks of one frame as arrays, which have no rows where there are no tracks.

    Args:
        tracks: what `stream.annotate` gives with a frame.
        attributes: those that have columns, in any frame; by default those that are labelled by
            default. A track without a label has None there, with confidence 0.
    """
    data: dict[str, Column] = {
        "missed_frames": np.array([track.missed_frames for track in tracks], dtype=np.int64),
        "quality": np.array([track.quality for track in tracks], dtype=np.float32),
    }
    for name in attributes:
        labels = [track.labels.get(name) for track in tracks]
        texts = [label.text if label else None for label in labels]
        confidences = [label.confidence if label else 0.0 for label in labels]
        data[name] = np.array(texts, dtype=np.object_)
        data[f"{name}_confidence"] = np.array(confidences, dtype=np.float32)
    boxes = [track.box_xyxy for track in tracks]
    return TrackArrays(
        xyxy=np.array(boxes, dtype=np.float32).reshape(-1, 4),
        confidence=np.array([track.score for track in tracks], dtype=np.float32),
        class_id=np.zeros(len(tracks), dtype=np.int64),
        tracker_id=np.array([track.track_id for track in tracks], dtype=np.int64),
        data=data,
    )
