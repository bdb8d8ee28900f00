"""Faces as H.264 shows them, at the size that they have in the video."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from training_helpers import portrait

from models.faces import Image
from training.features.extractor import as_chip
from training.filming.corruptions import downscale, enlarge, shrink
from training.filming.video_coding import code_h264


@pytest.fixture(scope="module")
def chip() -> Image:
    return as_chip(portrait()[20:240, 110:330])


def _as_filmed(chips: Sequence[Image], width_px: float, crf: int) -> list[Image]:
    """Chips as they come out of a video in which each face is so wide."""
    coded = code_h264([shrink(chip, width_px) for chip in chips], crf)
    return [enlarge(each, len(chip)) for each, chip in zip(coded, chips, strict=True)]


def _error(found: Image, expected: Image) -> float:
    return float(np.sqrt(np.square(found.astype(float) - expected).mean()))


def test_the_coarser_the_rate_factor_the_less_is_left(chip: Image) -> None:
    small = shrink(chip, 40)
    errors = [_error(code_h264([small], crf)[0], small) for crf in (18, 28, 36)]
    assert 0 < errors[0] < errors[1] < errors[2]
    assert errors[0] < 6, "at 18 it looks like the original"


def test_a_small_face_loses_more_to_the_same_coding(chip: Image) -> None:
    errors = [_error(_as_filmed([chip], px, 28)[0], downscale(chip, px)) for px in (80, 24)]
    assert errors[0] < errors[1]


def test_chips_of_any_sizes_come_back_in_their_order_and_place(chip: Image) -> None:
    """Each is nearer to itself than to any other, and than to itself moved by two pixels."""
    sides = (15, 33, 150, 16, 60, 97, 1, 48)
    chips = [
        cv2.rotate(cv2.resize(chip, (side, side), interpolation=cv2.INTER_AREA), number % 3)
        for number, side in enumerate(sides)
    ]
    coded = code_h264([np.asarray(each, dtype=np.uint8) for each in chips], 18)
    assert [each.shape for each in coded] == [(side, side, 3) for side in sides]
    for found, given in zip(coded, chips, strict=True):
        here = _error(found, given)
        assert here < 14
        if len(given) > 8:
            assert here < min(_error(found, np.roll(given, 2, axis)) for axis in (0, 1))


def test_faces_beside_it_do_not_change_a_face(chip: Image) -> None:
    """Each is coded in macroblocks of its own: it loses as much among others as alone."""
    small = shrink(chip, 40)
    black = np.zeros_like(small)
    alone, among = code_h264([small], 28)[0], code_h264([black, small, 255 - black], 28)
    assert _error(among[1], small) == pytest.approx(_error(alone, small), rel=0.25)
    assert among[0].max() < 16 and among[2].min() > 239


def test_the_same_chips_are_coded_alike(chip: Image) -> None:
    first, again = (_as_filmed([chip] * 3, 30, 30) for _ in range(2))
    assert all(np.array_equal(*each) for each in zip(first, again, strict=True))


def test_no_chips_are_no_video() -> None:
    assert code_h264([], 28) == []


def test_a_chip_smaller_than_asked_for_keeps_its_size(chip: Image) -> None:
    small = shrink(chip, 20)
    assert _as_filmed([small], 80, 18)[0].shape == small.shape


def test_many_faces_share_a_video_that_is_no_higher_than_it_may_be() -> None:
    chips = [np.full((30, 30, 3), 50 + number * 37 % 150, dtype=np.uint8) for number in range(9000)]
    coded = code_h264(chips, 18)
    assert len(coded) == len(chips)
    for number in (0, 4321, 8999):
        np.testing.assert_allclose(coded[number].mean(), 50 + number * 37 % 150, atol=8)
