"""Which tracks of two neighbouring spans are of the same face."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stream.batch.spans.part_logs import JoinedIds
from stream.batch.spans.seam import SeamTrack, same_tracks

_ANNA, _BEN, _UNKNOWN = np.eye(2, 8, dtype=np.float32)[0], np.eye(2, 8, dtype=np.float32)[1], None


def _track(
    track_id: int,
    left: float | Sequence[float],
    looks: NDArray[np.float32] | None = _UNKNOWN,
    times_ms: Sequence[int] = range(0, 1000, 40),
) -> SeamTrack:
    """A face 40 px wide with its left edge there, in one place or one for each time."""
    lefts = np.broadcast_to(np.asarray(left, np.float32), (len(times_ms),))
    boxes = np.stack([lefts, 0 * lefts, lefts + 40, 0 * lefts + 50], axis=1)
    return SeamTrack(track_id, np.array(times_ms, np.int64), boxes, looks)


def test_tracks_that_overlap_in_the_same_frames_are_of_one_face() -> None:
    before = [_track(4, 10), _track(7, 200)]
    after = [_track(1, 202), _track(2, 12)]
    assert same_tracks(before, after) == {1: 7, 2: 4}


def test_a_clear_overlap_outweighs_looks() -> None:
    assert same_tracks([_track(4, 10, _ANNA)], [_track(1, 11, _BEN)]) == {1: 4}


def test_where_the_overlap_is_not_clear_looks_decide() -> None:
    assert same_tracks([_track(4, 10, _ANNA)], [_track(1, 27, _BEN)]) == {}
    assert same_tracks([_track(4, 10, _ANNA)], [_track(1, 27, _ANNA)]) == {1: 4}
    assert same_tracks([_track(4, 10)], [_track(1, 27)]) == {1: 4}


def test_of_two_faces_at_one_place_each_goes_on_by_its_looks() -> None:
    before = [_track(4, 10, _ANNA), _track(5, 20, _BEN)]
    after = [_track(1, 14, _BEN), _track(2, 16, _ANNA)]
    assert same_tracks(before, after) == {1: 5, 2: 4}


def test_the_last_frames_count_of_faces_that_cross() -> None:
    times_ms = range(0, 4000, 40)
    right = np.linspace(0, 300, len(times_ms)).tolist()
    before = [_track(1, right, times_ms=times_ms), _track(2, right[::-1], times_ms=times_ms)]
    swapped_early = right[::-1][:50] + right[50:]
    other = right[:50] + right[::-1][50:]
    after = [_track(8, swapped_early, times_ms=times_ms), _track(9, other, times_ms=times_ms)]
    assert same_tracks(before, after) == {8: 1, 9: 2}


def test_faces_seen_at_two_places_in_one_frame_are_two() -> None:
    assert same_tracks([_track(4, 10, _ANNA)], [_track(1, 200, _ANNA)]) == {}


def test_a_face_that_comes_back_has_its_track_if_it_looks_the_same() -> None:
    late_ms = range(2000, 3000, 40)
    assert same_tracks([_track(4, 10, _ANNA)], [_track(1, 200, _ANNA, late_ms)]) == {1: 4}
    assert same_tracks([_track(4, 10, _ANNA)], [_track(1, 10, _BEN, late_ms)]) == {}


def test_a_face_without_looks_that_comes_back_has_its_track_at_its_place() -> None:
    late_ms = range(2000, 3000, 40)
    assert same_tracks([_track(4, 10)], [_track(1, 12, times_ms=late_ms)]) == {1: 4}
    assert same_tracks([_track(4, 10)], [_track(1, 90, times_ms=late_ms)]) == {}


def test_a_face_that_comes_back_after_its_track_has_ended_has_a_new_one() -> None:
    late_ms = range(4000, 5000, 40)
    assert same_tracks([_track(4, 10, _ANNA)], [_track(1, 10, _ANNA, late_ms)]) == {}


def test_a_track_that_began_before_the_last_one_ended_is_not_its_return() -> None:
    overlapping = _track(1, 10, _ANNA, [20, 60, 980])
    assert same_tracks([_track(4, 10, _ANNA)], [overlapping]) == {}


def test_no_tracks_have_no_pairs() -> None:
    assert same_tracks([], [_track(1, 10)]) == {}
    assert same_tracks([_track(1, 10)], []) == {}


def test_no_embedding_is_printed() -> None:
    assert repr(_track(4, 10, _ANNA)) == "SeamTrack(4, 25 frames)"


def test_ids_go_on_over_seams_in_the_order_of_their_appearance() -> None:
    ids = JoinedIds()
    assert [ids.of(each) for each in (1, 2, 5)] == [1, 2, 5]
    ids.begin({3: 5, 1: 2})
    assert [ids.of(each) for each in (1, 4, 3, 2, 4)] == [2, 6, 5, 7, 6]
    ids.begin({1: 4})
    assert [ids.of(each) for each in (1, 3)] == [6, 8]


def test_a_track_that_was_noted_but_never_written_is_new_where_it_is_first_written() -> None:
    ids = JoinedIds()
    ids.of(1)
    ids.begin({9: 3, 2: 1})  # 3 was seen before its span ended, in no frame that was written
    assert [ids.of(each) for each in (2, 9)] == [1, 2]
