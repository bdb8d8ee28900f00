"""Faces as arrays: shapes, types, and the names that supervision's Detections takes."""

import numpy as np
import pytest
from fakes import label, track

from stream.arrays import to_arrays
from stream.results import Context, Results
from stream.tracks import Face, Track

_PEOPLE = (
    track(3, (1, 2, 30, 40), {"gender": label("Female", 0.9), "race": label(None, 0.4)}),
    track(7),
)

_CONTEXT = Context(attributes={"gender": ("Female", "Male"), "race": ("Black", "White")})
"""What the model labels."""


def test_a_row_for_each_person() -> None:
    arrays = to_arrays(_PEOPLE)
    assert arrays["xyxy"].tolist() == [[1, 2, 30, 40], [20, 10, 60, 50]]
    assert arrays["confidence"].tolist() == [1, 1]
    assert arrays["class_id"].tolist() == [0, 0]
    assert arrays["tracker_id"].tolist() == [3, 7]
    assert arrays["data"]["gender"].tolist() == ["Female", None]
    assert arrays["data"]["gender_confidence"].tolist() == pytest.approx([0.9, 0])
    assert arrays["data"]["race"].tolist() == [None, None]
    assert arrays["data"]["race_confidence"].tolist() == pytest.approx([0.4, 0])
    assert arrays["data"]["quality"].tolist() == [1, 1]


@pytest.mark.parametrize("people", [(), _PEOPLE[:1], _PEOPLE], ids=["none", "one", "two"])
def test_shapes_and_types_whoever_is_there(people: tuple[Track, ...]) -> None:
    arrays = to_arrays(Results(people, _CONTEXT))
    count = len(people)
    assert (arrays["xyxy"].shape, arrays["xyxy"].dtype) == ((count, 4), np.float32)
    columns = {
        "confidence": (arrays["confidence"], np.float32),
        "class_id": (arrays["class_id"], np.int64),
        "tracker_id": (arrays["tracker_id"], np.int64),
    }
    types = {
        "missed_frames": np.int64,
        "quality": np.float32,
        "gender": np.object_,
        "gender_confidence": np.float32,
        "race": np.object_,
        "race_confidence": np.float32,
    }
    assert list(arrays["data"]) == list(types)
    columns |= {name: (arrays["data"][name], each) for name, each in types.items()}
    for name, (column, expected) in columns.items():
        assert (column.shape, column.dtype) == ((count,), expected), name


def test_the_names_are_those_of_supervision() -> None:
    """Its `Detections` takes xyxy, mask, confidence, class_id, tracker_id, data, metadata."""
    assert set(to_arrays(())) == {"xyxy", "confidence", "class_id", "tracker_id", "data"}


def test_other_attributes_if_asked_for() -> None:
    person = track(1, labels={"age": label("20-29", 0.6)})
    data = to_arrays([person], ["age"])["data"]
    assert data["age"].tolist() == ["20-29"]
    assert "gender" not in data


def test_all_attributes_of_the_model_have_columns_whoever_is_there() -> None:
    mood = Context(attributes={"mood": ("calm", "glad")})
    for tracks in (Results((), mood), Results([track(1)], mood), Results([track(1)], mood)[:0]):
        assert list(to_arrays(tracks)["data"]) == [
            *("missed_frames", "quality", "mood", "mood_confidence")
        ]


def test_faces_that_know_no_model_have_columns_of_their_labels() -> None:
    assert "race" in to_arrays(_PEOPLE)["data"]
    assert list(to_arrays([track(7)])["data"]) == ["missed_frames", "quality"]


def test_a_face_of_a_single_picture_has_no_track() -> None:
    face = Face(np.array([1, 2, 3, 4], np.float32), 0.9, {"gender": label("Female", 0.9)}, 1.0)
    arrays = to_arrays([face])
    assert arrays["tracker_id"].tolist() == [-1]
    assert arrays["data"]["missed_frames"].tolist() == [0]
    assert arrays["data"]["gender"].tolist() == ["Female"]
