"""What a track came to: when, in how many frames, how perceived, in which view best."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fakes import SIZE_WH, frame, label, numbered, track
from hypothesis import given
from hypothesis import strategies as st

from stream.frames import Frame, SourceInfo
from stream.sinks.people_ledger import PeopleLedger, cut_out, unrecognisable
from stream.tracks import Track

_INFO = SourceInfo("numbers", "video", SIZE_WH, 25.0)
_PICTURES = SourceInfo("pictures", "pictures", SIZE_WH)


def _seen(track_id: int = 1, quality: float = 0.5, missed: int = 0, width: float = 20) -> Track:
    person = track(track_id, (10, 10, 10 + width, 40), {"gender": label()})
    return replace(person, quality=quality, missed_frames=missed)


def test_from_the_first_frame_to_the_last() -> None:
    people = PeopleLedger(_INFO)
    for number in range(4, 9):
        missed = number - 6 if number > 6 else 0
        assert people.add(frame(number), [_seen(missed=missed)]) == []
    (person,) = people.leave()
    assert (person.track_id, person.frames) == (1, 3)
    assert (person.first_s, person.last_s) == pytest.approx((0.16, 0.24))
    assert person.perceived() == "Female"
    assert people.leave() == []


def test_a_box_that_is_only_guessed_begins_nobody() -> None:
    people = PeopleLedger(_INFO)
    people.add(frame(0), [_seen(missed=2)])
    assert people.leave() == []


def test_the_best_view_is_the_frame_in_which_the_quality_rose() -> None:
    people = PeopleLedger(_INFO)
    for number, quality in enumerate([0.2, 0.7, 0.7, 0.9, 0.9]):
        people.add(frame(number), [_seen(quality=quality)], partial(numbered, number))
    (person,) = people.leave()
    assert (person.best.frame, person.best.quality) == (3, 0.9)
    assert person.best.cut_out is not None
    np.testing.assert_array_equal(person.best.cut_out, cut_out(numbered(3), person.best.box_xyxy))


def test_of_a_face_too_small_to_say_the_largest_view_is_best() -> None:
    people = PeopleLedger(_INFO)
    for number, width in enumerate([8, 14, 11]):
        people.add(frame(number), [replace(_seen(quality=0, width=width), labels={})])
    (person,) = people.leave()
    assert person.best.frame == 1
    assert person.perceived() == "too small to say"


def test_a_view_that_says_something_is_better_than_a_larger_one_that_does_not() -> None:
    people = PeopleLedger(_INFO)
    people.add(frame(0), [_seen(quality=0, width=20)])
    people.add(frame(1), [_seen(quality=0.2, width=10)])
    people.add(frame(2), [_seen(quality=0.2, width=30)])
    (person,) = people.leave()
    assert person.best.frame == 1


def test_what_counts_is_how_a_person_was_perceived_last() -> None:
    people = PeopleLedger(_INFO)
    for number, text in enumerate(["Female", "Male"]):
        people.add(frame(number), [replace(_seen(), labels={"gender": label(text)})])
    assert people.leave()[0].perceived() == "Male"


def test_whoever_leaves_together_is_named_by_id() -> None:
    people = PeopleLedger(_INFO)
    people.add(frame(0), [_seen(2), _seen(1)])
    gone = [people.add(frame(number), []) for number in range(1, 127)]
    assert [person.track_id for person in gone[-1]] == [1, 2]
    people.add(frame(127), [_seen(4), _seen(3)])
    assert [person.track_id for person in people.leave()] == [3, 4]


def test_once_faces_are_blurred_the_best_views_of_before_are_too() -> None:
    people = PeopleLedger(_INFO)
    people.add(frame(0), [_seen(quality=0.9)], partial(numbered, 0b10101010))
    people.add(frame(1), [_seen(quality=0.9)], partial(numbered, 0b10101010), blur=True)
    (person,) = people.leave()
    plain = cut_out(numbered(0b10101010), person.best.box_xyxy)
    assert (person.best.frame, person.best.blurred) == (0, True)
    assert person.best.cut_out is not None
    np.testing.assert_array_equal(person.best.cut_out, unrecognisable(plain))
    assert not np.array_equal(person.best.cut_out, plain)


@pytest.mark.parametrize(("fps", "frames"), [(10.0, 50), (None, 125)])
def test_five_seconds_are_as_many_frames_as_the_source_has(fps: float | None, frames: int) -> None:
    people = PeopleLedger(replace(_INFO, fps=fps))
    people.add(frame(0), [_seen()])
    gone = [len(people.add(frame(number), [])) for number in range(1, frames + 2)]
    assert gone == [0] * frames + [1]


def test_who_is_out_of_sight_may_come_back_for_five_seconds() -> None:
    people = PeopleLedger(_INFO)
    people.add(frame(0), [_seen(1), _seen(2)])
    gone = [people.add(frame(number), [_seen(2)]) for number in range(1, 140)]
    (at,) = (number for number, each in enumerate(gone, start=1) if each)
    assert at == 126
    assert [person.track_id for person in gone[at - 1]] == [1]
    assert [person.track_id for person in people.leave()] == [2]


def test_time_counts_in_frames_as_a_tracker_counts() -> None:
    people = PeopleLedger(replace(_INFO, kind="camera"))
    people.add(frame(0), [_seen(1)])
    for number in range(1, 100):  # a slow machine: a frame each second
        late = replace(frame(number % 256), time_s=float(number))
        assert people.add(late, []) == []


def test_the_people_of_a_picture_are_gone_with_it() -> None:
    people = PeopleLedger(_PICTURES)
    path = Path("one.png")
    assert people.add(Frame(numbered(0), 0, 0.0, 0.0, path), [_seen(1), _seen(2)]) == []
    gone = people.add(Frame(numbered(1), 1, 1.0, 0.0, Path("two.png")), [_seen(3)])
    assert [person.track_id for person in gone] == [1, 2]
    assert gone[0].best.path == path


def test_what_it_holds_is_bounded() -> None:
    people = PeopleLedger(_INFO)
    most = 0
    for number in range(2000):
        people.add(frame(number % 256), [_seen(number)])
        most = max(most, int(repr(people).split("(")[1].split()[0]))
    assert most == 126


def test_what_is_unsure_is_said() -> None:
    people = PeopleLedger(_INFO)
    labels = {"gender": label(None, 0.5), "race": label("Female")}
    people.add(frame(0), [replace(_seen(), labels=labels)])
    assert people.leave()[0].perceived() == "gender unsure, Female"


_EDGE = st.floats(-500, 500, width=32)


@given(st.tuples(_EDGE, _EDGE), st.tuples(st.floats(0, 400), st.floats(0, 400)))
def test_a_cut_out_lies_in_the_picture_and_is_never_empty(
    corner: tuple[float, float], size: tuple[float, float]
) -> None:
    picture = numbered(5)
    box = np.array([*corner, corner[0] + size[0], corner[1] + size[1]], dtype=np.float32)
    face = cut_out(picture, box)
    assert face.size
    assert face.shape[0] <= picture.shape[0]
    assert face.shape[1] <= picture.shape[1]
    face[:] = 0
    assert picture.any()
