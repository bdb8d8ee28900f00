"""What the two halves of a split must keep to: groups stay whole, and each class is in both."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_TRIED_GROUPS = 50
"""Groups, at most, that are tried as the one to be held out for a class; more cost time where
hardly any of them can be spared."""


def joined_groups(
    identities: Sequence[str | None], alike: NDArray[np.intp] | None
) -> NDArray[np.intp]:
    """The group of each row `(n,)`: rows of one identity, or that are alike, are in one.

    Args:
        identities: of each row; one without is an identity of its own.
        alike: `(n,)`, the same number for rows that are alike; each stands alone unless given.
    """
    names = [name if name is not None else row for row, name in enumerate(identities)]
    order = {name: number for number, name in enumerate(dict.fromkeys(names))}
    own = np.array([order[name] for name in names], dtype=np.intp)
    if alike is None:
        return own
    _, other = np.unique(alike, return_inverse=True)
    size = len(order) + int(other.max(initial=-1)) + 1
    links = coo_array((np.ones(len(own)), (own, other + len(order))), shape=(size, size))
    _, joined = connected_components(links, directed=False)
    return joined[own].astype(np.intp)


def in_both_halves(
    held: NDArray[np.bool_],
    groups: NDArray[np.intp],
    labels: Sequence[Sequence[str | None]],
    seed: int,
) -> NDArray[np.bool_]:
    """The rows held out `(n,)`, changed where a class would be missing in one of the halves.

    1. A class that is only held out gets a group of its rows back.
    2. A class of which nothing is held out gives a group, if it has another one and no class loses
       its last row for it.

    Args:
        held: the rows held out so far.
        groups: `(n,)`, of each row; groups stay whole.
        labels: the classes of each row, column by column, None where unknown.
        seed: of the choice among groups.
    """
    held = held.copy()
    random = np.random.default_rng(seed)
    codes, count = _class_codes(labels, len(held))
    in_training = np.bincount(codes[~held].ravel(), minlength=count + 1)
    for code in range(count):
        rows = (codes == code).any(axis=1)
        if not in_training[code]:
            returned = groups == random.choice(groups[rows])
            held &= ~returned
            in_training = np.bincount(codes[~held].ravel(), minlength=count + 1)
    for code in range(count):
        rows = (codes == code).any(axis=1)
        candidates = np.unique(groups[rows])
        if held[rows].any() or len(candidates) < 2:
            continue
        for group in random.permutation(candidates)[:_TRIED_GROUPS]:
            given = (groups == group) & ~held
            spared = np.bincount(codes[given].ravel(), minlength=count + 1)
            if (in_training - spared)[:count][spared[:count] > 0].all():
                held |= given
                in_training -= spared
                break
    return held


def _class_codes(labels: Sequence[Sequence[str | None]], rows: int) -> tuple[NDArray[np.intp], int]:
    """A number for each class of each column `(rows, columns)`, the last one for no class."""
    numbers: dict[tuple[int, str], int] = {}
    for place, column in enumerate(labels):
        for name in column:
            if name is not None:
                numbers.setdefault((place, name), len(numbers))
    unknown = len(numbers)
    codes = [
        [unknown if name is None else numbers[place, name] for name in column]
        for place, column in enumerate(labels)
    ]
    return np.array(codes, dtype=np.intp).reshape(len(labels), rows).T, len(numbers)
