"""Perceptual hashes of pictures, and which pictures are nearly identical by them.

The hash is pHash (Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010)
with the signs of the coefficients, which are as likely positive as negative, in place of their
comparison with the median. Another size, encoding, brightness or contrast changes few of its bits.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from models.faces import Image

MAX_BITS = 4
"""Bits of 64 in which the hashes of nearly identical pictures differ at most. Of 40,000 aligned
faces of FairFace 79 pairs differ by no more, of which one shows two faces that are only alike; at
8 bits most would be."""

UNKNOWN = 0
"""Hash of a picture without any structure, and where none was computed; it is like no other."""

_SIDE_PX = 32
"""Side of the grey picture that is transformed, px; more shows details that encoding changes."""

_FREQUENCIES = slice(1, 9)
"""Frequencies that are kept, in both directions. Those of 0, brightness and gradients along one
direction, are alike in most aligned faces."""

_LEAST_COEFFICIENT = 1e-3
"""Coefficient, grey levels, that is taken for 0: rounding errors are smaller."""

_BANDS = ((0, 13), (13, 13), (26, 13), (39, 13), (52, 12))
"""First bit and width of the bands of a hash: two that differ in four bits agree in one of five."""

_COMPARED_AT_ONCE = 1 << 22
"""Comparisons at once; more take more memory, 9 bytes each."""


def perceptual_hash(image: Image) -> int:
    """The hash of a picture, 64 bits."""
    small = cv2.resize(image, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
    coefficients = cv2.dct(grey)[_FREQUENCIES, _FREQUENCIES]
    bits = np.packbits(coefficients.ravel() > _LEAST_COEFFICIENT)
    return int.from_bytes(bits.tobytes(), "big")


def near_pairs(hashes: NDArray[np.uint64]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Places of pairs that differ in `MAX_BITS` or fewer, part by part; a pair may come twice.

    Args:
        hashes: `(n,)`, no two the same; `UNKNOWN` makes no pair.
    """
    known = np.flatnonzero(hashes != UNKNOWN)
    hashes = hashes[known]
    for first, width in _BANDS:
        bands = (hashes >> np.uint64(first)) & np.uint64((1 << width) - 1)
        order = np.argsort(bands, kind="stable")
        starts = np.flatnonzero(np.diff(bands[order], prepend=-1.0, append=-1.0))
        for start, end in pairwise(starts.tolist()):
            places = order[start:end]
            step = max(1, _COMPARED_AT_ONCE // len(places))
            for begin in range(0, len(places) - 1, step):
                rows, others = places[begin : begin + step], places[begin:]
                differing = np.bitwise_count(hashes[rows, None] ^ hashes[None, others])
                row, other = np.nonzero(differing <= MAX_BITS)
                later = other > row
                if later.any():
                    yield known[rows[row[later]]], known[others[other[later]]]


def alike_groups(hashes: NDArray[np.uint64]) -> NDArray[np.intp]:
    """A number for each picture `(n,)`, the same for those that are nearly identical, also by way
    of others; a picture whose hash is `UNKNOWN` stands alone."""
    unique, numbers = np.unique(hashes, return_inverse=True)
    groups = np.arange(len(unique))
    pending: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = []
    for pair in near_pairs(unique):
        pending.append(pair)
        if sum(len(first) for first, _ in pending) > _COMPARED_AT_ONCE:
            groups, pending = _merged(groups, pending), []
    found = _merged(groups, pending)[numbers]
    unknown = hashes == UNKNOWN
    found[unknown] = len(unique) + np.arange(np.count_nonzero(unknown))
    return found


def _merged(
    groups: NDArray[np.intp], pairs: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]
) -> NDArray[np.intp]:
    """The groups after those of each pair were made one."""
    if not pairs:
        return groups
    first, second = (np.concatenate(side) for side in zip(*pairs, strict=True))
    links = coo_array(
        (np.ones(len(first)), (groups[first], groups[second])), shape=(len(groups), len(groups))
    )
    _, merged = connected_components(links, directed=False)
    return merged[groups].astype(np.intp)
