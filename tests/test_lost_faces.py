"""Where faces may be that were found a moment ago and are not found any more."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import frame, track

from models.faces import iou
from stream.following.lost_faces import LostFaces
from stream.frames import Frame
from stream.tracks import Track


def _at(time_s: float) -> Frame:
    """A frame of that time, of 25 a second."""
    return replace(frame(), index=round(time_s * 25), time_s=time_s)


def _missed(track_id: int, box: tuple[float, float, float, float], frames: int) -> Track:
    seen = track(track_id, box)
    return Track(track_id, seen.box_xyxy, 1.0, {}, 5, missed_frames=frames, quality=1.0)


def test_a_face_in_sight_is_not_lost() -> None:
    lost = LostFaces()
    for number in range(5):
        assert len(lost.update([track(1)], _at(number / 25))) == 0
    assert repr(lost) == "LostFaces(1 remembered)"


@pytest.mark.parametrize("still_shown", [True, False])
def test_a_face_that_is_missed_stays_covered_for_a_second(still_shown: bool) -> None:
    lost = LostFaces()
    box = (20, 10, 60, 50)
    lost.update([track(1, box)], _at(0.0))
    for number in range(1, 26):
        shown = [_missed(1, box, number)] if still_shown else []
        places = lost.update(shown, _at(number / 25))
        assert iou(places, np.array([box], np.float32)).max() > 0.4
        assert (places[0, :2] <= box[:2]).all() and (places[0, 2:] >= box[2:]).all()
    assert len(lost.update([], _at(26 / 25))) == 0


@pytest.mark.parametrize(("gone_s", "ahead_s"), [(0.2, 0.2), (0.48, 0.48), (0.8, 0.5)])
def test_it_is_covered_where_it_was_and_where_it_goes(gone_s: float, ahead_s: float) -> None:
    """The longer it is gone the wider; its motion is believed for half a second."""
    lost = LostFaces()
    velocity_xy = np.array([5, -2], np.float32)  # px a frame, as the tracker has it
    lost.update([replace(track(1), velocity_xy=velocity_xy)], _at(0.0))
    places = lost.update([], _at(gone_s))
    margin = 40 * 0.25 * gone_s
    before = np.array([20 - margin, 10 - margin, 60 + margin, 50 + margin])
    ahead = before + np.tile([125 * ahead_s, -50 * ahead_s], 2)
    np.testing.assert_allclose(places, [before, ahead], atol=1e-3)


def test_a_face_of_unknown_velocity_is_not_expected_to_move() -> None:
    lost = LostFaces()
    lost.update([track(1)], _at(0.0))
    before, ahead = lost.update([], _at(0.4))
    np.testing.assert_array_equal(before, ahead)


@pytest.mark.parametrize(("time_s", "covered"), [(3.9, False), (4.1, True), (6.1, False)])
def test_of_a_clock_that_was_set_back_the_distance_counts(time_s: float, covered: bool) -> None:
    lost = LostFaces()
    lost.update([track(1)], _at(5.0))
    assert len(lost.update([], _at(time_s))) == (2 if covered else 0)


def test_who_comes_back_is_not_lost_any_more() -> None:
    lost = LostFaces()
    lost.update([track(1), track(2)], _at(0.0))
    assert len(lost.update([track(2)], _at(0.1))) == 2
    assert len(lost.update([track(1), track(2)], _at(0.2))) == 0


@pytest.mark.parametrize("time_s", [-100.0, 0.0, 100.0])
def test_a_clock_that_jumps(time_s: float) -> None:
    lost = LostFaces()
    lost.update([track(1)], _at(0.0))
    lost.update([track(1, (25, 10, 65, 50))], _at(time_s))
    places = lost.update([], _at(time_s))
    assert len(places) == 2
    assert np.isfinite(places).all()


def test_a_lost_face_is_covered_in_frames_of_another_size() -> None:
    lost = LostFaces()
    lost.update([track(1, (20, 10, 60, 50))], _at(0.0))
    larger = replace(frame(0, (192, 128)), index=1, time_s=0.04)
    places = lost.update([], larger)
    np.testing.assert_allclose(places[0], [40, 20, 120, 100], atol=2)
