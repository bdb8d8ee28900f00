"""Where the picture has changed since it was searched."""

import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from stream.following.change_map import ChangeMap
from stream.following.schedule import SearchPart
from stream.frames import Frame

_SIZE_WH = (640, 360)
_WHOLE = [[0.0, 0.0, 640.0, 360.0]]
_HALVES = SearchPart(0, 2), SearchPart(1, 2)


def _grey(level: int = 90) -> Image:
    return np.full((360, 640, 3), level, dtype=np.uint8)


def _with_square(left: int, top: int, side: int = 60, level: int = 140) -> Image:
    image = _grey()
    image[top : top + side, left : left + side] = level
    return image


_NOBODY = np.zeros((0, 4), dtype=np.float32)


def _regions(
    change_map: ChangeMap,
    image: Image,
    time_s: float,
    share: SearchPart,
    known_xyxy: NDArray[np.float32] = _NOBODY,
    lost_xyxy: NDArray[np.float32] = _NOBODY,
    face_px: float = 40.0,
) -> list[list[float]]:
    frame = Frame(image, 0, time_s, 0.0)
    regions = change_map.take_regions(frame, share, known_xyxy, lost_xyxy, face_px)
    assert regions.shape == (len(regions), 4)
    return regions.tolist()


def test_the_first_search_is_of_everything() -> None:
    change_map = ChangeMap()
    assert _regions(change_map, _grey(), 0.0, SearchPart()) == _WHOLE


def test_what_was_searched_at_once_was_searched_in_each_part() -> None:
    change_map = ChangeMap()
    _regions(change_map, _grey(), 0.0, SearchPart())
    assert [_regions(change_map, _grey(), 0.4 * turn, _HALVES[turn % 2]) for turn in (1, 2, 3)] == [
        []
    ] * 3


def test_each_part_has_a_first_time_where_nothing_was_searched_at_once() -> None:
    change_map = ChangeMap()
    for share in _HALVES:
        assert _regions(change_map, _grey(), 0.0, share) == _WHOLE
        assert _regions(change_map, _grey(), 0.1, share) == []


def test_what_is_divided_otherwise_is_searched_anew() -> None:
    """What a part is has changed: none of the new ones was searched."""
    change_map = ChangeMap()
    for parts in (4, 2, 3):
        for part in range(parts):
            assert _regions(change_map, _grey(), 0.1, SearchPart(part, parts)) == _WHOLE
            assert _regions(change_map, _grey(), 0.1, SearchPart(part, parts)) == []


def test_each_part_looks_where_something_came_since_its_last_turn() -> None:
    change_map = ChangeMap()
    _regions(change_map, _grey(), 0.0, SearchPart())
    came = _with_square(300, 100)
    for share in _HALVES:
        ((left, top, right, bottom),) = _regions(change_map, came, 0.4, share)
        assert 280 <= left <= 300
        assert 360 <= right <= 380
        assert 80 <= top <= 100
        assert 160 <= bottom <= 180
        assert _regions(change_map, came, 0.8, share) == []


def test_what_was_there_and_is_gone_is_a_change_too() -> None:
    change_map = ChangeMap()
    _regions(change_map, _with_square(0, 0), 0.0, SearchPart())
    (region,) = _regions(change_map, _grey(), 0.4, _HALVES[0])
    assert region[:2] == [0, 0]


def test_noise_of_a_camera_is_no_change() -> None:
    change_map, rng = ChangeMap(), np.random.default_rng(0)
    _regions(change_map, _grey(), 0.0, SearchPart())
    for turn in range(1, 8):
        noisy = np.clip(_grey() + rng.normal(0, 6, (360, 640, 3)), 0, 255).astype(np.uint8)
        assert _regions(change_map, noisy, 0.4 * turn, _HALVES[turn % 2]) == []


def test_a_slow_change_adds_up() -> None:
    """While something else moves, so that the part is searched again and again elsewhere."""
    change_map, regions = ChangeMap(), []
    _regions(change_map, _grey(), 0.0, SearchPart())
    for step in range(1, 12):
        image = _grey(90)
        image[200:260, 500:560] = 90 + step
        image[0:40, 0:40] = 90 + 40 * (step % 2)
        regions.append(_regions(change_map, image, 0.3 * step, _HALVES[0]))
    assert any(region[2] >= 560 for each in regions for region in each)


def test_each_change_is_searched_on_its_own() -> None:
    change_map = ChangeMap()
    _regions(change_map, _grey(), 0.0, SearchPart())
    image = _with_square(40, 40)
    image[240:300, 500:560] = 30
    one, other = sorted(_regions(change_map, image, 0.4, _HALVES[0]))
    assert 20 <= one[0] <= 40 < 100 <= one[2] <= 120
    assert 480 <= other[0] <= 500 < 560 <= other[2] <= 580


def test_a_change_too_small_for_a_face_waits_until_there_is_more_of_it() -> None:
    change_map = ChangeMap()
    _regions(change_map, _grey(), 0.0, SearchPart())
    image = _grey()
    image[100:160, 300:310] = 200  # one cell wide
    assert [_regions(change_map, image, 0.4 * turn, _HALVES[turn % 2]) for turn in (1, 2)] == [
        [],
        [],
    ]
    image[100:160, 310:320] = 200
    ((left, _, right, _),) = _regions(change_map, image, 1.2, _HALVES[1])
    assert (left, right) == (300, 320)


def test_where_faces_are_as_small_as_cells_none_is_too_small() -> None:
    change_map = ChangeMap()
    _regions(change_map, _grey(), 0.0, SearchPart())
    image = _grey()
    image[100:110, 300:310] = 200
    assert _regions(change_map, image, 0.4, _HALVES[0], face_px=20) == [[300, 100, 310, 110]]


def test_many_places_are_searched_as_one() -> None:
    change_map = ChangeMap()
    _regions(change_map, _grey(), 0.0, SearchPart())
    image = _grey()
    for number in range(20):
        left, top = 20 + 120 * (number % 5), 20 + 80 * (number // 5)
        image[top : top + 40, left : left + 40] = 200
    assert _regions(change_map, image, 0.4, _HALVES[0]) == [[20, 20, 540, 300]]


def test_what_was_searched_coarsely_is_searched_again_when_it_can_be_finer() -> None:
    change_map = ChangeMap()
    for scale, expected in ((0.4, _WHOLE), (0.4, []), (0.8, _WHOLE), (0.8, []), (0.4, [])):
        assert _regions(change_map, _grey(), 0.4, SearchPart(0, 2, scale)) == expected


def test_now_and_then_everything_is_searched_all_the_same() -> None:
    change_map = ChangeMap()
    _regions(change_map, _grey(), 0.0, SearchPart())
    whole = [
        (0.4 * turn, turn % 2)
        for turn in range(1, 130)
        if _regions(change_map, _grey(), 0.4 * turn, _HALVES[turn % 2]) == _WHOLE
    ]
    assert [part for _, part in whole] == [0, 1, 0, 1]  # not all of it in one go
    assert (np.diff([0.0] + [time_s for time_s, _ in whole]) < 14).all()
    assert _regions(change_map, _grey(), 1.0, _HALVES[0]) == _WHOLE  # the clock was set back


def test_a_search_at_once_is_always_of_everything() -> None:
    change_map = ChangeMap()
    assert [_regions(change_map, _grey(), 0.04 * turn, SearchPart()) for turn in range(3)] == [
        _WHOLE
    ] * 3


def _with_head(left: int) -> tuple[Image, NDArray[np.float32]]:
    """A picture with a head in it, 100 px wide, and the box of its face."""
    image = _with_square(left, 100, side=100)
    return image, np.array([[left + 25, 125, left + 75, 175]], dtype=np.float32)


def test_the_head_of_a_followed_face_is_no_news_wherever_it_moves() -> None:
    change_map = ChangeMap()
    _regions(change_map, _grey(), 0.0, SearchPart())
    for turn in range(1, 8):
        image, box = _with_head(200 + 12 * turn)
        assert _regions(change_map, image, 0.4 * turn, _HALVES[turn % 2], box, _NOBODY) == []


def test_what_changes_beside_a_head_is_news() -> None:
    change_map = ChangeMap()
    _regions(change_map, _grey(), 0.0, SearchPart())
    image, box = _with_head(200)
    image[100:160, 420:480] = 30
    (region,) = _regions(change_map, image, 0.4, _HALVES[0], box, _NOBODY)
    assert 400 <= region[0] <= 420 < 480 <= region[2] <= 500


def test_now_and_then_a_face_beside_a_moving_head_is_searched_for() -> None:
    change_map, searched = ChangeMap(), []
    _regions(change_map, _grey(), 0.0, SearchPart())
    for turn in range(1, 60):
        image, box = _with_head(200 + 40 * (turn // 2 % 2))
        if _regions(change_map, image, 0.4 * turn, _HALVES[turn % 2], box):
            searched.append((0.4 * turn, turn % 2))
    assert {part for _, part in searched} == {0, 1}
    assert (np.diff([0.0] + [time_s for time_s, _ in searched]) < 9).all()
    assert len(searched) < 8


def test_where_a_head_has_been_is_searched_when_it_has_stayed_away() -> None:
    change_map, regions = ChangeMap(), []
    _regions(change_map, _grey(), 0.0, SearchPart())
    for turn, left in enumerate((100, 100, 400, 400, 400, 400), start=1):
        image, box = _with_head(left)
        image[120:180, 110:170] = 220  # a face behind it, if not hidden
        regions.append(_regions(change_map, image, 0.4 * turn, _HALVES[turn % 2], box, _NOBODY))
    assert regions[:3] == [[]] * 3
    for (region,) in regions[4:]:
        assert region[0] <= 110 < 170 <= region[2] < 300


def test_a_clock_that_is_set_back_forgets_where_heads_were() -> None:
    change_map = ChangeMap()
    _regions(change_map, _grey(), 0.0, SearchPart())
    image, box = _with_head(200)
    assert _regions(change_map, image, 2.0, _HALVES[0], box, _NOBODY) == []
    assert _regions(change_map, image, 1.0, _HALVES[0])


def test_where_a_face_was_lost_is_searched_at_once() -> None:
    change_map = ChangeMap()
    image, box = _with_head(200)
    _regions(change_map, _grey(), 0.0, SearchPart(), box, _NOBODY)
    assert _regions(change_map, image, 0.4, _HALVES[1], box, _NOBODY) == []
    (region,) = _regions(change_map, image, 0.8, _HALVES[0], _NOBODY, box)
    assert 180 <= region[0] <= 200 < 300 <= region[2] <= 320
