"""Splits: which pictures are held out, so that no model is ever fitted on them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from training.datasets.halves import in_both_halves, joined_groups
from training.datasets.samples import TEST, TRAIN, Samples, natural_key
from training.errors import DatasetError

DEFAULT_FRACTION = 0.1
"""Share of the pictures that is held out where the dataset has no split of its own."""

DEVELOPMENT_FRACTION = 0.1
"""Share of the training rows that nothing is fitted on: they say when to stop and how sure a head
may be. More make both steadier and leave less to fit on."""

SEED = 20170624
"""Seed of every split and every fit, unless another is given."""

OWN_SPLIT = "the dataset's own split"
"""How a split is described that the dataset itself makes."""


@dataclass(frozen=True, slots=True)
class HoldOut:
    """The rule by which pictures are held out.

    Attributes:
        first: hold out this many pictures, by the numbers in their names.
        fraction: hold out this share of the pictures: whole identities where they are known, else
            the same share of each class.

    With neither the dataset's own split is taken, and a tenth where it holds out nothing.
    """

    first: int | None = None
    fraction: float | None = None

    @classmethod
    def parse(cls, text: str, option: str = "--hold-out") -> Self:
        """From `given`, `first:5000` or `0.1`, the text of an option.

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
            f"{option} {text} is not understood: write given, first:N or a fraction such as 0.1"
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
        return OWN_SPLIT


DEFAULT_DEVELOPMENT = HoldOut(fraction=DEVELOPMENT_FRACTION)
"""The rule by which development rows are chosen, unless another is given."""


def split(
    samples: Samples,
    hold_out: HoldOut,
    seed: int = SEED,
    *,
    usable: NDArray[np.bool_] | None = None,
    alike: NDArray[np.intp] | None = None,
) -> tuple[tuple[str, ...], str]:
    """`train` or `test` for each picture, and how that was decided in a few words.

    1. The first by number: of all pictures, so that everyone means the same ones.
    2. The dataset's own split, as soon as it marks a picture as held out. It is obeyed where it
       holds out all of them, too; what it does not mark is for training.
    3. Otherwise pictures are drawn: only from the usable ones and, where the dataset marks some for
       training, from the others.

    Args:
        samples: the pictures.
        hold_out: the rule.
        seed: of what is drawn.
        usable: `(n,)`, the pictures that can be used; all unless given.
        alike: `(n,)`, a number for each picture, the same for pictures that must not be parted;
            each stands alone unless given.

    Raises:
        DatasetError: the first by number are all pictures.
    """
    if hold_out.first is not None:
        order = sorted(range(len(samples)), key=lambda row: natural_key(samples.files[row]))
        held = np.zeros(len(samples), dtype=np.bool_)
        held[order[: hold_out.first]] = True
        how = str(hold_out)
    elif not is_drawn(samples, hold_out):
        return tuple(each or TRAIN for each in samples.splits), OWN_SPLIT
    else:
        rows = _drawn_from(samples, hold_out, usable)
        fraction = hold_out.fraction or DEFAULT_FRACTION
        known = any(identity is not None for identity in samples.identities)
        what = "the people" if known else "each class"
        how = f"{fraction:g} of {what}, drawn with seed {seed}"
        held = np.zeros(len(samples), dtype=np.bool_)
        if len(rows):
            held[rows] = _draw(samples, rows, alike, fraction, seed)
        if not held.any():
            how = "nothing: there are no two pictures with a face that may be parted"
            return (TRAIN,) * len(samples), how
    if held.all():
        raise DatasetError(f"holding out {how} leaves one half empty: name another --hold-out")
    if any(samples.splits) and hold_out != HoldOut():
        how = f"{how}, not {OWN_SPLIT}"
    return tuple(TEST if each else TRAIN for each in held), how


def is_drawn(samples: Samples, hold_out: HoldOut) -> bool:
    """Whether pictures are drawn, so that which ones depends on which of them are usable."""
    if hold_out == HoldOut():
        return TEST not in samples.splits
    return hold_out.first is None


def _drawn_from(
    samples: Samples, hold_out: HoldOut, usable: NDArray[np.bool_] | None
) -> NDArray[np.intp]:
    """The pictures of which some are held out."""
    chosen = np.ones(len(samples), dtype=np.bool_) if usable is None else usable
    unmarked = np.array([each is None for each in samples.splits])
    if hold_out == HoldOut() and (chosen & unmarked).any():
        chosen = chosen & unmarked
    return np.flatnonzero(chosen)


def _draw(
    samples: Samples,
    rows: NDArray[np.intp],
    alike: NDArray[np.intp] | None,
    fraction: float,
    seed: int,
) -> NDArray[np.bool_]:
    """Which of these rows are held out, `(rows,)`; neither people nor what is alike are parted."""
    identities = [samples.identities[row] for row in rows]
    groups = joined_groups(identities, None if alike is None else alike[rows])
    labels = [[column[row] for row in rows] for column in samples.labels.values()]
    if any(identity is not None for identity in identities):
        held = hold_out_identities([str(group) for group in groups], fraction, seed)
    else:
        _, firsts, numbers = np.unique(groups, return_index=True, return_inverse=True)
        classes = [tuple(column[first] for column in labels) for first in firsts]
        held = hold_out_stratified(classes, fraction, seed)[numbers]
    return in_both_halves(held, groups, labels, seed)


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
