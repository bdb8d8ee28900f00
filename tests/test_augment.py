"""How faces are changed for training: each differently, as a camera and a recording change them."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from training_helpers import portrait

from models.faces import Image
from training.features.extractor import as_chip

pytest.importorskip("torch", reason="PyTorch is not installed: extra finetune")
augment = pytest.importorskip("training.finetune.augment")


@pytest.fixture(scope="module")
def chip() -> Image:
    return as_chip(portrait()[20:240, 110:330])


@pytest.fixture(scope="module")
def shown(chip: Image) -> NDArray[np.uint8]:
    """One face in 96 ways."""
    return np.asarray(augment.augment(np.stack([chip] * 96), (7, 0)))


def _correlation(first: Image, second: Image) -> float:
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def _detail(chip: Image) -> float:
    grey = cv2.cvtColor(chip, cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F)[8:-8, 8:-8].std() / max(grey.std(), 1))


def test_each_is_changed_in_its_own_way(shown: NDArray[np.uint8], chip: Image) -> None:
    assert shown.shape == (96, *chip.shape) and shown.dtype == np.uint8
    assert len({each.tobytes() for each in shown}) == 96
    assert shown.mean(axis=(1, 2, 3)).std() > 5, "some are darker"
    flipped = [_correlation(each, chip[:, ::-1]) > _correlation(each, chip) for each in shown]
    assert 28 < sum(flipped) < 68


def test_the_same_seed_gives_the_same_faces(chip: Image) -> None:
    """Whatever number of threads they are made in, for a resumed run must go on as it began."""
    chips = np.stack([chip] * 40)
    before = chips.copy()
    first, again, other = (augment.augment(chips, seed) for seed in ((7, 1), (7, 1), (7, 2)))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(chips, before), "what is given stays as it is"


def test_half_are_as_a_video_shows_them(shown: NDArray[np.uint8], chip: Image) -> None:
    """As small as 10 px, coded and blurred; many others keep the detail that the aligner leaves."""
    detail = np.array([_detail(each) for each in shown]) / _detail(chip)
    assert (detail < 0.4).sum() > 24
    assert (detail > 0.6).sum() > 24


def test_a_face_stays_where_an_aligner_would_put_it(chip: Image) -> None:
    """A bright spot in the middle of the chip is found within its errors of the middle."""
    spot = np.zeros_like(chip)
    spot[65:85, 65:85] = 255
    places = []
    for each in augment.augment(np.stack([spot] * 64), (3, 0)):
        ys, xs = np.nonzero(each[:, :, 1] > each[:, :, 1].max() / 2)
        places.append((xs.mean(), ys.mean()))
    off = np.array(places) - (len(chip) - 1) / 2
    assert np.abs(np.median(off, axis=0)).max() < 4
    assert off.std(axis=0).min() > 3 and off.std(axis=0).max() < 20
