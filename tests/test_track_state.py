"""How the box of a face moves: prediction, smoothing, and when a template may stand in."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.following.track_state import TrackState, _shift

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
    state = TrackState.start(1, _box(), 0.9, True)
    if missed:
        state.miss(missed)
    for _ in range(matched):
        state.match(_box(), 1)
    state.update(_box(wider=8), 1.0, 1)
    assert state.growth == pytest.approx(0.1 / (1 + missed + matched), rel=1e-5)
    assert state.matched_frames == 0


def test_a_face_that_shrinks_changes_as_well() -> None:
    state = TrackState.start(1, _box(), 0.9, True)
    state.update(_box(wider=-8), 1.0, 2)
    assert state.growth == pytest.approx(-0.05, rel=1e-5)
    state.seen_frames = 5
    assert _matches(state) == 1  # after two it would be a tenth smaller


def test_growth_is_averaged_over_the_searches() -> None:
    """A fifth of each counts: jitter to and fro is no growth."""
    state = _state()
    state.growth = 0.05
    state.update(_box(wider=8), 1.0, 1)
    assert state.growth == pytest.approx(0.05 + 0.2 * 0.05, rel=1e-5)
    still = _state()
    for wider in (4, -4) * 10:
        still.update(_box(wider=wider), 1.0, 1)
    assert abs(still.growth) < 0.02


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
    ("growth", "matches"),
    [(0.0, 15), (0.0045, 15), (0.005, 13), (-0.005, 13), (0.012, 5), (0.03, 2), (-0.08, 0)],
)
def test_it_is_searched_for_before_its_size_has_changed_by_a_fourteenth(
    growth: float, matches: int
) -> None:
    state = _state()
    state.growth = growth
    assert _matches(state) == matches
    assert state.growth == growth


def test_it_is_searched_for_in_each_sixteenth_frame_all_the_same() -> None:
    assert [turn for turn in range(40) if not _state().may_be_matched(turn)] == [0, 16, 32]


@pytest.mark.parametrize(("seen_frames", "may"), [(4, False), (5, True)])
def test_it_is_matched_only_once_its_motion_is_known(seen_frames: int, may: bool) -> None:
    assert _state(seen_frames=seen_frames).may_be_matched(1) is may


def test_a_matched_face_keeps_its_score_and_is_seen() -> None:
    state = _state((5, 0))
    state.match(_box(5), 1)
    assert (state.score, state.seen_frames, state.matched_frames) == (0.9, 6, 1)
    np.testing.assert_array_equal(state.seen_xyxy, _box(5))


# --- a face that is half hidden ---

_OFF = st.integers(-240, 240).map(lambda quarters: quarters / 4)


def _errors(first: tuple[float, float], last: tuple[float, float]) -> NDArray[np.float32]:
    return np.array([*first, *last], dtype=np.float32)


@given(_OFF, _OFF)
def test_a_face_that_moves_is_off_by_what_its_box_is(x: float, y: float) -> None:
    np.testing.assert_array_equal(_shift(_errors((x, y), (x, y))), np.float32([x, y]))


@given(_OFF, _OFF, _OFF)
def test_hiding_more_of_a_face_moves_it_no_farther(x: float, hidden: float, y: float) -> None:
    """Of a face that moves, one edge is where it should be; the other is anywhere beyond."""
    farther = x + np.sign(x) * abs(hidden)
    for first, last in ((x, farther), (farther, x)):
        np.testing.assert_array_equal(_shift(_errors((first, y), (last, y))), np.float32([x, y]))


@given(_OFF, _OFF, _OFF, _OFF)
def test_a_shift_is_between_none_and_that_of_either_edge(
    left: float, top: float, right: float, bottom: float
) -> None:
    error = _errors((left, top), (right, bottom))
    shift = _shift(error)
    assert shift.dtype == np.float32
    for got, first, last in zip(shift, error[:2], error[2:], strict=True):
        assert min(0, first, last) <= got <= max(0, first, last)
        assert abs(got) <= min(abs(first), abs(last))
        assert (got == 0) == (first * last <= 0)
    np.testing.assert_array_equal(_shift(-error), -shift)
    np.testing.assert_array_equal(_shift(error[[2, 3, 0, 1]]), shift)


@given(st.floats(0, 40), st.floats(0, 40))
def test_a_face_that_grows_about_its_middle_or_beside_an_edge_does_not_move(
    before: float, after: float
) -> None:
    assert _shift(_errors((-before, -before), (after, after))).tolist() == [0, 0]


def _hidden_from_the_right(px: float) -> NDArray[np.float32]:
    box = _box()
    box[2] -= px
    return box


def test_a_box_of_which_half_is_hidden_at_once_shrinks_slowly_and_stays_where_it_is() -> None:
    state = _state()
    widths = []
    for _ in range(4):
        state.update(_hidden_from_the_right(40), 0.6, 1)
        widths.append(state.width_px)
        np.testing.assert_array_equal(state.velocity_xy, [0, 0])
        np.testing.assert_array_equal(state.box_xyxy[[0, 1, 3]], _box()[[0, 1, 3]])
    assert widths == pytest.approx([40 + 40 * 0.7**frames for frames in range(1, 5)], abs=1e-3)


def test_a_walking_face_that_goes_behind_something_keeps_its_velocity() -> None:
    """Its front edge stays at x = 200, its rear edge goes on."""
    state = _state((6, 0))
    for frames in range(1, 9):
        box = _box(6 * frames)
        box[2] = min(box[2], 200)
        state.update(box, 0.6, 1)
    assert 3 < state.velocity_xy[0] <= 6
    assert state.velocity_xy[1] == 0
    assert state.box_xyxy[0] == pytest.approx(148, abs=6)


@pytest.mark.parametrize(("error", "gain"), [(0.5, 0.3), (4, 0.3), (40, 0.3)])
def test_a_box_takes_over_three_tenths_of_a_change_of_size(error: float, gain: float) -> None:
    """The gain of a still face would be more, and that of one that moves still more."""
    state = _state()
    state.update(_box(wider=error), 0.7, 1)
    assert state.width_px == pytest.approx(80 + gain * error, abs=1e-3)
    np.testing.assert_array_equal(state.velocity_xy, [0, 0])


# --- when it is shown, and whose it is ---


@pytest.mark.parametrize(("confirmed", "shown"), [(True, [True] * 4), (False, [False, True, True])])
def test_a_face_that_is_not_confirmed_at_once_is_after_three_sightings(
    confirmed: bool, shown: list[bool]
) -> None:
    state = TrackState.start(1, _box(), 0.9, confirmed)
    assert state.confirmed is confirmed
    for expected in shown:
        state.update(_box(), 0.9, 1)
        assert state.confirmed is expected


def test_frames_in_which_it_was_matched_confirm_it_too_and_missed_ones_do_not() -> None:
    state = TrackState.start(1, _box(), 0.9, False)
    state.match(_box(), 1)
    state.miss(1)
    assert not state.confirmed
    state.match(_box(), 1)
    assert state.confirmed
    state.miss(5)
    assert state.confirmed


@pytest.mark.parametrize(
    ("weight", "distance", "is_other"),
    [(0.41, 0.8, True), (0.39, 0.8, False), (0.41, 0.6, False), (0.05, 1.4, False)],
)
def test_a_view_less_than_half_as_good_as_the_kept_one_cannot_say_that_it_is_another_face(
    weight: float, distance: float, is_other: bool
) -> None:
    state = _state()
    state.remember(np.array([0, 0], np.float32), 0.8)
    assert state.is_other_face(np.array([distance, 0], np.float32), weight) is is_other


def test_no_view_says_that_a_face_without_a_kept_one_is_another() -> None:
    assert not _state().is_other_face(np.array([5, 0], np.float32), 1.0)
