"""Events: what is new of each person, once, in order."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import SIZE_WH, fan_out, frame, label, track

from stream.drawing.overlay import Overlay
from stream.frames import Frame, SourceInfo
from stream.sinks.data.event_log import EventLog
from stream.tracks import Label, Track

_INFO = SourceInfo("door.mp4", "video", SIZE_WH, 1.0)
_SURE, _UNSURE = {"gender": label()}, {"gender": label(None, 0.55)}


def _printed(
    frames: Sequence[Sequence[Track]],
    capfd: pytest.CaptureFixture[str],
    info: SourceInfo = _INFO,
) -> list[dict[str, object]]:
    """The events of these frames, one a second, as they are printed."""
    with fan_out([EventLog(info)], Overlay(), info) as sinks:
        for number, tracks in enumerate(frames):
            whole = frame(number, fps=1.0)
            if info.kind == "pictures":
                whole = Frame(whole.image, number, float(number), 0.0, Path(f"{number}.png"))
            sinks.write(whole, tracks)
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def _person(track_id: int = 1, labels: Mapping[str, Label] = _SURE) -> Track:
    return track(track_id, labels=labels)


def _short(events: Sequence[Mapping[str, object]]) -> list[tuple[object, ...]]:
    return [(each["frame"], each["event"], each["track"]) for each in events]


def test_each_event_says_what_when_who_and_where(capfd: pytest.CaptureFixture[str]) -> None:
    appeared, labelled, gone = _printed([[], [_person()], [_person()]], capfd)
    place = {"track": 1, "person": 1, "box": [20.0, 10.0, 60.0, 50.0]}
    labels = {"labels": {"gender": {"label": "Female", "confidence": 0.9}}}
    common = {"schema": "face-stream-event/1", "source": "door.mp4", **place, **labels}
    assert appeared == {"event": "appeared", "frame": 1, "time_s": 1.0, **common}
    assert labelled == {"event": "labelled", "frame": 1, "time_s": 1.0, **common}
    times = {"time_s": 2.0, "first_s": 1.0, "last_s": 2.0}
    assert gone == {"event": "gone", "frame": 2, **times, "frames": 2, **common}


def test_a_label_is_told_when_it_settles_changes_or_becomes_unsure(
    capfd: pytest.CaptureFixture[str],
) -> None:
    other = {"gender": label("Male", 0.8)}
    course = [{}, _UNSURE, _SURE, _SURE, other, _UNSURE, _UNSURE]
    events = _printed([[_person(1, labels)] for labels in course], capfd)
    told = [
        (each["frame"], each["labels"]["gender"]["label"])  # type: ignore[index]
        for each in events
        if each["event"] == "labelled"
    ]
    assert told == [(2, "Female"), (4, "Male"), (5, None)]


def test_a_word_for_several_classes_has_the_likeliest_beside_it(
    capfd: pytest.CaptureFixture[str],
) -> None:
    coarse = Label("Asian", 0.9, {"East Asian": 0.5, "Indian": 0.4}, finest="East Asian")
    first, joined = _person(1, {"race": coarse}), replace(_person(2), person_id=1)
    events = _printed([[first], [joined]], capfd)
    entry = {"label": "Asian", "finest": "East Asian", "confidence": 0.9}
    told = [each["labels"] for each in events if each["track"] == 1]
    assert told == [{"race": entry}] * 3  # appeared, labelled, gone
    assert {each["person"] for each in events if each["event"] == "appeared"} == {1}


def test_several_labels_that_settle_together_are_one_event(
    capfd: pytest.CaptureFixture[str],
) -> None:
    both = {"gender": label(), "race": label("White", 0.7)}
    partly = {"gender": label(), "race": label(None, 0.4)}
    events = _printed([[_person(1, partly)], [_person(1, both)], [_person(1, both)]], capfd)
    assert [each["frame"] for each in events if each["event"] == "labelled"] == [0, 1]


def test_who_is_out_of_sight_is_gone_after_five_seconds_where_last_seen(
    capfd: pytest.CaptureFixture[str],
) -> None:
    moved = replace(_person(), box_xyxy=_person().box_xyxy + 5)
    lost = replace(_person(2), missed_frames=1)
    frames = [[_person(), _person(2)], [moved, lost], *[[]] * 5, [_person(3)]]
    events = _printed(frames, capfd)
    assert _short(events) == [
        (0, "appeared", 1),
        (0, "labelled", 1),
        (0, "appeared", 2),
        (0, "labelled", 2),
        (6, "gone", 2),
        (7, "gone", 1),
        (7, "appeared", 3),
        (7, "labelled", 3),
        (7, "gone", 3),
    ]
    gone = next(each for each in events if (each["event"], each["track"]) == ("gone", 1))
    assert (gone["box"], gone["last_s"], gone["time_s"]) == ([25.0, 15.0, 65.0, 55.0], 1.0, 7.0)


def test_a_face_that_is_only_expected_does_not_appear(capfd: pytest.CaptureFixture[str]) -> None:
    assert _printed([[replace(_person(), missed_frames=2)]], capfd) == []


def test_events_of_pictures_name_the_file_and_no_time(capfd: pytest.CaptureFixture[str]) -> None:
    info = SourceInfo("photos", "pictures", SIZE_WH)
    events = _printed([[_person(1, {})], [_person(2, {})]], capfd, info)
    assert [(each["event"], each["track"]) for each in events] == [
        ("appeared", 1),
        ("gone", 1),
        ("appeared", 2),
        ("gone", 2),
    ]
    assert [each["file"] for each in events] == ["0.png", "1.png", "1.png", "1.png"]
    assert not any(key.endswith("_s") for each in events for key in each)


def test_where_no_frame_came_there_is_nothing_to_tell(capfd: pytest.CaptureFixture[str]) -> None:
    assert _printed([], capfd) == []
