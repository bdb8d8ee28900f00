"""How faces are changed for training: each differently, with the corruptions of the reports."""

from collections.abc import Callable

import numpy as np
import pytest
from training_helpers import portrait

from models.faces import Image
from training.evaluation import corruptions
from training.features.extractor import as_chip

_NEEDS = "PyTorch is not installed: extra finetune"
torch = pytest.importorskip("torch", reason=_NEEDS)
augment = pytest.importorskip("training.finetune.augment", reason=_NEEDS)
batch_corruptions = pytest.importorskip("training.finetune.batch_corruptions", reason=_NEEDS)


def _batch(*chips: Image) -> "torch.Tensor":
    return torch.from_numpy(np.stack(chips)).permute(0, 3, 1, 2).float()


def _pictures(batch: "torch.Tensor") -> Image:
    shown = batch.round().clamp(0, 255).byte().permute(0, 2, 3, 1)
    return np.asarray(shown.numpy())


@pytest.fixture(scope="module")
def chip() -> Image:
    return as_chip(portrait()[20:240, 110:330])


def test_each_is_changed_in_its_own_way(chip: Image) -> None:
    batch = _batch(*[chip] * 40)
    shown = augment.augment(batch, np.random.default_rng(7))
    assert shown.shape == batch.shape
    assert shown.min() > -0.01 and shown.max() < 255.01
    assert len({each.tobytes() for each in _pictures(shown)}) == 40
    assert np.array_equal(_pictures(batch)[0], chip), "what is given stays as it is"
    again = augment.augment(batch, np.random.default_rng(7))
    assert torch.equal(shown, again)
    means = _pictures(shown).mean(axis=(1, 2, 3))
    assert means.std() > 5, "some are darker"
    flipped = [
        np.corrcoef(each.ravel(), chip[:, ::-1].ravel())[0, 1]
        > np.corrcoef(each.ravel(), chip.ravel())[0, 1]
        for each in _pictures(shown)
    ]
    assert 8 < sum(flipped) < 32


@pytest.mark.parametrize(
    ("changed", "expected", "off"),
    [
        (lambda batch: batch_corruptions.downscale(batch, np.array([20.0, 60.0])),
         lambda chip: [corruptions.downscale(chip, 20), corruptions.downscale(chip, 60)], 0.5),
        (lambda batch: batch_corruptions.jpeg(batch, np.array([15, 60])),
         lambda chip: [corruptions.jpeg(chip, 15), corruptions.jpeg(chip, 60)], 1.2),
        (batch_corruptions.grayscale, lambda chip: [corruptions.grayscale(chip)] * 2, 0.1),
        (lambda batch: batch_corruptions.blur(batch, np.array([0.7, 2.0]))[..., 8:-8, 8:-8],
         lambda chip: [corruptions.blur(chip, size)[8:-8, 8:-8] for size in (0.7, 2.0)], 0.2),
    ],
    ids=["downscale", "jpeg", "grayscale", "blur"],
)  # fmt: skip
def test_a_batch_is_corrupted_as_a_picture_is(
    chip: Image,
    changed: "Callable[[torch.Tensor], torch.Tensor]",
    expected: Callable[[Image], list[Image]],
    off: float,
) -> None:
    """`off`: the mean difference allowed, in levels of 255."""
    found = _pictures(changed(_batch(chip, chip))).astype(int)
    for each, wanted in zip(found, expected(chip), strict=True):
        assert np.abs(each - wanted).mean() < off
