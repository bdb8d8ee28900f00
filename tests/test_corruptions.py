"""What is done to a chip for the report on bad pictures."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from training.evaluation.corruptions import (
    blur,
    darken,
    downscale,
    grayscale,
    jpeg,
    rotate,
    warp_affine,
)


def _noise(side: int = 60) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_a_narrow_face_is_shrunk_with_its_chip_and_enlarged() -> None:
    """A face of 20 px is two thirds of a chip of 30: every second pixel is lost."""
    chip = _noise()
    means = chip.reshape(30, 2, 30, 2, 3).mean(axis=(1, 3))
    small = np.rint(means).astype(np.uint8)
    expected = cv2.resize(small, (60, 60), interpolation=cv2.INTER_LINEAR)
    found = downscale(chip, 20)
    assert found.shape == chip.shape
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1


@pytest.mark.parametrize("width_px", [40, 41, 400])
def test_a_face_as_wide_as_the_chip_s_stays(width_px: float) -> None:
    chip = _noise()
    assert np.array_equal(downscale(chip, width_px), chip)


def test_a_face_of_no_width_is_one_colour() -> None:
    found = downscale(_noise(), 0.1)
    assert len(np.unique(found.reshape(-1, 3), axis=0)) == 1


def test_a_chip_is_tilted_counterclockwise_about_its_middle() -> None:
    chip = np.zeros((61, 61, 3), dtype=np.uint8)
    chip[30, 50] = 255  # to the right of the middle
    ys, xs = np.nonzero(rotate(chip, 90)[:, :, 0] > 100)
    assert (ys.mean(), xs.mean()) == (pytest.approx(10, abs=1), pytest.approx(30, abs=1))


def test_beyond_the_edge_it_goes_on() -> None:
    chip = _noise()
    found = warp_affine(chip, np.array([[1, 0, 10], [0, 1, 0]], dtype=np.float32))
    assert np.array_equal(found[:, 10:], chip[:, :-10])
    assert np.array_equal(found[:, :10], np.repeat(chip[:, :1], 10, axis=1))


def test_a_quarter_of_the_light_is_a_quarter_of_each_value() -> None:
    chip = _noise()
    assert np.abs(darken(chip, 0.25) - chip / 4).max() <= 0.5


def test_grey_has_three_equal_planes_of_the_same_brightness() -> None:
    chip = _noise()
    found = grayscale(chip)
    assert np.array_equal(found[:, :, 0], found[:, :, 1])
    assert np.array_equal(found[:, :, 0], found[:, :, 2])
    luma = chip @ np.array([0.114, 0.587, 0.299])
    assert np.abs(found[:, :, 0] - luma).max() < 1


def test_the_worse_the_quality_and_the_focus_the_less_is_left() -> None:
    chip = cv2.GaussianBlur(_noise(), (0, 0), 1)
    for change, values in ((jpeg, (90, 30)), (blur, (0.5, 2.5))):
        off = [np.abs(change(chip, value).astype(int) - chip).mean() for value in values]
        assert 0 < off[0] < off[1], change.__name__
    assert blur(chip, 2.5).std() < chip.std()
