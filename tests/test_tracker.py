"""Faces → tracks, by boxes and appearances alone."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.faces import Detections
from stream.following.tracker import Tracker

_ANN, _BOB = (100, 100, 180, 180), (300, 100, 380, 180)
_APPEARANCE_OF_ANN, _APPEARANCE_OF_BOB = np.eye(2, dtype=np.float32)


def _faces(boxes: Sequence[Sequence[float]]) -> Detections:
    return Detections.of(boxes, np.ones(len(boxes)))


def _admit(
    tracker: Tracker,
    faces: Detections,
    appearances: Mapping[int, NDArray[np.float32]],
    *,
    confirmed: bool = False,
) -> dict[int, int]:
    """Gives new faces tracks; as a rule the search is not sure of any."""
    return tracker.admit(faces, np.full(len(faces), confirmed), appearances)


def _moved(box: Sequence[float], x: float, y: float = 0.0) -> tuple[float, ...]:
    return tuple(np.add(box, (x, y, x, y)))


def _step(
    tracker: Tracker,
    boxes: Sequence[Sequence[float]],
    appearances: Mapping[int, NDArray[np.float32]] | None = None,
) -> dict[int, int]:
    """The next frame, searched as a whole: for each track that was seen, the row of its box."""
    faces = _faces(boxes)
    seen = tracker.follow(faces)
    unexplained = tracker.unexplained_rows(faces.boxes_xyxy)
    chosen = {
        place: appearances[row]
        for place, row in enumerate(unexplained.tolist())
        if appearances and row in appearances
    }
    admitted = _admit(tracker, faces[unexplained], chosen)
    return seen | {track_id: int(unexplained[row]) for track_id, row in admitted.items()}


def _missed(tracker: Tracker) -> dict[int, int]:
    return {state.track_id: state.missed_frames for state in tracker.states}


def _lost(missed: int, *boxes: Sequence[float]) -> Tracker:
    """A tracker of faces that stood still, by default Ann's, and were missed for so long."""
    tracker = Tracker()
    for _ in range(5):
        _step(tracker, boxes or [_ANN])
    for _ in range(missed):
        _step(tracker, [])
    return tracker


def _wide(width: float) -> tuple[float, ...]:
    """A face where Ann's is, but as wide as that."""
    return 140 - width / 2, 140 - width / 2, 140 + width / 2, 140 + width / 2


def _turned(distance: float) -> NDArray[np.float32]:
    """An embedding that far from Ann's."""
    angle = 2 * np.arcsin(distance / 2)
    return np.array([np.cos(angle), np.sin(angle)], dtype=np.float32)


def _view(tracker: Tracker, track_id: int, appearance: NDArray[np.float32], weight: float) -> int:
    """A track is looked at, as the annotator does it; gives its id, which may be a new one."""
    if tracker.is_other_face(track_id, appearance, weight):
        track_id = tracker.rename(track_id)
    tracker.remember(track_id, appearance, weight)
    return track_id


def test_no_faces() -> None:
    tracker = Tracker()
    assert tracker.predicted_xyxy().shape == (0, 4)
    assert _step(tracker, []) == {}
    assert repr(tracker) == "Tracker(0 tracks, next id 1)"


def test_new_faces_are_numbered_from_one() -> None:
    tracker = Tracker()
    assert _step(tracker, [_ANN, _BOB]) == {1: 0, 2: 1}
    np.testing.assert_array_equal(tracker.predicted_xyxy(), [_ANN, _BOB])
    assert [state.seen_frames for state in tracker.states] == [1, 1]


def test_faces_are_followed_and_counted() -> None:
    tracker = Tracker()
    for number in range(10):
        assert _step(tracker, [_moved(_ANN, 4 * number), _BOB]) == {1: 0, 2: 1}
    assert [state.seen_frames for state in tracker.states] == [10, 10]
    here = _faces([_moved(_ANN, 36), _BOB, _moved(_BOB, 200)])
    assert tracker.unexplained_rows(here.boxes_xyxy).tolist() == [2]


def test_a_steady_motion_is_foreseen() -> None:
    tracker = Tracker()
    for number in range(20):
        _step(tracker, [_moved(_ANN, 8 * number, -3 * number)])
    assert np.abs(tracker.states[0].predicted_xyxy(1) - _moved(_ANN, 160, -60)).max() < 4


def test_a_matched_face_is_searched_for_now_and_then() -> None:
    tracker = Tracker()
    looked_for = []
    for number in range(32):
        here = _moved(_ANN, 4 * number)
        matched = {
            state.track_id: np.array(here, dtype=np.float32)
            for state in tracker.states
            if state.may_be_matched(number)
        }
        wanted = len(tracker.predicted_xyxy(1, matched))
        looked_for.append(wanted)
        faces = _faces([here] if wanted or not number else [])
        tracker.follow(faces, 1, matched)
        _admit(tracker, faces[tracker.unexplained_rows(faces.boxes_xyxy)], {})
    assert looked_for[:5] == [0, 1, 1, 1, 1]
    assert sum(looked_for[-16:]) == 1  # each sixteenth frame
    assert _missed(tracker) == {1: 0}
    assert tracker.states[0].seen_frames == 32
    assert np.abs(tracker.states[0].box_xyxy - _moved(_ANN, 124)).max() < 2


@pytest.mark.parametrize(("apart", "most"), [(0, 4), (1, 1)])
def test_which_faces_are_searched_for_together_is_for_the_turn_to_say(
    apart: int, most: int
) -> None:
    tracker = Tracker()
    boxes = [_ANN, _BOB, _moved(_BOB, 200), _moved(_ANN, 0, 200)]
    looked_for = []
    for turn in range(40):
        matched = {
            state.track_id: state.box_xyxy
            for state in tracker.states
            if state.may_be_matched(turn + apart * state.track_id)
        }
        wanted = [state for state in tracker.states if state.track_id not in matched]
        looked_for.append(len(wanted))
        faces = _faces([box for number, box in enumerate(boxes, 1) if number not in matched])
        tracker.follow(faces, 1, matched)
        _admit(tracker, faces[tracker.unexplained_rows(faces.boxes_xyxy)], {})
    assert len(tracker.states) == 4
    assert max(looked_for[5:]) == most
    assert sum(looked_for[-16:]) == 4


def test_a_face_that_is_never_matched_is_searched_for_in_each_frame() -> None:
    tracker = Tracker()
    for number in range(20):
        assert len(tracker.predicted_xyxy()) == (number > 0)
        _step(tracker, [_moved(_ANN, 6 * (number % 2))])


def test_a_lost_face_must_be_searched_for() -> None:
    tracker = Tracker()
    for _ in range(8):
        _step(tracker, [_ANN])
    assert tracker.states[0].may_be_matched(1)
    _step(tracker, [])
    assert not tracker.states[0].may_be_matched(1)


def test_jitter_of_a_still_face_is_smoothed() -> None:
    tracker = Tracker()
    noise = np.random.default_rng(0).normal(0, 1.0, (200, 4))
    shown = []
    for each in noise:
        _step(tracker, [np.array(_ANN) + each])
        shown.append(tracker.states[0].box_xyxy)
    seen_jitter = np.abs(np.diff(noise, axis=0)).mean()
    assert np.abs(np.diff(shown, axis=0)).mean() < 0.7 * seen_jitter
    assert np.abs(np.array(shown) - _ANN).max() < 5


def test_a_track_unseen_goes_on_as_it_went_and_ends() -> None:
    tracker = Tracker(fps=10)
    for number in range(4):
        _step(tracker, [_moved(_ANN, 5 * number)])
    expected, velocity = tracker.states[0].box_xyxy, tracker.states[0].velocity_xy
    assert velocity[0] > 1
    for missed in range(1, 21):  # two seconds
        assert _step(tracker, []) == {}
        assert _missed(tracker) == {1: missed}
        expected = _moved(expected, float(velocity[0]) * 0.97 ** (missed - 1))
        np.testing.assert_allclose(tracker.states[0].box_xyxy, expected, atol=1e-3)
    _step(tracker, [])
    assert tracker.states == []


@pytest.mark.parametrize(("fps", "frames"), [(5.0, 10), (10.0, 20), (60.0, 120)])
def test_how_long_a_lost_face_is_waited_for_depends_on_time_not_on_frames(
    fps: float, frames: int
) -> None:
    tracker = Tracker(fps)
    for _ in range(5):
        _step(tracker, [_ANN])
    for _ in range(frames):
        _step(tracker, [])
    assert _missed(tracker) == {1: frames}
    _step(tracker, [])
    assert tracker.states == []


@pytest.mark.parametrize(("seen", "waited"), [(1, False), (2, False), (3, True)])
def test_a_face_that_was_hardly_seen_ends_soon_when_it_is_lost(seen: int, waited: bool) -> None:
    tracker = Tracker()
    for _ in range(seen):
        _step(tracker, [_ANN])
    _step(tracker, [])
    assert _missed(tracker) == {1: 1}
    _step(tracker, [])
    assert _missed(tracker) == ({1: 2} if waited else {})


def test_ids_are_never_used_again() -> None:
    tracker = Tracker(fps=5)
    given_ids: list[int] = []
    for number in range(300):
        there = [_ANN] if number % 60 < 20 else []
        given_ids += _step(tracker, there)
    assert sorted(set(given_ids)) == [1, 2, 3, 4, 5]
    assert given_ids == sorted(given_ids)
    tracker.drop_lost()
    assert _step(tracker, [_ANN]) == {6: 0}


def test_a_face_takes_up_the_track_it_left() -> None:
    tracker = Tracker()
    for number in range(10):
        _step(tracker, [_moved(_ANN, 4 * number)])
    for _ in range(8):
        _step(tracker, [])
    assert _step(tracker, [_moved(_ANN, 4 * 18)]) == {1: 0}
    assert _missed(tracker) == {1: 0}


def test_a_lost_face_is_searched_for_where_it_was_last_seen_too() -> None:
    tracker = Tracker()
    for number in range(12):
        _step(tracker, [_moved(_ANN, -8 * number)])
    last_seen = _moved(_ANN, -88)
    for _ in range(19):
        _step(tracker, [])
    gone, back = tracker.predicted_xyxy()
    assert gone[2] < 0
    np.testing.assert_array_equal(back, last_seen)
    np.testing.assert_array_equal(tracker.lost_xyxy[1], last_seen)
    assert tracker.visible_xyxy.shape == (0, 4)
    assert tracker.follow(_faces([_moved(last_seen, 20)])) == {1: 0}


@pytest.mark.parametrize(
    ("missed", "places"), [(1, 1), (2, 1), (3, 2), (4, 0), (5, 0), (6, 0), (7, 2), (8, 0)]
)
def test_from_the_third_missed_frame_two_places_are_searched_in_every_fourth_frame(
    missed: int, places: int
) -> None:
    tracker = _lost(missed)
    assert len(tracker.predicted_xyxy()) == places
    assert len(tracker.predicted_xyxy(1, matched=[1])) == 0


@pytest.mark.parametrize(("width", "seen"), [(126, True), (130, False), (51, True), (49, False)])
def test_a_lost_face_does_not_grow_or_shrink_beyond_1_6_times(width: float, seen: bool) -> None:
    assert _lost(4).follow(_faces([_wide(width)])) == ({1: 0} if seen else {})


@pytest.mark.parametrize(
    ("missed", "reach_px"), [(1, 0.48 * 80), (5, 0.8 * 80), (10, 1.2 * 80), (40, 1.2 * 80)]
)
def test_a_lost_face_is_found_the_farther_off_the_longer_it_was_gone(
    missed: int, reach_px: float
) -> None:
    assert _lost(missed).follow(_faces([_moved(_ANN, reach_px - 1)])) == {1: 0}
    assert _lost(missed).follow(_faces([_moved(_ANN, 0, -reach_px - 1)])) == {}
    smaller = np.add(_wide(60), (reach_px - 1, 0, reach_px - 1, 0))  # its own width does not count
    assert _lost(missed).follow(_faces([smaller])) == {1: 0}


@pytest.mark.parametrize(("shift", "seen"), [(53, {1: 0}), (54, {})])
def test_a_face_in_sight_overlaps_with_where_it_should_be(shift: int, seen: dict[int, int]) -> None:
    tracker = _lost(0)
    assert tracker.follow(_faces([_moved(_ANN, shift)])) == seen


@pytest.mark.parametrize(("shift", "unexplained"), [(34, []), (35, [0])])
def test_an_unexplained_face_hardly_overlaps_with_a_visible_one(
    shift: int, unexplained: list[int]
) -> None:
    """Of two squares of 80 px that are 34 px apart a bit more than 0.4 is shared."""
    box = np.array([_moved(_ANN, shift)], dtype=np.float32)
    assert _lost(0).unexplained_rows(box).tolist() == unexplained
    assert _lost(1).unexplained_rows(box).tolist() == [0]  # no track is in sight


@pytest.mark.parametrize(("shift", "track_id"), [(34, 1), (35, 2)])
def test_a_face_too_small_for_an_appearance_is_the_lost_one_only_in_the_same_place(
    shift: int, track_id: int
) -> None:
    assert _admit(_lost(10), _faces([_moved(_ANN, shift)]), {}) == {track_id: 0}


def test_a_face_in_sight_is_not_lost_to_one_that_comes_back() -> None:
    tracker = Tracker()
    for _ in range(5):
        _step(tracker, [_ANN, _BOB])
    for number in range(1, 9):  # Bob is not seen any more, and Ann comes to where he was
        _step(tracker, [_moved(_ANN, 25 * number)])
    assert tracker.follow(_faces([_BOB])) == {1: 0}
    assert _missed(tracker) == {1: 0, 2: 9}


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_lost_faces_each_takes_what_is_nearer_to_it(order: int) -> None:
    """The sum of distances counts: the one between is within the reach of both."""
    other = _moved(_ANN, 90)
    found = [_moved(_ANN, -20), _moved(_ANN, 50)][::order]
    seen = _lost(10, _ANN, other).follow(_faces(found))
    assert {track_id: found[row] for track_id, row in seen.items()} == {
        1: _moved(_ANN, -20),
        2: _moved(_ANN, 50),
    }


def test_of_two_lost_faces_with_one_in_reach_of_both_the_nearer_takes_it() -> None:
    near_other = _moved(_ANN, 60)
    assert _lost(10, _ANN, _moved(_ANN, 90)).follow(_faces([near_other])) == {2: 0}


def test_rivals_do_not_lend_one_another_a_face_out_of_reach() -> None:
    seen = _lost(10, _ANN, _moved(_ANN, 90)).follow(_faces([_moved(_ANN, 45), (600, 0, 680, 80)]))
    assert list(seen.values()) == [0]


def test_a_face_comes_back_elsewhere_by_its_appearance() -> None:
    tracker = Tracker()
    for _ in range(5):
        _step(tracker, [_ANN], {0: _APPEARANCE_OF_ANN})
    _view(tracker, 1, _APPEARANCE_OF_ANN, 1.0)
    for _ in range(10):
        _step(tracker, [])
    far = _moved(_ANN, 600, 200)
    assert _step(tracker, [far], {0: _APPEARANCE_OF_ANN}) == {1: 0}
    np.testing.assert_array_equal(tracker.states[0].box_xyxy, far)


def test_of_a_face_that_came_back_elsewhere_neither_motion_nor_size_is_known() -> None:
    tracker = Tracker()
    for number in range(10):
        _step(tracker, [_moved(_ANN, 8 * number)])
    (state,) = tracker.states
    _view(tracker, 1, _APPEARANCE_OF_ANN, 1.0)
    assert state.velocity_xy[0] > 4
    assert state.may_be_matched(1)
    for _ in range(10):
        _step(tracker, [])
    far = _moved(_ANN, 600, 200)
    back = Detections.of([far], [0.3])
    assert _admit(tracker, back, {0: _APPEARANCE_OF_ANN}) == {1: 0}
    np.testing.assert_array_equal(tracker.predicted_xyxy(10), [far])
    assert not state.may_be_matched(1)  # it is looked for before it is taken for granted
    assert (state.score, state.seen_frames, state.missed_frames) == (pytest.approx(0.3), 11, 0)
    _step(tracker, [])
    np.testing.assert_array_equal(tracker.lost_xyxy, [far, far])


@pytest.mark.parametrize(
    ("distance", "shift", "track_id"),
    [(0.45, 600, 1), (0.55, 600, 2), (0.55, 40, 1), (0.65, 40, 1), (0.75, 0, 2)],
)
def test_the_less_a_face_appearances_like_the_lost_one_the_more_its_place_must_say(
    distance: float, shift: float, track_id: int
) -> None:
    tracker = _lost(8)
    _view(tracker, 1, _APPEARANCE_OF_ANN, 1.0)
    back = _faces([_moved(_ANN, shift)])
    assert _admit(tracker, back, {0: _turned(distance)}) == {track_id: 0}


@pytest.mark.parametrize("distances", [(0.1, 0.4), (0.4, 0.1)])
def test_of_two_lost_faces_it_is_the_one_more_alike(distances: tuple[float, float]) -> None:
    """Wherever it is: here it is nearer to the first."""
    tracker = _lost(8, _ANN, _BOB)
    for track_id, distance in enumerate(distances, start=1):
        _view(tracker, track_id, _turned(distance), 1.0)
    back = _faces([_moved(_ANN, 10)])
    assert _admit(tracker, back, {0: _APPEARANCE_OF_ANN}) == {1 + int(np.argmin(distances)): 0}


@pytest.mark.parametrize(("shift", "track_id"), [(20, 1), (70, 2)])
def test_of_two_lost_faces_neither_of_which_is_alike_it_is_the_nearer(
    shift: float, track_id: int
) -> None:
    tracker = _lost(8, _ANN, _moved(_ANN, 90))
    for lost in (1, 2):
        _view(tracker, lost, _turned(0.6), 1.0)
    assert _admit(tracker, _faces([_moved(_ANN, shift)]), {0: _APPEARANCE_OF_ANN}) == {track_id: 0}


def test_a_lost_face_of_unknown_appearance_is_none_that_has_one() -> None:
    assert _admit(_lost(2), _faces([_ANN]), {0: _APPEARANCE_OF_ANN}) == {2: 0}


def _after_a_cut() -> Tracker:
    tracker = _lost(0)
    _view(tracker, 1, _APPEARANCE_OF_ANN, 1.0)
    tracker.lose_all(3)
    assert _missed(tracker) == {1: 3}
    return tracker


@pytest.mark.parametrize(
    ("distance", "shift", "track_id"), [(0.45, 20, 1), (0.45, 300, 2), (0.55, 20, 2), (None, 0, 2)]
)
def test_after_a_cut_both_appearance_and_place_must_be_the_same(
    distance: float | None, shift: float, track_id: int
) -> None:
    appearances = {} if distance is None else {0: _turned(distance)}
    tracker = _after_a_cut()
    assert _admit(tracker, _faces([_moved(_ANN, shift)]), appearances) == {track_id: 0}
    tracker.drop_lost()
    assert _missed(tracker) == {track_id: 0}


def test_once_the_cut_is_over_appearance_is_enough_again() -> None:
    tracker = _after_a_cut()
    _admit(tracker, _faces([_ANN]), {0: _APPEARANCE_OF_ANN})
    tracker.drop_lost()
    tracker.follow(_faces([]))
    assert _admit(tracker, _faces([_moved(_ANN, 300)]), {0: _APPEARANCE_OF_ANN}) == {1: 0}


def test_another_face_elsewhere_is_new() -> None:
    tracker = Tracker()
    for _ in range(4):
        _step(tracker, [_ANN])
    _view(tracker, 1, _APPEARANCE_OF_ANN, 1.0)
    for _ in range(10):
        _step(tracker, [])
    assert _step(tracker, [_moved(_ANN, 600, 200)], {0: _APPEARANCE_OF_BOB}) == {2: 0}
    assert _missed(tracker) == {1: 11, 2: 0}


def test_a_face_that_left_the_picture_comes_back_where_it_left() -> None:
    """Half of it appearances less like before; and by its motion it should be far away by now."""
    turn = 2 * np.arcsin(0.55 / 2)
    half_seen = np.array([np.cos(turn), np.sin(turn)], dtype=np.float32)
    tracker = Tracker()
    for number in range(12):
        _step(tracker, [_moved(_ANN, -8 * number)])
    _view(tracker, 1, _APPEARANCE_OF_ANN, 1.0)
    for _ in range(23):
        _step(tracker, [])
    assert tracker.predicted_xyxy()[0, 2] < -20
    assert _admit(tracker, _faces([_moved(_ANN, -80)]), {0: half_seen}) == {1: 0}


def test_a_face_without_an_appearance_comes_back_by_its_place() -> None:
    tracker = Tracker()
    for _ in range(4):
        _step(tracker, [_ANN])
    _step(tracker, [])
    faces = _faces([_moved(_ANN, 10)])
    assert _admit(tracker, faces, {}) == {1: 0}
    _step(tracker, [])
    assert _admit(tracker, _faces([_moved(_ANN, 300)]), {}) == {2: 0}


def test_appearance_tells_that_a_face_took_anothers_place() -> None:
    tracker = Tracker()
    _step(tracker, [_ANN, _BOB])
    assert _view(tracker, 1, _APPEARANCE_OF_ANN, 0.5) == 1
    assert _view(tracker, 1, _APPEARANCE_OF_ANN, 0.5) == 1
    assert _view(tracker, 1, _APPEARANCE_OF_BOB, 0.5) == 3
    assert sorted(_missed(tracker)) == [2, 3]
    assert [state.seen_frames for state in tracker.states if state.track_id == 3] == [1]


def test_a_new_id_keeps_an_appearance_of_its_own_though_the_view_is_worse() -> None:
    """Else the appearance of the one before would stay, and each further view make one id more."""
    tracker = Tracker()
    _step(tracker, [_ANN])
    assert _view(tracker, 1, _APPEARANCE_OF_ANN, 1.0) == 1
    assert _view(tracker, 1, _APPEARANCE_OF_BOB, 0.55) == 2
    assert _view(tracker, 2, _APPEARANCE_OF_BOB, 0.55) == 2
    assert tracker.states[0].appearance_weight == 0.55


@pytest.mark.parametrize(("distance", "track_id"), [(0.65, 1), (0.75, 2)])
def test_a_face_is_another_beyond_a_distance_of_0_7(distance: float, track_id: int) -> None:
    tracker = Tracker()
    _step(tracker, [_ANN])
    _view(tracker, 1, _APPEARANCE_OF_ANN, 1.0)
    assert _view(tracker, 1, _turned(distance), 0.5) == track_id


@pytest.mark.parametrize(("weight", "replaced"), [(0.33, False), (0.37, True)])
def test_an_appearance_is_replaced_by_a_view_at_least_0_7_times_as_good(
    weight: float, replaced: bool
) -> None:
    tracker = Tracker()
    _step(tracker, [_ANN])
    _view(tracker, 1, _APPEARANCE_OF_ANN, 0.5)
    _view(tracker, 1, _turned(0.3), weight)
    kept = _turned(0.3) if replaced else _APPEARANCE_OF_ANN
    np.testing.assert_array_equal(tracker.states[0].appearance, kept)


def test_a_much_worse_view_does_not_replace_a_good_one() -> None:
    tracker = Tracker()
    _step(tracker, [_ANN])
    _view(tracker, 1, _APPEARANCE_OF_ANN, 1.0)
    between = (_APPEARANCE_OF_ANN * 0.6 + _APPEARANCE_OF_BOB * 0.4).astype(np.float32)
    _view(tracker, 1, between, 0.1)
    np.testing.assert_array_equal(tracker.states[0].appearance, _APPEARANCE_OF_ANN)
    _view(tracker, 1, between, 0.9)
    np.testing.assert_array_equal(tracker.states[0].appearance, between)


def test_two_faces_that_pass_each_other_keep_their_ids() -> None:
    tracker = Tracker()
    for number in range(41):
        left, right = _moved(_ANN, 10 * number), _moved(_BOB, 200 - 10 * number, 45)
        assert _step(tracker, [left, right]) == {1: 0, 2: 1}


_GRID = [(120.0 * x, 120.0 * y) for x in range(5) for y in range(4)]
_NUDGES = st.lists(
    st.lists(st.tuples(st.integers(-12, 12), st.integers(-12, 12)), min_size=20, max_size=20),
    min_size=3,
    max_size=8,
)


@settings(deadline=None, max_examples=50)
@given(st.permutations(range(20)), st.integers(1, 20), _NUDGES, st.data())
def test_the_order_of_faces_does_not_matter(
    cells: list[int], count: int, nudges: list[list[tuple[int, int]]], data: st.DataObject
) -> None:
    """Faces that wander about places of their own, given in another order in each frame."""
    tracker = Tracker()
    homes = [_GRID[cell] for cell in cells[:count]]
    first = _step(tracker, [(x, y, x + 80, y + 80) for x, y in homes])
    assert first == {person + 1: person for person in range(count)}
    for frame in nudges:
        order = data.draw(st.permutations(range(count)))
        boxes = [
            _moved((*homes[person], *np.add(homes[person], 80)), *frame[person]) for person in order
        ]
        seen = _step(tracker, boxes)
        assert {track_id: order[row] for track_id, row in seen.items()} == first
        assert len(tracker.states) == count


@settings(deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 600), st.integers(0, 300), st.integers(10, 120)), max_size=6
        ),
        max_size=12,
    )
)
def test_whatever_is_found_each_track_has_one_face_and_each_face_at_most_one_track(
    frames: list[list[tuple[int, int, int]]],
) -> None:
    tracker = Tracker()
    highest = 0
    for found in frames:
        seen = _step(tracker, [(x, y, x + size, y + size) for x, y, size in found])
        assert len(set(seen.values())) == len(seen)
        assert set(seen.values()) <= set(range(len(found)))
        ids = [state.track_id for state in tracker.states]
        assert len(set(ids)) == len(ids)
        assert set(seen) <= set(ids)
        assert all(
            (state.missed_frames == 0) == (state.track_id in seen) for state in tracker.states
        )
        assert all(np.isfinite(state.box_xyxy).all() for state in tracker.states)
        new = [track_id for track_id in ids if track_id > highest]
        assert all(track_id in seen for track_id in new)
        highest = max([highest, *ids])


def test_frames_left_out_are_counted() -> None:
    """A live source gives what it can: now each frame, now every fourth."""
    tracker, here, gaps = Tracker(), 0, (1, 1, 4, 2, 1, 3, 1, 4, 1, 1) * 3
    _admit(tracker, _faces([_ANN]), {})
    for gap in gaps:
        here += gap
        expected = tracker.states[0].predicted_xyxy(gap)
        assert tracker.follow(_faces([_moved(_ANN, 6 * here)]), gap) == {1: 0}
        if here > 20:  # by then it knows how fast the face goes
            assert np.abs(expected - _moved(_ANN, 6 * here)).max() < 3


@pytest.mark.parametrize(("gap", "frames"), [(1, 61), (3, 63), (7, 63)])
def test_a_lost_face_is_waited_for_as_long_where_frames_are_left_out(gap: int, frames: int) -> None:
    tracker = Tracker(fps=30)
    for _ in range(5):
        tracker.follow(_faces([_ANN]), gap)
        _admit(tracker, _faces([_ANN])[tracker.unexplained_rows(_faces([_ANN]).boxes_xyxy)], {})
    waited = 0
    while tracker.states:
        tracker.follow(_faces([]), gap)
        waited += gap
        assert waited < 200
    assert waited == frames  # the first of them after two seconds


@pytest.mark.parametrize("gaps", [(1,), (2,), (3,), (4,), (1, 4, 4, 4), (1, 8, 8, 8), (3, 5)])
def test_a_lost_face_is_searched_for_again_however_many_frames_are_left_out(
    gaps: tuple[int, ...],
) -> None:
    tracker, waited = _lost(0), 0
    for gap in (gaps * 40)[:40]:
        places = len(tracker.predicted_xyxy(gap))
        waited = 0 if places else waited + gap
        assert waited < 4
        tracker.follow(_faces([]), gap)
        if not tracker.states:
            break
    assert not tracker.states or gaps == (1,)


def test_frames_of_another_size_have_their_tracks_where_they_were() -> None:
    tracker = Tracker()
    for number in range(6):
        _step(tracker, [_moved(_ANN, 8 * number)])
    before, velocity = tracker.visible_xyxy, tracker.states[0].velocity_xy
    tracker.rescale(np.array([2, 0.5], dtype=np.float32))
    np.testing.assert_allclose(tracker.visible_xyxy, before * np.float32([2, 0.5, 2, 0.5]))
    np.testing.assert_allclose(tracker.states[0].velocity_xy, velocity * np.float32([2, 0.5]))


def test_a_confirmed_face_is_waited_for_though_it_was_seen_once() -> None:
    tracker = Tracker(fps=10)
    _admit(tracker, _faces([_ANN]), {}, confirmed=True)
    for _ in range(20):
        tracker.follow(_faces([]))
    assert _missed(tracker) == {1: 20}
    tracker.follow(_faces([]))
    assert tracker.states == []


def test_each_new_face_is_confirmed_or_not() -> None:
    tracker = Tracker()
    tracker.admit(_faces([_ANN, _BOB]), np.array([False, True]), {})
    assert [state.confirmed for state in tracker.states] == [False, True]


def test_a_much_worse_view_of_a_face_in_its_place_does_not_split_the_track() -> None:
    """A face that is half hidden for a while may look like another."""
    tracker = _lost(0)
    _view(tracker, 1, _APPEARANCE_OF_ANN, 0.9)
    assert _view(tracker, 1, _APPEARANCE_OF_BOB, 0.4) == 1
    np.testing.assert_array_equal(tracker.states[0].appearance, _APPEARANCE_OF_ANN)
    assert _view(tracker, 1, _APPEARANCE_OF_BOB, 0.5) == 2


@pytest.mark.parametrize("width", [38, 174])
def test_a_face_whose_size_has_changed_at_once_is_no_new_one(width: float) -> None:
    """The box of its track lags behind, and hardly overlaps with what was found."""
    tracker = _lost(0)
    assert _step(tracker, [_wide(width)]) == {1: 0}
    assert _missed(tracker) == {1: 0}


def test_a_face_seen_once_may_be_missed_once_however_many_frames_are_left_out() -> None:
    tracker = Tracker()
    _admit(tracker, _faces([_ANN]), {})
    tracker.follow(_faces([]), 5)
    assert _missed(tracker) == {1: 5}
    tracker.follow(_faces([]), 5)
    assert tracker.states == []


def test_a_doubtful_face_is_searched_for_at_once_however_many_frames_are_left_out() -> None:
    tracker = Tracker()
    tracker.admit(_faces([_ANN]), np.array([False]), {})
    tracker.follow(_faces([]), 4)
    assert len(tracker.predicted_xyxy(1)) == 2  # where it should be, and where it was seen
    assert tracker.follow(_faces([_ANN]), 1), "it is the same track"
