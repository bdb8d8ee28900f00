"""Where the picture has changed since it was searched."""

import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from stream.motion import Motion
from stream.schedule import Share

_SIZE_WH = (640, 360)
_WHOLE = [0, 0, 640, 360]
_HALVES = Share(0, 2), Share(1, 2)


def _grey(level: int = 90) -> Image:
    return np.full((360, 640, 3), level, dtype=np.uint8)


def _with_square(left: int, top: int, side: int = 60, level: int = 140) -> Image:
    image = _grey()
    image[top : top + side, left : left + side] = level
    return image


def _list(region: NDArray[np.float32] | None) -> list[float] | None:
    return None if region is None else region.tolist()


def test_the_first_search_is_of_everything() -> None:
    motion = Motion()
    assert _list(motion.region(_grey(), 0.0, Share())) == _WHOLE


def test_what_was_searched_at_once_was_searched_in_each_part() -> None:
    motion = Motion()
    motion.region(_grey(), 0.0, Share())
    assert [motion.region(_grey(), 0.4 * turn, _HALVES[turn % 2]) for turn in (1, 2, 3)] == [
        None
    ] * 3


def test_each_part_has_a_first_time_where_nothing_was_searched_at_once() -> None:
    motion = Motion()
    for share in _HALVES:
        assert _list(motion.region(_grey(), 0.0, share)) == _WHOLE
        assert motion.region(_grey(), 0.1, share) is None


def test_each_part_looks_where_something_came_since_its_last_turn() -> None:
    motion = Motion()
    motion.region(_grey(), 0.0, Share())
    came = _with_square(300, 100)
    for share in _HALVES:
        region = motion.region(came, 0.4, share)
        assert region is not None
        left, top, right, bottom = region
        assert 280 <= left <= 300
        assert 360 <= right <= 380
        assert 80 <= top <= 100
        assert 160 <= bottom <= 180
        assert motion.region(came, 0.8, share) is None


def test_what_was_there_and_is_gone_is_a_change_too() -> None:
    motion = Motion()
    motion.region(_with_square(0, 0), 0.0, Share())
    region = motion.region(_grey(), 0.4, _HALVES[0])
    assert region is not None
    assert region[:2].tolist() == [0, 0]


def test_noise_of_a_camera_is_no_change() -> None:
    motion, rng = Motion(), np.random.default_rng(0)
    motion.region(_grey(), 0.0, Share())
    for turn in range(1, 8):
        noisy = np.clip(_grey() + rng.normal(0, 6, (360, 640, 3)), 0, 255).astype(np.uint8)
        assert motion.region(noisy, 0.4 * turn, _HALVES[turn % 2]) is None


def test_a_slow_change_adds_up() -> None:
    """While something else moves, so that the part is searched again and again elsewhere."""
    motion, regions = Motion(), []
    motion.region(_grey(), 0.0, Share())
    for step in range(1, 12):
        image = _grey(90)
        image[200:260, 500:560] = 90 + step
        image[0:40, 0:40] = 90 + 40 * (step % 2)
        regions.append(_list(motion.region(image, 0.3 * step, _HALVES[0])))
    assert any(region is not None and region[2] >= 560 for region in regions)


def test_now_and_then_everything_is_searched_all_the_same() -> None:
    motion = Motion()
    motion.region(_grey(), 0.0, Share())
    times_s = [0.4 * turn for turn in range(1, 40)]
    whole = [time_s for time_s in times_s if motion.region(_grey(), time_s, _HALVES[0]) is not None]
    assert 2 <= len(whole) <= 5
    assert _list(motion.region(_grey(), 1.0, _HALVES[0])) == _WHOLE  # the clock was set back


def test_a_search_at_once_is_always_of_everything() -> None:
    motion = Motion()
    assert [_list(motion.region(_grey(), 0.04 * turn, Share())) for turn in range(3)] == [
        _WHOLE
    ] * 3
