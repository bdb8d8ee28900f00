"""Perceptual hashes: what changes few of their bits, and that the search misses no pair."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from training_helpers import face_picture

from models.faces import Image
from training.features.picture_hash import (
    MAX_BITS,
    UNKNOWN,
    alike_groups,
    near_pairs,
    perceptual_hash,
)


def _bits(first: Image, second: Image) -> int:
    return (perceptual_hash(first) ^ perceptual_hash(second)).bit_count()


def _jpeg(image: Image) -> Image:
    decoded = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 1)
    assert decoded is not None
    return decoded.astype(np.uint8)


def _changed(image: Image) -> dict[str, Image]:
    smaller = cv2.resize(image, (90, 90), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return {
        "coded": _jpeg(image),
        "smaller": smaller.astype(np.uint8),
        "darker": (0.6 * image).astype(np.uint8),
        "grey": grey.astype(np.uint8),
        "blurred": cv2.GaussianBlur(image, (0, 0), 2).astype(np.uint8),
    }


@pytest.mark.parametrize("how", ["coded", "smaller", "darker", "grey", "blurred"])
def test_the_same_picture_made_otherwise_is_nearly_identical(how: str) -> None:
    for number in range(5):
        image = face_picture(number)
        assert _bits(image, _changed(image)[how]) <= MAX_BITS


def test_other_pictures_are_not() -> None:
    pictures = [face_picture(number) for number in range(20)]
    for row, first in enumerate(pictures):
        assert all(_bits(first, second) > MAX_BITS for second in pictures[:row])


def test_a_picture_without_structure_is_like_no_other() -> None:
    flat = np.full((100, 80, 3), 90, dtype=np.uint8)
    assert perceptual_hash(flat) == UNKNOWN
    groups = alike_groups(np.array([UNKNOWN, UNKNOWN, 7, 7], dtype=np.uint64))
    assert len(set(groups.tolist())) == 3
    assert groups[2] == groups[3]


def _random_hashes(count: int) -> NDArray[np.uint64]:
    """Hashes of which each fourth is an earlier one with up to eight of its bits flipped."""
    random = np.random.default_rng(3)
    hashes = random.integers(1, 2**64, count, dtype=np.uint64)
    for row in range(4, count, 4):
        flipped = random.choice(64, size=int(random.integers(0, 9)), replace=False)
        mask = np.bitwise_or.reduce(np.uint64(1) << flipped.astype(np.uint64), initial=np.uint64(0))
        hashes[row] = hashes[row - 4] ^ mask
    return hashes


def test_the_search_finds_what_comparing_all_with_all_finds() -> None:
    hashes = np.unique(_random_hashes(1500))
    distances = np.bitwise_count(hashes[:, None] ^ hashes[None])
    expected = {(int(a), int(b)) for a, b in np.argwhere(distances <= MAX_BITS) if a < b}
    found = {
        (min(a, b), max(a, b))
        for first, second in near_pairs(hashes)
        for a, b in zip(first.tolist(), second.tolist(), strict=True)
    }
    assert len(expected) > 100
    assert found == expected


def test_pictures_are_alike_by_way_of_others_too() -> None:
    chain = np.array([0b1, 0b11111, 0b111111111, 2**60 - 1], dtype=np.uint64)
    groups = alike_groups(chain)
    assert groups[0] == groups[1] == groups[2] != groups[3]
    assert alike_groups(np.zeros(0, dtype=np.uint64)).shape == (0,)


def test_no_number_of_pairs_is_too_many() -> None:
    """Forty thousand pictures: all of one hash, all nearly alike, and all different."""
    random = np.random.default_rng(0)
    base = np.full(40_000, 0x123456789ABCDEF, dtype=np.uint64)
    bits = np.uint64(1) << random.integers(0, 64, (2, 40_000)).astype(np.uint64)
    assert len(set(alike_groups(base).tolist())) == 1
    assert len(set(alike_groups(base ^ bits[0] ^ bits[1]).tolist())) == 1
    different = random.integers(1, 2**64, 40_000, dtype=np.uint64)
    assert len(set(alike_groups(different).tolist())) == 40_000
