"""The aligned faces of a dataset with their labels as class numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.datasets.samples import Samples, natural_key
from training.datasets.splits import DEFAULT_DEVELOPMENT, SEED, HoldOut, hold_out_development
from training.errors import DatasetError
from training.finetune.chip_store import ChipStore

UNLABELLED = -1
"""Class number of a face without label."""

_MIN_FITTED = 2
"""Faces that are needed to fit on: batch normalisation compares them."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFaces:
    """Faces and the class numbers of their labels.

    Attributes:
        chips: all faces.
        classes: attribute → names of its classes.
        targets: `(faces, attributes)` int64, UNLABELLED where unknown.
        fitted: numbers of the faces that are fitted on.
        development: numbers of the faces that are validated on.
    """

    chips: ChipStore
    classes: Mapping[str, tuple[str, ...]]
    targets: NDArray[np.int64]
    fitted: NDArray[np.intp]
    development: NDArray[np.intp]


def check_attributes(samples: Samples, attributes: Sequence[str]) -> None:
    """Raises DatasetError where the dataset lacks one of the attributes."""
    for name in attributes:
        if name not in samples.labels:
            raise DatasetError(f"{samples.name} has no {name}, only {', '.join(samples.labels)}")


def class_names(labels: Iterable[str | None]) -> tuple[str, ...]:
    """The classes that occur among labels, in natural order."""
    return tuple(sorted({each for each in labels if each is not None}, key=natural_key))


def label_faces(
    samples: Samples,
    chips: ChipStore,
    attributes: Sequence[str],
    seed: int = SEED,
    development: HoldOut = DEFAULT_DEVELOPMENT,
) -> LabelledFaces:
    """The faces, with the development rows that `training.fitting.fit` has by the same rule.

    Raises:
        DatasetError: there are too few faces, or an attribute is not there or has one class only.
    """
    if not len(chips):
        raise DatasetError(
            "no face was found in the training pictures: look at --faces, --aligned and --detector"
        )
    check_attributes(samples, attributes)
    classes: dict[str, tuple[str, ...]] = {}
    targets = np.full((len(chips), len(attributes)), UNLABELLED, dtype=np.int64)
    for place, name in enumerate(attributes):
        column = [samples.labels[name][row] for row in chips.pictures]
        classes[name] = class_names(column)
        if len(classes[name]) < 2:
            raise DatasetError(f"the training rows are all alike in {name}: two classes are needed")
        numbers = {each: number for number, each in enumerate(classes[name])}
        targets[:, place] = [UNLABELLED if each is None else numbers[each] for each in column]
    files = [samples.files[row] for row in chips.pictures]
    identities = [samples.identities[row] for row in chips.pictures]
    held = hold_out_development(files, identities, development, seed)
    if (~held).sum() < _MIN_FITTED:
        raise DatasetError("the training rows show hardly anybody: more faces are needed")
    return LabelledFaces(chips, classes, targets, np.flatnonzero(~held), np.flatnonzero(held))
