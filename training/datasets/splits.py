"""Splits: which pictures are held out, so that no model is ever fitted on them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from training.datasets.samples import TEST, TRAIN, Samples, natural_key
from training.errors import DatasetError

DEFAULT_FRACTION = 0.1
"""Share of the pictures that is held out where the dataset has no split of its own."""

DEVELOPMENT_FRACTION = 0.1
"""Share of the training rows that nothing is fitted on: they say when to stop and how sure a head
may be. More make both steadier and leave less to fit on."""

SEED = 20170624
"""Seed of every split and every fit, unless another is given."""


@dataclass(frozen=True, slots=True)
class HoldOut:
    """The rule by which pictures are held out.

    Attributes:
        first: hold out this many pictures, by the numbers in their names.
        fraction: hold out this share of the pictures: whole identities where they are known, else
            the same share of each class.

    With neither the dataset's own split is taken, and a tenth where it has none.
    """

    first: int | None = None
    fraction: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `given`, `first:5000` or `0.1`.

        Raises:
            DatasetError: it is none of these.
        """
        if text == "given":
            return cls()
        try:
            if text.startswith("first:"):
                hold_out = cls(first=int(text.removeprefix("first:")))
            else:
                hold_out = cls(fraction=float(text))
        except ValueError:
            hold_out = cls(fraction=0)
        if (hold_out.first or 0) > 0 or 0 < (hold_out.fraction or 0) < 1:
            return hold_out
        raise DatasetError(
            f"--hold-out {text} is not understood: write given, first:N or a fraction such as 0.1"
        )

    @property
    def text(self) -> str:
        """The rule as `parse` reads it."""
        if self.first is not None:
            return f"first:{self.first}"
        return "given" if self.fraction is None else f"{self.fraction:g}"

    def __str__(self) -> str:
        if self.first is not None:
            return f"the first {self.first} pictures by the numbers in their names"
        if self.fraction is not None:
            return f"{self.fraction:g} of the pictures"
        return "the dataset's own split"


DEFAULT_DEVELOPMENT = HoldOut(fraction=DEVELOPMENT_FRACTION)
"""The rule by which development rows are chosen, unless another is given."""


def split(samples: Samples, hold_out: HoldOut, seed: int = SEED) -> tuple[tuple[str, ...], str]:
    """`train` or `test` for each picture, and how that was decided in a few words.

    Raises:
        DatasetError: one of the halves would be empty.
    """
    if hold_out.first is not None:
        order = sorted(range(len(samples)), key=lambda row: natural_key(samples.files[row]))
        held = np.zeros(len(samples), dtype=np.bool_)
        held[order[: hold_out.first]] = True
        how = str(hold_out)
    elif hold_out.fraction is None and {TRAIN, TEST} <= set(samples.splits):
        held = np.array([each == TEST for each in samples.splits])
        how = "the dataset's own split"
    else:
        fraction = hold_out.fraction or DEFAULT_FRACTION
        known = any(identity is not None for identity in samples.identities)
        held = (
            hold_out_identities(samples.identities, fraction, seed)
            if known
            else _stratified(samples, fraction, seed)
        )
        what = "the people" if known else "each class"
        how = f"{fraction:g} of {what}, drawn with seed {seed}"
    if held.all() or not held.any():
        raise DatasetError(f"holding out {how} leaves one half empty: name another --hold-out")
    return tuple(TEST if each else TRAIN for each in held), how


def hold_out_identities(
    identities: Sequence[str | None], fraction: float, seed: int
) -> NDArray[np.bool_]:
    """Holds out whole identities; each row without one counts as an identity of its own."""
    names = [name if name is not None else row for row, name in enumerate(identities)]
    order = {name: number for number, name in enumerate(dict.fromkeys(names))}
    groups = np.array([order[name] for name in names])
    count = len(order)
    chosen = np.random.default_rng(seed).permutation(count)[: max(1, round(count * fraction))]
    return np.isin(groups, chosen)


def hold_out_development(
    files: Sequence[str], identities: Sequence[str | None], rule: HoldOut, seed: int
) -> NDArray[np.bool_]:
    """Which of the training rows nothing is fitted on: whole people, where they are known.

    Args:
        files: of each row.
        identities: of each row.
        rule: the first pictures by the numbers in their names, or a share of the people.
        seed: by which a share is drawn.
    """
    people = [person or file for person, file in zip(identities, files, strict=True)]
    if rule.first is None:
        return hold_out_names(people, rule.fraction or DEVELOPMENT_FRACTION, seed)
    first = set(sorted(set(files), key=natural_key)[: rule.first])
    chosen = {person for person, file in zip(people, files, strict=True) if file in first}
    return np.array([each in chosen for each in people], dtype=np.bool_)


def hold_out_names(names: Sequence[str], fraction: float, seed: int) -> NDArray[np.bool_]:
    """Holds out whole names, each by a hash of the name and the seed.

    So whether a name is held out does not depend on the other names: a face that is not fitted on
    in one step of training is not fitted on in another. At least one name is held out.
    """
    numbers = {
        name: int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8], "big")
        for name in set(names)
    }
    threshold = max(fraction * 2**64, min(numbers.values()))
    return np.array([numbers[name] <= threshold for name in names], dtype=np.bool_)


def _stratified(samples: Samples, fraction: float, seed: int) -> NDArray[np.bool_]:
    return hold_out_stratified(list(zip(*samples.labels.values(), strict=True)), fraction, seed)


def hold_out_stratified(classes: Sequence[object], fraction: float, seed: int) -> NDArray[np.bool_]:
    """Holds out the same share of each class."""
    random = np.random.default_rng(seed)
    number = {each: index for index, each in enumerate(dict.fromkeys(classes))}
    codes = np.array([number[each] for each in classes])
    order = random.permutation(len(codes))
    # Sorted by class, every (1/fraction)-th row is held out: rare classes share fairly too.
    order = order[np.argsort(codes[order], kind="stable")]
    places = np.arange(len(codes))
    taken = np.floor((places + 1) * fraction + 0.5) > np.floor(places * fraction + 0.5)
    if not taken.any():
        taken[0] = True
    held = np.zeros(len(codes), dtype=np.bool_)
    held[order[taken]] = True
    return held
