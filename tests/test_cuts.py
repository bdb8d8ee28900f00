"""Where one shot ends, on plain pictures."""

import numpy as np
import pytest

from models.faces import Image
from stream.following.cuts import CutDetector
from stream.frames import Frame


def _grey(level: int) -> Image:
    return np.full((360, 640, 3), level, dtype=np.uint8)


def _cuts(*pictures: Image) -> list[bool]:
    detector = CutDetector()
    return [
        detector.observe(Frame(picture, number, number / 25, 0.0))
        for number, picture in enumerate(pictures)
    ]


def test_the_first_picture_is_no_cut() -> None:
    assert _cuts(_grey(200)) == [False]


@pytest.mark.parametrize(("change", "is_cut"), [(20, False), (21, True), (-20, False), (-21, True)])
def test_a_cut_changes_more_than_20_of_255(change: int, is_cut: bool) -> None:
    assert _cuts(_grey(100), _grey(100 + change)) == [False, is_cut]


def test_changes_in_both_directions_add_up() -> None:
    half = _grey(75)
    half[:, 320:] = 125
    other = np.ascontiguousarray(half[:, ::-1])
    assert _cuts(half, other, other) == [False, True, False]


def test_a_person_who_walks_by_is_no_cut() -> None:
    """A quarter of the picture changes all the same, by 60."""
    walker = _grey(100)
    walker[:, 80:240] = 160
    assert _cuts(_grey(100), walker, _grey(100)) == [False, False, False]


def test_each_picture_is_compared_with_the_one_before() -> None:
    """So a light that is turned up slowly is no cut, however bright it gets."""
    rising = [_grey(level) for level in range(40, 240, 15)]
    assert not any(_cuts(*rising))
    assert _cuts(*rising, _grey(40))[-1]
