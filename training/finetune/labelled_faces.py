"""Cut-out faces with their labels, as the network takes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.datasets.samples import Samples, natural_key
from training.datasets.splits import DEVELOPMENT_FRACTION, SEED, drawn
from training.errors import DatasetError
from training.finetune.chip_store import ChipStore

UNLABELLED = -1

_FEWEST = 2  # faces to learn from: the normalisations compare them


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Faces with labels, as the network takes them.

    Attributes:
        chips: all faces.
        classes: attribute → names of its classes.
        targets: `(faces, attributes)` int64, UNLABELLED where unknown.
        fitted: the faces that are learned from.
        development: the faces that say how well it goes.
    """

    chips: ChipStore
    classes: Mapping[str, tuple[str, ...]]
    targets: NDArray[np.int64]
    fitted: NDArray[np.intp]
    development: NDArray[np.intp]


def check_attributes(samples: Samples, attributes: Sequence[str]) -> None:
    """Raises DatasetError where the dataset has not one of them."""
    for name in attributes:
        if name not in samples.labels:
            raise DatasetError(f"{samples.name} has no {name}, only {', '.join(samples.labels)}")


def labelled(
    samples: Samples, chips: ChipStore, attributes: Sequence[str], seed: int = SEED
) -> Labelled:
    """The faces, with the development rows that `training.fitting.fit` draws as well.

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
        classes[name] = tuple(
            sorted({each for each in column if each is not None}, key=natural_key)
        )
        if len(classes[name]) < 2:
            raise DatasetError(f"the training rows are all alike in {name}: two classes are needed")
        numbers = {each: number for number, each in enumerate(classes[name])}
        targets[:, place] = [UNLABELLED if each is None else numbers[each] for each in column]
    people = [samples.identities[row] or samples.files[row] for row in chips.pictures]
    held = drawn(people, DEVELOPMENT_FRACTION, seed)
    if (~held).sum() < _FEWEST:
        raise DatasetError("the training rows show hardly anybody: more faces are needed")
    return Labelled(chips, classes, targets, np.flatnonzero(~held), np.flatnonzero(held))
