"""How the box of a face moves: prediction, smoothing, and when a template may stand in."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.following.track_state import TrackState

_BOX = (100.0, 100.0, 180.0, 180.0)


def _box(x: float = 0.0, y: float = 0.0, wider: float = 0.0) -> NDArray[np.float32]:
    """The face so far from where it began, and so much wider, about the same middle."""
    half = wider / 2
    return np.array(np.add(_BOX, (x - half, y - half, x + half, y + half)), dtype=np.float32)


def _state(velocity_xy: Sequence[float] = (0, 0), seen_frames: int = 5) -> TrackState:
    velocity = np.array(velocity_xy, dtype=np.float32)
    return TrackState(1, _box(), velocity, 0.9, _box(), seen_frames=seen_frames, growth=0.0)


def test_it_is_foreseen_by_its_velocity() -> None:
    np.testing.assert_array_equal(_state((6, -2)).predicted_xyxy(3), _box(18, -6))


def test_out_of_sight_it_goes_on_and_slows_down() -> None:
    state = _state((10, -5))
    x = 0.0
    for missed in range(1, 6):
        x += 10 * 0.97 ** (missed - 1)
        state.miss(1)
        np.testing.assert_allclose(state.box_xyxy, _box(x, -x / 2), atol=1e-3)
        np.testing.assert_allclose(state.velocity_xy, np.array([10, -5]) * 0.97**missed, rtol=1e-5)
        assert state.missed_frames == missed
    np.testing.assert_array_equal(state.seen_xyxy, _box())


def test_frames_left_out_slow_it_down_as_much_as_frames_missed() -> None:
    one, many = _state((10, 0)), _state((10, 0))
    for _ in range(4):
        one.miss(1)
    many.miss(4)
    np.testing.assert_allclose(many.velocity_xy, one.velocity_xy, rtol=1e-5)
    np.testing.assert_allclose(many.velocity_xy, [10 * 0.97**4, 0], rtol=1e-5)
    np.testing.assert_array_equal(many.box_xyxy, _box(40))
    assert many.missed_frames == one.missed_frames == 4


@pytest.mark.parametrize(
    ("error", "gain"), [(1.2, 0.35 + 0.55 / 4), (2.4, 0.35 + 0.55 / 2), (4.8, 0.9), (20, 0.9)]
)
def test_the_box_follows_motion_closely_and_jitter_less(error: float, gain: float) -> None:
    state = _state((5, 0))
    state.update(_box(5 + error, 0), 0.7, 1)
    np.testing.assert_allclose(state.box_xyxy, _box(5 + gain * error), atol=1e-3)
    np.testing.assert_allclose(state.velocity_xy, [5 + 0.3 * error, 0], rtol=1e-5)
    np.testing.assert_array_equal(state.seen_xyxy, _box(5 + error, 0))
    assert state.score == 0.7
    assert (state.seen_frames, state.missed_frames) == (6, 0)


def test_a_turn_during_missed_frames_does_not_overshoot() -> None:
    """The error of ten frames is ten small ones: the speed it had is corrected by a tenth each."""
    state = _state((10, 0))
    state.miss(9)
    speed = 10 * 0.97**9
    expected = state.predicted_xyxy(1)
    back = expected - np.float32([100, 0, 100, 0])
    state.update(back, 1.0, 1)
    np.testing.assert_allclose(state.velocity_xy, [speed - 0.3 * 100 / 10, 0], rtol=1e-5)
    np.testing.assert_allclose(state.box_xyxy, back + np.float32([10, 0, 10, 0]), atol=1e-3)
    assert state.velocity_xy[0] > 0


def test_the_error_of_frames_left_out_is_that_of_many_too() -> None:
    state = _state()
    state.update(_box(40), 1.0, 4)
    np.testing.assert_allclose(state.velocity_xy, [0.3 * 40 / 4, 0], rtol=1e-5)


@pytest.mark.parametrize(("missed", "matched"), [(0, 0), (3, 0), (0, 3)])
def test_growth_is_a_share_a_frame_since_the_last_search(missed: int, matched: int) -> None:
    state = _state()
    if missed:
        state.miss(missed)
    for _ in range(matched):
        state.match(_box(), 1)
    state.update(_box(wider=8), 1.0, 1)
    assert state.growth == pytest.approx(0.1 / (1 + missed + matched), rel=1e-5)
    assert state.matched_frames == 0


def test_a_face_that_shrinks_changes_as_well() -> None:
    state = _state()
    state.update(_box(wider=-8), 1.0, 2)
    assert state.growth == pytest.approx(0.05, rel=1e-5)


def _matches(state: TrackState) -> int:
    """In how many frames in a row it may be matched, at no turn of its own."""
    matches = 0
    while state.may_be_matched(1):
        state.match(_box(), 1)
        matches += 1
        assert matches < 20
    assert state.matched_frames == matches
    return matches


@pytest.mark.parametrize(
    ("growth", "matches"), [(0.0, 7), (0.007, 7), (0.008, 6), (0.012, 4), (0.03, 1), (0.06, 0)]
)
def test_it_is_searched_for_before_its_size_has_changed_by_a_twentieth(
    growth: float, matches: int
) -> None:
    state = _state()
    state.growth = growth
    assert _matches(state) == matches
    assert state.growth == growth


def test_it_is_searched_for_in_each_eighth_frame_all_the_same() -> None:
    assert [turn for turn in range(24) if not _state().may_be_matched(turn)] == [0, 8, 16]


@pytest.mark.parametrize(("seen_frames", "may"), [(4, False), (5, True)])
def test_it_is_matched_only_once_its_motion_is_known(seen_frames: int, may: bool) -> None:
    assert _state(seen_frames=seen_frames).may_be_matched(1) is may


def test_a_matched_face_keeps_its_score_and_is_seen() -> None:
    state = _state((5, 0))
    state.match(_box(5), 1)
    assert (state.score, state.seen_frames, state.matched_frames) == (0.9, 6, 1)
    np.testing.assert_array_equal(state.seen_xyxy, _box(5))
