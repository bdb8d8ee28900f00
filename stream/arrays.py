"""Faces and tracks → arrays, under the names that the package supervision gives them."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

from stream.results import Results
from stream.tracks import SeenFace

Column: TypeAlias = NDArray[np.object_] | NDArray[np.float32] | NDArray[np.int64]
"""A value for each of n tracks, `(n,)`."""


_NO_TRACK = -1
"""The id in the place of a track's where faces of a single picture have none."""


class TrackArrays(TypedDict):
    """The n faces of a picture, a row each: `supervision.Detections(**arrays)` takes it as it is.

    Attributes:
        xyxy: `(n, 4)` float32, px of the frame.
        confidence: `(n,)` float32, the detector's score; higher is surer, and it may exceed 1.
        class_id: `(n,)` int64, always 0, for a face.
        tracker_id: `(n,)` int64, the same from frame to frame; -1 for faces of a single picture.
        data: `(n,)` each: `missed_frames` int64, `quality` float32, and for each attribute, such
            as gender, `gender` (text, None where unsure) and `gender_confidence` float32.
    """

    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int64]
    tracker_id: NDArray[np.int64]
    data: dict[str, Column]


def to_arrays(faces: Sequence[SeenFace], attributes: Iterable[str] | None = None) -> TrackArrays:
    """The faces of one picture as arrays, which have no rows where there are no faces.

    Args:
        faces: what a model finds in a picture or a frame, or some of it.
        attributes: those that have columns, in any picture. By default all that the model labels,
            which results know (and their parts, such as `tracks.visible`); of any other sequence
            those that its faces have. A face without a label has None there, with confidence 0.
    """
    missed = [getattr(face, "missed_frames", 0) for face in faces]
    data: dict[str, Column] = {
        "missed_frames": np.array(missed, dtype=np.int64),
        "quality": np.array([face.quality for face in faces], dtype=np.float32),
    }
    for name in _attributes_of(faces) if attributes is None else attributes:
        labels = [face.labels.get(name) for face in faces]
        texts = [label.text if label else None for label in labels]
        confidences = [label.confidence if label else 0.0 for label in labels]
        data[name] = np.array(texts, dtype=np.object_)
        data[f"{name}_confidence"] = np.array(confidences, dtype=np.float32)
    boxes = [face.box_xyxy for face in faces]
    track_ids = [getattr(face, "track_id", _NO_TRACK) for face in faces]
    return TrackArrays(
        xyxy=np.array(boxes, dtype=np.float32).reshape(-1, 4),
        confidence=np.array([face.score for face in faces], dtype=np.float32),
        class_id=np.zeros(len(faces), dtype=np.int64),
        tracker_id=np.array(track_ids, dtype=np.int64),
        data=data,
    )


def _attributes_of(faces: Sequence[SeenFace]) -> Iterable[str]:
    """The attributes that a model labels, as far as its faces tell."""
    if isinstance(faces, Results):
        return faces.attributes
    return dict.fromkeys(name for face in faces for name in face.labels)
