"""Squares around faces: what is cut out, where it lies, and what is beyond the picture."""

import numpy as np
import pytest

from models.detection.crops import crops
from models.detection.pyramid import BACKGROUND_BGR
from models.faces import Image


def _noise() -> Image:
    return np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)


def test_a_crop_is_the_square_around_the_middle_of_a_box() -> None:
    """A face of 20 px that is to have 10 of 40: the square has 80 px, half of them are kept."""
    image, box = _noise(), np.array([[50, 41, 70, 51]], dtype=np.float32)
    (crop,), (transform,) = crops(image, box, 40, 10)
    assert transform == ((2.0, 2.0), (20, 6))
    assert crop.shape == (40, 40, 3)
    square = image[6:86, 20:100].astype(float)
    means = square.reshape(40, 2, 40, 2, 3).mean(axis=(1, 3))
    assert np.abs(crop - means).max() <= 1


def test_a_crop_at_the_size_of_the_picture_is_its_pixels() -> None:
    image, boxes = _noise(), np.array([[30, 30, 50, 50], [60, 40, 80, 60]], dtype=np.float32)
    pixels, transforms = crops(image, boxes, 20, 20)
    assert transforms == [((1.0, 1.0), (30, 30)), ((1.0, 1.0), (60, 40))]
    np.testing.assert_array_equal(pixels[0], image[30:50, 30:50])
    np.testing.assert_array_equal(pixels[1], image[40:60, 60:80])


@pytest.mark.parametrize(
    ("box", "inside"), [((-10, -5, 10, 15), (10, 5)), ((500, 500, 520, 520), (20, 20))]
)
def test_beyond_the_picture_lies_the_background(
    box: tuple[int, ...], inside: tuple[int, int]
) -> None:
    image, (column, row) = _noise(), inside
    (crop,), _ = crops(image, np.array([box], dtype=np.float32), 20, 20)
    background = np.rint(BACKGROUND_BGR)
    assert (crop[:row] == background).all() and (crop[:, :column] == background).all()
    np.testing.assert_array_equal(crop[row:, column:], image[: 20 - row, : 20 - column])
