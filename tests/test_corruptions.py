"""What is done to a chip for the report on bad pictures."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from training.filming.corruptions import (
    blur,
    darken,
    downscale,
    enlarge,
    grayscale,
    jpeg,
    motion_blur,
    noise,
    rotate,
    shrink,
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


def test_downscaling_is_shrinking_and_enlarging() -> None:
    chip = _noise()
    small = shrink(chip, 20)
    assert small.shape == (30, 30, 3)
    assert np.array_equal(enlarge(small, 60), downscale(chip, 20))
    assert enlarge(chip, 60) is chip


@pytest.mark.parametrize(("degrees", "axis"), [(0, 1), (90, 0)])
def test_motion_smears_a_point_along_its_direction(degrees: float, axis: int) -> None:
    chip = np.zeros((41, 41, 3), dtype=np.uint8)
    chip[20, 20] = 250
    places = np.argwhere(motion_blur(chip, 9, degrees)[:, :, 0] > 10)
    assert places.max(axis=0)[axis] - places.min(axis=0)[axis] + 1 == 9
    assert np.all(places[:, 1 - axis] == 20)


def test_motion_changes_no_even_picture_and_no_brightness() -> None:
    even = np.full((30, 30, 3), 77, dtype=np.uint8)
    assert np.array_equal(motion_blur(even, 6, 30), even)
    chip = _noise()
    assert abs(motion_blur(chip, 5, 30).mean() - chip.mean()) < 1.5


def test_noise_has_the_deviation_that_was_asked_for() -> None:
    even = np.full((200, 200, 3), 128, dtype=np.uint8)
    off = noise(even, 9, np.random.default_rng(1)).astype(float) - 128
    assert off.std() == pytest.approx(9, rel=0.03)
    assert abs(off.mean()) < 0.1
    dark = noise(np.zeros_like(even), 9, np.random.default_rng(1))
    assert dark.max() < 60, "nothing wraps around"


def test_a_chip_is_warped_onto_another_size() -> None:
    chip = _noise(20)
    matrix = np.array([[2, 0, 0.5], [0, 2, 0.5]], dtype=np.float32)
    found = warp_affine(chip, matrix, 40)
    assert found.shape == (40, 40, 3)
    assert np.abs(found[2:-2, 2:-2].astype(int) - enlarge(chip, 40)[2:-2, 2:-2]).max() <= 8
