"""Where the picture has changed since it was searched, cell by cell: cells of 10 px here."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.faces import Image
from stream.following.change_map import ChangeMap
from stream.frames import Frame

_SIZE_WH = (640, 360)
_WHOLE = [[0.0, 0.0, 640.0, 360.0]]
_NO_FACES = np.zeros((0, 4), dtype=np.float32)


def _grey(level: int = 90) -> Image:
    return np.full((360, 640, 3), level, dtype=np.uint8)


def _with_square(left: int, top: int, side: int = 60, level: int = 140) -> Image:
    image = _grey()
    image[top : top + side, left : left + side] = level
    return image


def _searched(image: Image | None = None, time_s: float = 0.0) -> ChangeMap:
    """A change map of a picture, grey by default, all of which was searched."""
    change_map = ChangeMap()
    change_map.take_all(Frame(_grey() if image is None else image, 0, time_s, 0.0))
    return change_map


def _regions(
    change_map: ChangeMap,
    image: Image,
    time_s: float,
    known_xyxy: NDArray[np.float32] = _NO_FACES,
    lost_xyxy: NDArray[np.float32] = _NO_FACES,
    face_px: float = 40.0,
) -> list[list[float]]:
    frame = Frame(image, 0, time_s, 0.0)
    regions = change_map.take_regions(frame, known_xyxy, lost_xyxy, face_px)
    assert regions.shape == (len(regions), 4)
    assert regions.dtype == np.float32
    return regions.tolist()


# --- what has changed ---


def test_what_was_never_searched_is_searched_once() -> None:
    change_map = ChangeMap()
    assert _regions(change_map, _grey(), 0.0) == _WHOLE
    assert _regions(change_map, _grey(), 0.1) == []


def test_what_was_searched_and_has_not_changed_is_not_searched() -> None:
    change_map = _searched()
    assert [_regions(change_map, _grey(), 0.4 * turn) for turn in range(1, 4)] == [[]] * 3


def test_a_change_is_searched_once_with_a_face_s_width_around_it() -> None:
    change_map = _searched()
    came = _with_square(300, 100)
    assert _regions(change_map, came, 0.4) == [[260, 60, 400, 200]]
    assert _regions(change_map, came, 0.8) == []


@pytest.mark.parametrize(("face_px", "margin"), [(30, 30), (31, 40), (60, 60), (20, 20)])
def test_the_margin_is_as_wide_as_the_smallest_face_in_whole_cells(
    face_px: float, margin: int
) -> None:
    region = [300 - margin, 100 - margin, 360 + margin, 160 + margin]
    assert _regions(_searched(), _with_square(300, 100), 0.4, face_px=face_px) == [region]


def test_a_margin_of_a_face_larger_than_the_picture_is_the_picture() -> None:
    assert _regions(_searched(), _with_square(300, 100), 0.4, face_px=5000) == _WHOLE


def test_a_margin_ends_with_the_picture() -> None:
    assert _regions(_searched(), _with_square(580, 0), 0.4) == [[540, 0, 640, 100]]


def test_what_was_there_and_is_gone_is_a_change_too() -> None:
    assert _regions(_searched(_with_square(0, 0)), _grey(), 0.4) == [[0, 0, 100, 100]]


def test_noise_of_a_camera_is_no_change() -> None:
    change_map, rng = _searched(), np.random.default_rng(0)
    for turn in range(1, 8):
        noisy = np.clip(_grey() + rng.normal(0, 6, (360, 640, 3)), 0, 255).astype(np.uint8)
        assert _regions(change_map, noisy, 0.4 * turn) == []


def test_a_slow_change_adds_up() -> None:
    """While something else changes, so that there is a search again and again elsewhere."""
    change_map, regions = _searched(), []
    for step in range(1, 12):
        image = _grey(90)
        image[200:260, 500:560] = 90 + step
        image[0:40, 0:40] = 90 + 40 * (step % 2)
        regions.append(_regions(change_map, image, 0.3 * step))
    slow = [number for number, each in enumerate(regions, 1) if [460, 160, 600, 300] in each]
    assert slow == [6]  # more than 5 of 255; the next six come together at 12


def test_each_change_is_searched_on_its_own() -> None:
    image = _with_square(40, 40)
    image[240:300, 500:560] = 30
    found = sorted(_regions(_searched(), image, 0.4))
    assert found == [[0, 0, 140, 140], [460, 200, 600, 340]]


def test_changes_whose_surroundings_touch_are_searched_together() -> None:
    image = _with_square(100, 100)
    image[100:160, 230:290] = 30  # 70 px apart
    assert _regions(_searched(), image, 0.4) == [[60, 60, 330, 200]]


def test_a_change_too_small_for_a_face_waits_until_there_is_more_of_it() -> None:
    change_map = _searched()
    image = _grey()
    image[100:160, 300:310] = 200  # one cell wide
    assert [_regions(change_map, image, 0.4 * turn) for turn in (1, 2)] == [[], []]
    image[100:160, 310:320] = 200
    assert _regions(change_map, image, 1.2) == [[260, 60, 360, 200]]


@pytest.mark.parametrize(("face_px", "is_searched"), [(20, True), (24, True), (25, False)])
def test_where_faces_are_about_as_small_as_cells_no_change_is_too_small(
    face_px: float, is_searched: bool
) -> None:
    image = _grey()
    image[100:110, 300:310] = 200
    assert bool(_regions(_searched(), image, 0.4, face_px=face_px)) is is_searched


def test_many_changes_are_searched_as_one() -> None:
    image = _grey()
    for number in range(20):
        left, top = 40 + 120 * (number % 5), 40 + 80 * (number // 5)
        image[top : top + 20, left : left + 20] = 200
    assert _regions(_searched(), image, 0.4, face_px=20) == [[20, 20, 560, 320]]


def test_changes_that_are_together_larger_than_the_picture_are_searched_as_one() -> None:
    """Ring upon ring: the box of the outer one holds that of the inner one."""
    image = _grey()
    image[0:20] = image[-20:] = 200
    image[:, 0:20] = image[:, -20:] = 200
    image[100:260, 100:120] = image[100:260, 520:540] = 200
    image[100:120, 100:540] = image[240:260, 100:540] = 200
    assert _regions(_searched(), image, 0.4, face_px=20) == _WHOLE


# --- how long a search is trusted ---


def test_now_and_then_everything_is_searched_all_the_same() -> None:
    change_map = _searched()
    whole = [turn for turn in range(1, 110) if _regions(change_map, _grey(), 0.5 * turn) == _WHOLE]
    assert whole == [49, 98]  # once 24 s are over


def test_each_place_has_a_time_of_its_own() -> None:
    """What was searched because it changed is not searched again with the rest."""
    change_map = _searched()
    came = _with_square(0, 0, 360)  # all of the left, and no more
    assert _regions(change_map, came, 20.0) == [[0, 0, 400, 360]]
    assert _regions(change_map, came, 25.0) == [[320, 0, 640, 360]]
    assert _regions(change_map, came, 43.9) == []
    assert _regions(change_map, came, 44.1) == [[0, 0, 400, 360]]


def test_after_the_clock_was_set_back_everything_is_searched() -> None:
    change_map = _searched(time_s=5.0)
    assert _regions(change_map, _grey(), 5.4) == []
    assert _regions(change_map, _grey(), 1.0) == _WHOLE
    assert _regions(change_map, _grey(), 1.4) == []


def test_a_search_of_everything_starts_all_times_anew() -> None:
    change_map = _searched()
    change_map.take_all(Frame(_with_square(300, 100), 1, 20.0, 0.0))
    assert _regions(change_map, _with_square(300, 100), 30.0) == []
    assert _regions(change_map, _with_square(300, 100), 44.4) == _WHOLE


# --- heads of faces that are followed ---


def _with_head(left: int) -> tuple[Image, NDArray[np.float32]]:
    """A picture with a head in it, 100 px wide, and the box of its face."""
    image = _with_square(left, 100, side=100)
    return image, np.array([[left + 25, 125, left + 75, 175]], dtype=np.float32)


def test_the_head_of_a_followed_face_is_no_news_wherever_it_moves() -> None:
    change_map = _searched()
    for turn in range(1, 8):
        image, box = _with_head(200 + 12 * turn)
        assert _regions(change_map, image, 0.4 * turn, box) == []


def test_what_changes_beside_a_head_is_news() -> None:
    image, box = _with_head(200)
    image[100:160, 420:480] = 30
    assert _regions(_searched(), image, 0.4, box) == [[380, 60, 520, 200]]


def test_now_and_then_a_face_beside_a_moving_head_is_searched_for() -> None:
    change_map, searched_s = _searched(), []
    for turn in range(1, 60):
        image, box = _with_head(200 + 40 * (turn // 2 % 2))
        if _regions(change_map, image, 0.4 * turn, box):
            searched_s.append(0.4 * turn)
    assert (np.diff([0.0, *searched_s]) < 9).all()
    assert min(searched_s) > 8
    assert len(searched_s) < 10  # of 59, for not all places about it are due at once


def test_where_a_head_has_been_is_searched_when_it_has_stayed_away() -> None:
    change_map, regions = _searched(), []
    for turn, left in enumerate((100, 100, 400, 400, 400, 400), start=1):
        image, box = _with_head(left)
        image[120:180, 110:170] = 220  # a face behind it, if not hidden
        regions.append(_regions(change_map, image, 0.4 * turn, box))
    assert [len(each) for each in regions] == [0, 0, 0, 1, 0, 0]
    ((left_px, _, right_px, _),) = regions[3]
    assert left_px <= 110 < 170 <= right_px < 300


def test_a_head_that_moves_away_leaves_news_only_where_the_picture_has_changed() -> None:
    change_map = _searched()
    for turn, left in enumerate((100, 400, 400), start=1):
        image, box = _with_head(left)
        image[:, :300] = 90  # as it was searched, but for the head itself
        assert _regions(change_map, image, 0.4 * turn, box) == []


def test_a_clock_that_is_set_back_forgets_where_heads_were() -> None:
    change_map = _searched()
    image, box = _with_head(200)
    assert _regions(change_map, image, 2.0, box) == []
    assert _regions(change_map, image, 1.0, box) == _WHOLE


def test_where_a_face_was_lost_is_searched_at_once() -> None:
    change_map = _searched()
    image, box = _with_head(200)
    assert _regions(change_map, image, 0.4, box) == []
    assert _regions(change_map, image, 0.8, _NO_FACES, box) == [[160, 60, 340, 240]]


# --- whatever changes ---

_BOXES = st.lists(
    st.tuples(st.integers(0, 61), st.integers(0, 33), st.integers(2, 20)), min_size=1, max_size=20
)


@settings(deadline=None, max_examples=60)
@given(_BOXES, st.floats(20, 120))
def test_every_change_that_is_large_enough_lies_in_one_region_with_its_surroundings(
    boxes: Sequence[tuple[int, int, int]], face_px: float
) -> None:
    image = _grey()
    for column, row, side in boxes:
        image[row * 10 : (row + side) * 10, column * 10 : (column + side) * 10] = 200
    regions = np.array(_regions(_searched(), image, 0.4, face_px=face_px))
    assert len(regions) <= 16
    for column, row, side in boxes:
        wanted = np.array([column, row, column + side, row + side]) * 10
        wanted = wanted + np.array([-1, -1, 1, 1]) * face_px
        wanted = wanted.clip(0, [640, 360, 640, 360])
        inside = (regions[:, :2] <= wanted[:2]).all(axis=1) & (regions[:, 2:] >= wanted[2:]).all(
            axis=1
        )
        assert inside.any()
