"""What the two halves of a split share, and pictures that have two labels.

A face that was fitted on says nothing about faces never seen: figures on it are too good.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.program.printable import counted, shortened
from training.datasets.halves import joined_groups
from training.datasets.samples import TEST, TRAIN
from training.errors import DatasetError
from training.features.picture_hash import UNKNOWN, alike_groups, near_pairs
from training.features.table import FeatureTable


@dataclass(frozen=True, slots=True)
class Leak:
    """A held-out picture that tells of one in the training half.

    Attributes:
        held_out: its file.
        training: the file of the other one.
        person: who is on both; None where the pictures are nearly identical.
    """

    held_out: str
    training: str
    person: str | None = None

    def __str__(self) -> str:
        both = f"{shortened(self.held_out)} and {shortened(self.training)}"
        return both if self.person is None else f"{shortened(self.person)} in {both}"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two nearly identical pictures, or one that is listed twice, with different labels."""

    attribute: str
    files: tuple[str, str]
    classes: tuple[str, str]

    def __str__(self) -> str:
        first, second = map(shortened, self.files)
        where = first if first == second else f"{first} and {second}"
        return f"{where} ({self.attribute}: {' and '.join(map(shortened, self.classes))})"


def table_leaks(table: FeatureTable) -> tuple[Leak, ...]:
    """What the two halves of a table share, see `find_leaks`."""
    faces = table[table.as_found]
    return find_leaks(faces.files, faces.splits, faces.identities, faces.picture_hashes)


def check_leaks(table: FeatureTable) -> None:
    """Raises DatasetError where the two halves of a table share pictures or people."""
    refuse_leaks(table_leaks(table))


def refuse_leaks(leaks: Sequence[Leak]) -> None:
    """Raises DatasetError where there are leaks."""
    if leaks:
        raise DatasetError(
            f"{describe_leaks(leaks)}: figures on them would be too good. Take them out of one "
            "half (face-train features lists them in NAME.duplicates.csv), or add --allow-leak"
        )


def describe_leaks(leaks: Sequence[Leak]) -> str:
    """How many leaks of each kind there are, and one of them as an example."""
    pictures = [leak for leak in leaks if leak.person is None]
    people = [leak for leak in leaks if leak.person is not None]
    parts = []
    if pictures:
        are = "held-out picture is", "held-out pictures are"
        parts.append(f"{counted(len(pictures), *are)} nearly identical to training pictures")
        parts[-1] += f", such as {pictures[0]}"
    if people:
        are = "known person is", "known people are"
        parts.append(f"{counted(len(people), *are)} in both halves, such as {people[0]}")
    return "; ".join(parts)


def describe_contradictions(found: Sequence[Contradiction]) -> str:
    """How many pictures have two labels, and one of them as an example."""
    have = "picture has", "pictures have"
    return f"{counted(len(found), *have)} two labels, such as {found[0]}"


def find_leaks(
    files: Sequence[str] | NDArray[np.object_],
    splits: Sequence[str] | NDArray[np.object_],
    identities: Sequence[str | None] | NDArray[np.object_],
    hashes: NDArray[np.uint64],
) -> tuple[Leak, ...]:
    """One leak for each held-out picture that is nearly identical to one in training, and one for
    each known person who is in both halves.

    Args:
        files: `(n,)` names of the pictures.
        splits: `(n,)`, `train` or `test`.
        identities: `(n,)` names of the people, None where unknown.
        hashes: `(n,)` perceptual hashes; where they are `UNKNOWN` only one file in both halves
            is found.
    """
    held = np.array([each == TEST for each in splits], dtype=np.bool_)
    training = np.array([each == TRAIN for each in splits], dtype=np.bool_)
    partners = _partners(hashes, held, training)
    by_file = {files[row]: row for row in np.flatnonzero(training)[::-1].tolist()}
    found: dict[tuple[str, str | None], Leak] = {}
    for row in np.flatnonzero(held).tolist():
        other = int(partners[row]) if partners[row] >= 0 else by_file.get(files[row])
        if other is not None:
            found.setdefault((files[row], None), Leak(files[row], files[other]))
    people = {identities[row]: row for row in np.flatnonzero(training)[::-1].tolist()}
    for row in np.flatnonzero(held).tolist():
        person = identities[row]
        if person is not None and person in people:
            leak = Leak(files[row], files[people[person]], person)
            found.setdefault(("", person), leak)
    return tuple(found.values())


def _partners(
    hashes: NDArray[np.uint64], held: NDArray[np.bool_], training: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """For each row that is held out a training row that is nearly identical, else -1, `(n,)`."""
    unique, numbers = np.unique(hashes, return_inverse=True)
    in_training = np.full(len(unique), -1, dtype=np.intp)
    rows = np.flatnonzero(training)[::-1]
    in_training[numbers[rows]] = rows
    in_training[unique == UNKNOWN] = -1
    is_held = np.zeros(len(unique), dtype=np.bool_)
    is_held[numbers[held]] = True
    partners = in_training.copy()
    for first, second in near_pairs(unique):
        for one, other in ((first, second), (second, first)):
            shared = is_held[one] & (in_training[other] >= 0) & (partners[one] < 0)
            partners[one[shared]] = in_training[other[shared]]
    return np.where(held, partners[numbers], -1).astype(np.intp)


def find_contradictions(
    files: Sequence[str] | NDArray[np.object_],
    labels: Mapping[str, Sequence[str | None] | NDArray[np.object_]],
    hashes: NDArray[np.uint64],
) -> tuple[Contradiction, ...]:
    """One contradiction for each attribute and each group of nearly identical pictures, or rows of
    one file, that have more than one label.

    Args:
        files: `(n,)` names of the pictures.
        labels: attribute → class of each, None where unknown.
        hashes: `(n,)` perceptual hashes.
    """
    groups = joined_groups(list(files), alike_groups(hashes))
    return tuple(
        Contradiction(attribute, (files[first], files[row]), (str(column[first]), str(column[row])))
        for attribute, column in labels.items()
        for first, row in _first_differences(groups, column)
    )


def _first_differences(
    groups: NDArray[np.intp], column: Sequence[str | None] | NDArray[np.object_]
) -> Iterator[tuple[int, int]]:
    """The first two rows with different classes of each group that has such rows."""
    firsts: dict[int, int] = {}
    differing: dict[int, int] = {}
    for row, (group, name) in enumerate(zip(groups.tolist(), column, strict=True)):
        if name is None:
            continue
        first = firsts.setdefault(group, row)
        if column[first] != name:
            differing.setdefault(group, row)
    return ((firsts[group], row) for group, row in differing.items())
