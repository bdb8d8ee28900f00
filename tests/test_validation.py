"""What a network is measured by: on development rows whose label is known, and on no others."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from training.finetune.labelled_faces import UNLABELLED, LabelledFaces

_NEEDS = "PyTorch is not installed: extra finetune"
torch = pytest.importorskip("torch", reason=_NEEDS)
validation = pytest.importorskip("training.finetune.validation", reason=_NEEDS)

_DEVELOPMENT = np.array([1, 2, 4, 5])


class _Numbers:
    """The number of each face stands for its picture, two a batch."""

    def batches(self, faces: NDArray[np.intp]) -> Iterator["torch.Tensor"]:
        for start in range(0, len(faces), 2):
            yield torch.from_numpy(faces[start : start + 2])


def _network(numbers: "torch.Tensor") -> tuple[None, list["torch.Tensor"]]:
    """Sure by 3 to 1: of the second kind where the number is even, of no hat."""
    three = float(np.log(3))
    kinds = torch.stack([torch.zeros(len(numbers)), three * (1 - 2 * (numbers % 2))], dim=1)
    hats = torch.tensor([[three, 0.0]]).repeat(len(numbers), 1)
    return None, [kinds, hats]


def _labelled(hats: list[int]) -> LabelledFaces:
    targets = np.array([[0, 0], [0, 0], [1, 0], [0, 0], [0, 0], [UNLABELLED, 0]])
    targets[:, 1] = hats
    return LabelledFaces(
        None,  # type: ignore[arg-type]
        {"kind": ("a", "b"), "hat": ("no", "yes")},
        targets,
        np.array([0, 3]),
        _DEVELOPMENT,
    )


def test_only_development_rows_with_a_label_count() -> None:
    """Of 1, 2, 4 and 5 the kinds of the first two are right, 4 is wrong and 5 is not known."""
    faces = _labelled([1, 0, 0, 1, 0, 1])
    found = validation.validate(_network, faces, _Numbers())
    right, wrong = np.log(4 / 3), np.log(4)
    kind, hat = (2 * right + wrong) / 3, (3 * right + wrong) / 4
    assert found == {
        "development loss": round(kind + hat, 4),
        "kind accuracy": round(2 / 3, 4),
        "hat accuracy": 0.75,
    }


def test_a_label_that_no_development_row_has_counts_as_nothing() -> None:
    found = validation.validate(_network, _labelled([UNLABELLED] * 6), _Numbers())
    assert found["hat accuracy"] == 0
    assert found["development loss"] == round((2 * np.log(4 / 3) + np.log(4)) / 3, 4)


def test_a_loss_is_the_mean_over_the_faces_of_which_something_is_known() -> None:
    logits = torch.tensor([[0.0, 0.0], [0.0, float(np.log(3))], [5.0, 0.0]])
    targets = torch.tensor([[1.0, 0.0], [0.25, 0.75], [0.0, 0.0]])
    expected = (np.log(2) + 0.25 * np.log(4) + 0.75 * np.log(4 / 3)) / 2
    assert validation.soft_cross_entropy(logits, targets).item() == pytest.approx(expected)
    assert validation.soft_cross_entropy(logits, torch.zeros(3, 2)).item() == 0
