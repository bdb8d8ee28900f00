"""Faces as a video shows them: of the sizes that were asked for, and drawn from a seed."""

import numpy as np
import pytest
from training_helpers import portrait

from models.faces import Image
from training.features.extractor import as_chip
from training.filming.film import each_of_share, film, random_widths, share


@pytest.fixture(scope="module")
def chip() -> Image:
    return as_chip(portrait()[20:240, 110:330])


def test_widths_are_drawn_evenly_in_their_logarithm_up_to_the_chip_s(chip: Image) -> None:
    widths = random_widths([chip] * 4000, np.random.default_rng(0))
    assert 10 <= widths.min() < 10.5
    assert 97 < widths.max() <= 100
    assert np.median(widths) == pytest.approx(10**1.5, rel=0.05)


def test_each_face_is_as_small_as_it_was_asked_to_be(chip: Image) -> None:
    shown = film([chip] * 4, np.array([10.0, 40.0, 100.0, 24.0]), np.random.default_rng(0))
    assert [len(each) for each in shown] == [15, 60, 150, 36]


def test_the_same_seed_films_alike(chip: Image) -> None:
    chips, widths_px = [chip] * 6, np.full(6, 30.0)
    first, again, other = (film(chips, widths_px, np.random.default_rng(n)) for n in (1, 1, 2))
    assert all(np.array_equal(*each) for each in zip(first, again, strict=True))
    assert not all(np.array_equal(*each) for each in zip(first, other, strict=True))


def test_of_few_chips_a_share_is_changed_on_average(chip: Image) -> None:
    random = np.random.default_rng(0)
    changed = [
        sum(each is not chip for each in each_of_share([chip] * 3, 0.5, random, np.copy))
        for _ in range(200)
    ]
    assert set(changed) == {1, 2}
    assert np.mean(changed) == pytest.approx(1.5, abs=0.15)
    assert share([chip] * 3, 1.0, random, lambda chosen: chosen[::-1])[0] is chip
