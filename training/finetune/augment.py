"""Random augmentation of faces: in other light, small, blurred, noisy, compressed, off their place.

What happens to a face on its way through a camera and a recording happens in that order, and at the
size that it has there: light, lens, sensor, coding. Then the aligner enlarges it, not quite in its
place. The corruptions are those by which reports measure a model. A greater value makes faces more
varied and harder to learn from, unless its line says otherwise.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from models.runtime import available_cores
from training.evaluation.corruptions import (
    blur,
    grayscale,
    jpeg,
    motion_blur,
    noise,
    shrink,
    warp_affine,
)
from training.evaluation.video_coding import code_h264
from training.features.extractor import CHIP_FACE_SHARE

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
"""Share of the faces, 0 to 1, that are as a video shows them: small, and what follows."""

_MIN_WIDTH_PX = 10.0
"""Width of the smallest face, px; the widths are drawn evenly in their logarithm, up to that of a
chip."""

_BLURRED_SHARE = 0.2
"""Share of the filmed faces, 0 to 1, that are out of focus."""

_BLUR = (0.004, 0.025)
"""Least and greatest standard deviation of that blur, as a share of the side of the chip."""

_MOVED_SHARE = 0.2
"""Share of the filmed faces, 0 to 1, that moved while the shutter was open."""

_MOTION = (0.01, 0.1)
"""Least and greatest way that such a face moved, as a share of the side of the chip."""

_NOISY_SHARE = 0.25
"""Share of the filmed faces, 0 to 1, with the noise of a sensor in little light."""

_NOISE = (2.0, 16.0)
"""Least and greatest standard deviation of that noise, levels of 255."""

_JPEG_SHARE = 0.2
"""Share of the faces, 0 to 1, that are compressed as a JPEG."""

_JPEG_QUALITY = (15, 91)
"""Least quality of a JPEG, and the first above the greatest, of 1 to 100; lower is worse."""

_CODED_SHARE = 0.8
"""Share of the filmed faces, 0 to 1, that are coded as H.264."""

_CRF = (18, 39)
"""Least rate factor of H.264, and the first above the greatest; 28 is ordinary."""

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

_Chips: TypeAlias = list[Image]


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
    shown = _each_of_share(shown, _GREY_SHARE, random, grayscale)
    shown = _each_of_share(
        shown, _JPEG_SHARE, random, lambda chip: jpeg(chip, int(random.integers(*_JPEG_QUALITY)))
    )
    shown = _share(shown, _FILMED_SHARE, random, lambda chosen: _film(chosen, random))
    shown = [_align(chip, side, random) for chip in shown]
    shown = _each_of_share(shown, _ERASED_SHARE, random, lambda chip: _erase(chip, random))
    return np.stack(shown)


def _film(chips: _Chips, random: np.random.Generator) -> _Chips:
    """The chips as they are in a video, of the sizes that they have there."""

    def random_shrink(chip: Image) -> Image:
        widths = np.log((_MIN_WIDTH_PX, len(chip) * CHIP_FACE_SHARE))
        return shrink(chip, float(np.exp(random.uniform(*widths))))

    def random_blur(chip: Image) -> Image:
        return blur(chip, random.uniform(*_BLUR) * len(chip))

    def random_motion(chip: Image) -> Image:
        return motion_blur(chip, random.uniform(*_MOTION) * len(chip), random.uniform(0, 180))

    # 1. Lens and shutter, 2. sensor, 3. coding.
    shown = [random_shrink(chip) for chip in chips]
    shown = _each_of_share(shown, _BLURRED_SHARE, random, random_blur)
    shown = _each_of_share(shown, _MOVED_SHARE, random, random_motion)
    shown = _each_of_share(
        shown, _NOISY_SHARE, random, lambda chip: noise(chip, random.uniform(*_NOISE), random)
    )
    crf = int(random.integers(*_CRF))
    return _share(shown, _CODED_SHARE, random, lambda chosen: code_h264(chosen, crf))


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


def _share(
    chips: _Chips, share: float, random: np.random.Generator, change: Callable[[_Chips], _Chips]
) -> _Chips:
    """Changes a share of the chips, drawn at random; of few chips, that share on average."""
    count = int(share * len(chips) + random.random())
    chosen = random.permutation(len(chips))[:count].tolist()
    changed = dict(zip(chosen, change([chips[each] for each in chosen]), strict=True))
    return [changed.get(number, chip) for number, chip in enumerate(chips)]


def _each_of_share(
    chips: _Chips, share: float, random: np.random.Generator, change: Callable[[Image], Image]
) -> _Chips:
    """Changes a share of the chips, each by itself."""
    return _share(chips, share, random, lambda chosen: [change(each) for each in chosen])
