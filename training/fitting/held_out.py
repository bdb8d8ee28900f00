"""What can be said of the held-out faces before anything is fitted."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from models.program.printable import counted, shortened
from training.datasets.samples import TEST, natural_key
from training.features.table import FeatureTable

FEW_FACES = 100
"""Held-out faces under which figures are said to be rough: the interval of an accuracy of 0.9 is
12 points wide with 100 faces, and grows with the root of their number."""

_NAMED = 5
"""Attributes or classes, at most, that a line names; more make it longer."""

_DEVIATIONS = 1.96
"""Standard deviations of a normal distribution to either side of its mean that hold 95 % of it."""


def held_out_notes(table: FeatureTable, classes: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A line on each attribute whose held-out faces cannot say how good a model is.

    1. There are none with a label.
    2. They have classes that are not learned; the report leaves those faces out.
    3. They lack a class that is learned.
    4. There are few; the report has the same line.

    Args:
        table: the features.
        classes: attribute → the classes that are learned.
    """
    measured: dict[str, int] = {}
    for attribute, learned in classes.items():
        counts = _held_out(table, attribute)
        unlearned = unlearned_classes(table, attribute, learned)
        count = sum(counts[name] for name in learned)
        if not count:
            yield f"{attribute}: no held-out face has a label: its accuracy is not measured"
        else:
            measured[attribute] = count
        if unlearned:
            faces = counted(sum(counts[name] for name in unlearned), "face")
            yield (
                f"{attribute}: no training face is {_listed(unlearned)}, so that is not learned; "
                f"{faces} of the held-out ones are left out of the figures"
            )
        if count and (missing := [name for name in learned if not counts[name]]):
            yield f"{attribute}: no held-out face is {_listed(missing)}: that is not measured"
    yield from few_faces_notes(measured)


def few_faces_notes(measured: Mapping[str, int]) -> Iterator[str]:
    """A line for the attributes that are measured on the same few faces, with what it comes to.

    An accuracy is off by half its 95 % interval, at most by that of one half (Wilson's).

    Args:
        measured: attribute → on how many faces it is measured.
    """
    few: dict[int, list[str]] = {}
    for name, rows in measured.items():
        if rows < FEW_FACES:
            few.setdefault(rows, []).append(name)
    for rows, names in few.items():
        widest = _DEVIATIONS / 2 / math.sqrt(rows + _DEVIATIONS**2)
        yield (
            f"{first_names(names)}: measured on {counted(rows, 'face')} only, so an accuracy may "
            f"be off by {widest:.2f}: hold out more with --hold-out, or go by fit "
            "--cross-validate 5"
        )


def first_names(names: Sequence[str]) -> str:
    """Names with commas between, of many only the first."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def measurable(table: FeatureTable, attribute: str, learned: Sequence[str]) -> bool:
    """Whether a held-out face has one of the classes that are learned."""
    return not _held_out(table, attribute).keys().isdisjoint(learned)


def unlearned_classes(
    table: FeatureTable, attribute: str, learned: Sequence[str]
) -> tuple[str, ...]:
    """The classes that only held-out faces have."""
    return tuple(sorted(_held_out(table, attribute).keys() - set(learned), key=natural_key))


def _held_out(table: FeatureTable, attribute: str) -> Counter[str]:
    """How many held-out faces each class has."""
    held = (table.splits == TEST) & table.as_found
    names = table.labels.get(attribute, np.zeros(0, dtype=object))[held]
    return Counter(name for name in names if name is not None)


def _listed(names: Sequence[str]) -> str:
    """Names with "or" between, of many only the first."""
    more = len(names) - _NAMED
    others = [f"{more} others"] if more > 1 else [shortened(name) for name in names[_NAMED:]]
    return " or ".join([*(shortened(name) for name in names[:_NAMED]), *others])
