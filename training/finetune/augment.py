"""Random augmentation of faces: in other light, small, blurred, noisy, compressed, off their place.

What happens to a face on its way through a camera and a recording happens in that order, and at the
size that it has there: light, lens, sensor, coding. Then the aligner enlarges it, not quite in its
place. The corruptions are those by which reports measure a model. A greater value makes faces more
varied and harder to learn from, unless its line says otherwise.
"""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from models.networks.runtime import available_cores
from training.filming.corruptions import grayscale, jpeg, warp_affine
from training.filming.film import each_of_share, film, random_widths, share

_CAST = 0.04
"""Standard deviation of the natural logarithm of the gain of each colour by itself: a colour
cast."""

_GAIN = 0.15
"""Standard deviation of the natural logarithm of the gain of all colours: brightness."""

_GAMMA = 0.2
"""Standard deviation of the natural logarithm of the gamma: contrast."""

_DARK_SHARE = 0.1
"""Share of the faces, 0 to 1, that are made dark besides."""

_DARK_GAINS = (0.15, 0.6)
"""Least and greatest gain of a dark face; lower ones are darker."""

_GREY_SHARE = 0.1
"""Share of the faces, 0 to 1, that lose their colour."""

_FILMED_SHARE = 0.5
"""Share of the faces, 0 to 1, that are as a video shows them; see `film`."""

_JPEG_SHARE = 0.2
"""Share of the faces, 0 to 1, that are compressed as a JPEG."""

_JPEG_QUALITY = (15, 91)
"""Least quality of a JPEG, and the first above the greatest, of 1 to 100; lower is worse."""

_TILT_DEG = 8.0
"""Standard deviation of the rotation of a face, degrees; an aligner leaves a few."""

_MAX_TILT_DEG = 25.0
"""Rotation of a face at most, degrees; more shows faces as no aligner would."""

_SCALE = 0.08
"""Standard deviation of the natural logarithm of a face's scale; an aligner errs by 0.04."""

_SHIFT = 0.05
"""Standard deviation of the shift of a face in x and in y, as a share of the side of a chip; an
aligner errs by 0.04."""

_ERASED_SHARE = 0.25
"""Share of the faces, 0 to 1, of which a rectangle is erased, as if something hid it."""

_GROUP = 32
"""Faces that are changed together: they share a video, and its rate factor."""


def augment(chips: NDArray[np.uint8], seed: tuple[int, ...]) -> NDArray[np.uint8]:
    """The faces, each changed at random; the same seed gives the same faces.

    Args:
        chips: `(n, side, side, 3)` uint8 BGR; they are not written to.
        seed: numbers, of which each batch should have others.
    """
    starts = range(0, len(chips), _GROUP)
    with ThreadPoolExecutor(available_cores()) as pool:
        groups = pool.map(
            lambda start: _augment_group(
                chips[start : start + _GROUP], np.random.default_rng((*seed, start))
            ),
            starts,
        )
        return np.concatenate(list(groups))


def _augment_group(chips: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    side = chips.shape[1]
    shown = [_in_other_light(chip, random) for chip in chips]
    shown = each_of_share(shown, _GREY_SHARE, random, grayscale)
    shown = each_of_share(
        shown, _JPEG_SHARE, random, lambda chip: jpeg(chip, int(random.integers(*_JPEG_QUALITY)))
    )
    shown = share(
        shown,
        _FILMED_SHARE,
        random,
        lambda chosen: film(chosen, random_widths(chosen, random), random),
    )
    shown = [_align(chip, side, random) for chip in shown]
    shown = each_of_share(shown, _ERASED_SHARE, random, lambda chip: _erase(chip, random))
    return np.stack(shown)


def _in_other_light(chip: Image, random: np.random.Generator) -> Image:
    """Of another brightness, contrast and colour cast."""
    gains = np.exp(random.normal(0, _GAIN) + random.normal(0, _CAST, 3))
    if random.random() < _DARK_SHARE:
        gains = gains * random.uniform(*_DARK_GAINS)
    light = np.linspace(0, 1, 256) ** np.exp(random.normal(0, _GAMMA))
    table = np.clip(np.rint(light[:, None] * gains * 255), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(chip, table[None])).astype(np.uint8, copy=False)


def _align(chip: Image, side: int, random: np.random.Generator) -> Image:
    """A chip of `side` px, flipped or not, rotated, scaled and shifted as its place was found."""
    tilt = np.deg2rad(np.clip(random.normal(0, _TILT_DEG), -_MAX_TILT_DEG, _MAX_TILT_DEG))
    scale = np.exp(random.normal(0, _SCALE)) * side / len(chip)
    flip = -1.0 if random.random() < 0.5 else 1.0
    turn = scale * np.array([[flip * np.cos(tilt), -np.sin(tilt)],
                             [flip * np.sin(tilt), np.cos(tilt)]])  # fmt: skip
    # The middle of a chip lies between its pixels, and goes to that of the other one.
    middle, target = (len(chip) - 1) / 2, (side - 1) / 2 + random.normal(0, _SHIFT * side, 2)
    offset = target - turn @ (middle, middle)
    return warp_affine(chip, np.column_stack([turn, offset]), side)


def _erase(chip: Image, random: np.random.Generator) -> Image:
    """A rectangle gets one colour.

    (Zhong et al., Random Erasing Data Augmentation, AAAI 2020.)
    """
    side = len(chip)
    height, width = random.integers(side // 8, side // 2, 2)
    top, left = random.integers(0, side - height), random.integers(0, side - width)
    chip = chip.copy()
    chip[top : top + height, left : left + width] = random.integers(0, 256, 3)
    return chip
