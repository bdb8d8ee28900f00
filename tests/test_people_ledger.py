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
from stream.people import Settlement
from stream.sinks.people_ledger import PeopleLedger, blurred_crop, face_crop
from stream.tracks import Track

_INFO = SourceInfo("numbers", "video", SIZE_WH, 25.0)
_PICTURES = SourceInfo("pictures", "pictures", SIZE_WH)


def _seen(track_id: int = 1, quality: float = 0.5, missed: int = 0, width: float = 20) -> Track:
    person = track(track_id, (10, 10, 10 + width, 40), {"gender": label()})
    return replace(person, quality=quality, missed_frames=missed)


def test_from_the_first_frame_to_the_last() -> None:
    ledger = PeopleLedger(_INFO)
    for number in range(4, 9):
        missed = number - 6 if number > 6 else 0
        assert ledger.add(frame(number), [_seen(missed=missed)]) == []
    (person,) = ledger.present
    assert (person.track_id, person.frames) == (1, 3)
    assert (person.first_s, person.last_s) == pytest.approx((0.16, 0.24))
    assert person.perceived() == "Female"


def test_a_box_that_is_only_guessed_begins_nobody() -> None:
    ledger = PeopleLedger(_INFO)
    ledger.add(frame(0), [_seen(missed=2)])
    assert ledger.present == []


def test_the_best_view_is_the_frame_in_which_the_quality_rose() -> None:
    ledger = PeopleLedger(_INFO)
    for number, quality in enumerate([0.2, 0.7, 0.7, 0.9, 0.9]):
        ledger.add(frame(number), [_seen(quality=quality)], partial(numbered, number))
    (person,) = ledger.present
    assert (person.best.frame, person.best.quality) == (3, 0.9)
    assert person.best.crop is not None
    np.testing.assert_array_equal(person.best.crop, face_crop(numbered(3), person.best.box_xyxy))


def test_of_a_face_too_small_to_say_the_largest_view_is_best() -> None:
    ledger = PeopleLedger(_INFO)
    for number, width in enumerate([8, 14, 11]):
        ledger.add(frame(number), [replace(_seen(quality=0, width=width), labels={})])
    (person,) = ledger.present
    assert person.best.frame == 1
    assert person.perceived() == "too small to say"


def test_a_view_that_says_something_is_better_than_a_larger_one_that_does_not() -> None:
    ledger = PeopleLedger(_INFO)
    ledger.add(frame(0), [_seen(quality=0, width=20)])
    ledger.add(frame(1), [_seen(quality=0.2, width=10)])
    ledger.add(frame(2), [_seen(quality=0.2, width=30)])
    (person,) = ledger.present
    assert person.best.frame == 1


def test_a_person_that_was_handed_over_changes_no_more() -> None:
    ledger = PeopleLedger(_INFO)
    ledger.add(frame(0), [_seen(quality=0.2)])
    (before,) = ledger.present
    ledger.add(frame(1), [_seen(quality=0.9)])
    assert (before.frames, before.last_s, before.best.frame) == (1, 0.0, 0)


def test_what_counts_is_how_a_person_was_perceived_last() -> None:
    ledger = PeopleLedger(_INFO)
    for number, text in enumerate(["Female", "Male"]):
        ledger.add(frame(number), [replace(_seen(), labels={"gender": label(text)})])
    assert ledger.present[0].perceived() == "Male"


def test_whoever_leaves_together_is_named_by_id() -> None:
    ledger = PeopleLedger(_INFO)
    ledger.add(frame(0), [_seen(2), _seen(1)])
    gone = [ledger.add(frame(number), []) for number in range(1, 127)]
    assert [person.track_id for person in gone[-1]] == [1, 2]
    ledger.add(frame(127), [_seen(4), _seen(3)])
    assert [person.track_id for person in ledger.present] == [3, 4]


def test_once_faces_are_blurred_the_best_views_of_before_are_too() -> None:
    ledger = PeopleLedger(_INFO)
    ledger.add(frame(0), [_seen(quality=0.9)], partial(numbered, 0b10101010))
    ledger.add(frame(1), [_seen(quality=0.9)], partial(numbered, 0b10101010), blur=True)
    (person,) = ledger.present
    plain = face_crop(numbered(0b10101010), person.best.box_xyxy)
    assert (person.best.frame, person.best.blurred) == (0, True)
    assert person.best.crop is not None
    np.testing.assert_array_equal(person.best.crop, blurred_crop(plain))
    assert not np.array_equal(person.best.crop, plain)


@pytest.mark.parametrize(("fps", "frames"), [(10.0, 50), (None, 125)])
def test_five_seconds_are_as_many_frames_as_the_source_has(fps: float | None, frames: int) -> None:
    ledger = PeopleLedger(replace(_INFO, fps=fps))
    ledger.add(frame(0), [_seen()])
    gone = [len(ledger.add(frame(number), [])) for number in range(1, frames + 2)]
    assert gone == [0] * frames + [1]


def test_who_is_out_of_sight_may_come_back_for_five_seconds() -> None:
    ledger = PeopleLedger(_INFO)
    ledger.add(frame(0), [_seen(1), _seen(2)])
    gone = [ledger.add(frame(number), [_seen(2)]) for number in range(1, 140)]
    (when,) = (number for number, each in enumerate(gone, start=1) if each)
    assert when == 126
    assert [person.track_id for person in gone[when - 1]] == [1]
    assert [person.track_id for person in ledger.present] == [2]


def test_time_counts_in_frames_as_a_tracker_counts() -> None:
    ledger = PeopleLedger(replace(_INFO, kind="camera"))
    ledger.add(frame(0), [_seen(1)])
    for number in range(1, 100):  # a slow machine: a frame each second
        late = replace(frame(number % 256), time_s=float(number))
        assert ledger.add(late, []) == []


def test_the_people_of_a_picture_are_gone_with_it() -> None:
    ledger = PeopleLedger(_PICTURES)
    path = Path("one.png")
    assert ledger.add(Frame(numbered(0), 0, 0.0, 0.0, path), [_seen(1), _seen(2)]) == []
    gone = ledger.add(Frame(numbered(1), 1, 1.0, 0.0, Path("two.png")), [_seen(3)])
    assert [person.track_id for person in gone] == [1, 2]
    assert gone[0].best.path == path


def test_what_it_holds_is_bounded() -> None:
    ledger = PeopleLedger(_INFO)
    most = 0
    for number in range(2000):
        ledger.add(frame(number % 256), [_seen(number)])
        most = max(most, int(repr(ledger).split("(")[1].split()[0]))
    assert most == 126


def test_what_is_unsure_is_said() -> None:
    ledger = PeopleLedger(_INFO)
    labels = {"gender": label(None, 0.5), "race": label("Female")}
    ledger.add(frame(0), [replace(_seen(), labels=labels)])
    assert ledger.present[0].perceived() == "gender unsure, Female"


_EDGE = st.floats(-500, 500, width=32)


@given(st.tuples(_EDGE, _EDGE), st.tuples(st.floats(0, 400), st.floats(0, 400)))
def test_a_crop_lies_in_the_picture_and_is_never_empty(
    corner: tuple[float, float], size: tuple[float, float]
) -> None:
    picture = numbered(5)
    box = np.array([*corner, corner[0] + size[0], corner[1] + size[1]], dtype=np.float32)
    face = face_crop(picture, box)
    assert face.size
    assert face.shape[0] <= picture.shape[0]
    assert face.shape[1] <= picture.shape[1]
    face[:] = 0
    assert picture.any()


def test_seconds_are_those_in_which_the_face_was_seen() -> None:
    """The rate of a video may vary: a frame is shown until the next one."""
    ledger = PeopleLedger(_INFO, keeps_all=True)
    for number, (time_s, is_seen) in enumerate(
        [(0.0, True), (0.04, True), (0.5, False), (0.54, True), (2.0, False)]
    ):
        whole = replace(frame(number), time_s=time_s)
        ledger.add(whole, [_seen()] if is_seen else [])
    (person,) = ledger.present
    assert person.seconds == pytest.approx(0.5 + 1.46)
    assert (person.first_s, person.last_s, person.frames) == (0.0, 0.54, 3)


def test_the_tracks_of_a_person_are_joined_at_the_end() -> None:
    ledger = PeopleLedger(_INFO, keeps_all=True)
    shots = [(1, 0.4), (2, 0.9), (4, 0.7)]
    for shot, (track_id, quality) in enumerate(shots):
        for number in range(200 * shot, 200 * shot + 10 * (shot + 1)):
            ledger.add(frame(number), [_seen(track_id, quality)], partial(numbered, 1))
        for number in range(200 * shot + 50, 200 * shot + 190):
            ledger.add(frame(number), [])
    labels = {1: {"gender": label("Male")}}
    persons = ledger.persons(Settlement({1: 1, 2: 2, 4: 1}, labels))
    assert [(each.person_id, each.tracks, each.frames) for each in persons] == [
        (1, (1, 4), 40),
        (2, (2,), 20),
    ]
    first, other = persons
    assert (first.first_s, first.last_s) == pytest.approx((0.0, 429 / 25))
    assert first.best.quality == 0.7
    assert (first.perceived(), other.perceived()) == ("Male", "Female")
    assert first.best.crop is None
