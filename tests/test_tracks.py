"""Faces and tracks as values: what makes two equal, how they print, pickle and become JSON."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from fakes import label, track

from stream.tracks import Face, Label, SeenFace, Track

_LABELS = {"gender": label("Female", 0.9), "race": label(None, 0.4)}


def _face() -> Face:
    box = np.array([1.04, 2, 30, 40.26], dtype=np.float32)
    return Face(box, 0.98765, _LABELS, 0.5)


def _both() -> list[SeenFace]:
    return [_face(), track(3, (1, 2, 30, 40), _LABELS)]


@pytest.mark.parametrize("seen", _both(), ids=["face", "track"])
def test_two_are_equal_where_all_their_values_are(seen: Face | Track) -> None:
    same = replace(seen, box_xyxy=seen.box_xyxy.copy(), labels=dict(seen.labels))
    assert seen == same
    assert hash(seen) == hash(same)
    assert {seen} == {same}
    assert [seen].index(same) == 0
    assert seen != replace(seen, box_xyxy=seen.box_xyxy + 1)
    assert seen != replace(seen, score=0.1)
    assert seen != replace(seen, labels={"gender": label("Male", 0.9)})
    assert seen != "a face"


def test_a_track_differs_by_what_only_it_has() -> None:
    seen = track(3)
    assert seen != replace(seen, track_id=4)
    assert seen != replace(seen, missed_frames=1)
    assert seen != replace(seen, velocity_xy=np.ones(2, np.float32))
    assert seen != Face(seen.box_xyxy, seen.score, seen.labels, seen.quality)


@pytest.mark.parametrize("seen", _both(), ids=["face", "track"])
def test_a_pickle_holds_the_same(seen: Face | Track) -> None:
    assert pickle.loads(pickle.dumps(seen)) == seen  # noqa: S301, its own


def test_entries_are_plain_values() -> None:
    gender = {"label": "Female", "confidence": 0.9, "probabilities": {"Female": 0.9, "Male": 0.1}}
    entry = _face().as_dict()
    assert json.loads(json.dumps(entry)) == entry
    assert list(entry) == ["box", "score", "quality", "labels"]
    assert (entry["box"], entry["score"]) == ([1.0, 2.0, 30.0, 40.3], 0.9877)
    assert entry["labels"]["gender"] == gender
    assert entry["labels"]["race"]["label"] is None
    of_track = track(3, labels=_LABELS).as_dict()
    assert list(of_track) == ["track", "person", "box", "score", "missed", "quality", "labels"]
    assert (of_track["track"], of_track["missed"]) == (3, 0)


def test_a_line_says_what_there_is() -> None:
    assert repr(_face()) == "Face(gender Female 90%, race unsure 40% in (1, 2, 30, 40))"
    lost = replace(track(3), missed_frames=2)
    assert repr(lost) == "Track(3: no labels in (20, 10, 60, 50), missed for 2)"
    assert repr(Label("Female", 0.934, {})) == "Label(Female 93%)"


def test_a_line_holds_nothing_that_a_terminal_obeys() -> None:
    odd = replace(track(3), labels={"\x1b[2Ja": Label("\x1b[31mred", 0.9, {})})
    assert "\x1b" not in repr(odd)
    assert "x1b[31mred 90%" in str(odd)


def test_labels_are_equal_by_value_and_may_be_keys() -> None:
    assert {label("Female", 0.9): 1}[label("Female", 0.9)] == 1
    assert label("Female", 0.9) != label("Female", 0.8)
