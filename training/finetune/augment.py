"""Random augmentation of faces: moved, recoloured, downscaled, blurred, compressed, erased.

It works on a whole batch, on the device that trains. The embedder that ships was trained with the
values below. A greater one makes faces more varied and harder to learn from, unless it says
otherwise.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.features.extractor import CHIP_FACE_SHARE
from training.finetune.batch_corruptions import as_tensor, blur, downscale, grayscale, jpeg

_TILT_DEG = 8.0
"""Standard deviation of the rotation of a face, degrees; an aligner leaves a few."""

_MAX_TILT_DEG = 25.0
"""Rotation of a face at most, degrees; more shows faces as no aligner would."""

_SCALE = 0.10
"""Standard deviation of the natural logarithm of a face's scale."""

_SHIFT = 0.05
"""Standard deviation of the shift of a face in x and in y, as a share of the side of a chip."""

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

_DOWNSCALED_SHARE = 0.25
"""Share of the faces, 0 to 1, that are downscaled, as faces far from the camera are."""

_MIN_DOWNSCALED_PX = 26
"""Side of the smallest chip that a downscaled one is enlarged from, px: a face of some 17 px, whose
chip it is with padding 0.25; less shows smaller faces."""

_BLURRED_SHARE = 0.1
"""Share of the faces, 0 to 1, that are blurred."""

_BLUR_PX = (0.5, 3.0)
"""Least and greatest standard deviation of the Gaussian blur, px of the chip."""

_JPEG_SHARE = 0.3
"""Share of the faces, 0 to 1, that are compressed as a JPEG."""

_JPEG_QUALITY = (15, 80)
"""Least quality of a compressed face, and the first above the greatest, of 1 to 100; lower is
worse."""

_ERASED_SHARE = 0.25
"""Share of the faces, 0 to 1, of which a rectangle is erased, as if something hid it."""


def augment(chips: Tensor, random: np.random.Generator) -> Tensor:
    """The chips, each changed at random.

    Args:
        chips: `(n, 3, side, side)` float32 BGR, 0 to 255.
        random: generator; the same state gives the same chips.
    """
    side = chips.shape[-1]

    def random_downscale(chosen: Tensor) -> Tensor:
        widths = np.exp(random.uniform(np.log(_MIN_DOWNSCALED_PX), np.log(side), len(chosen)))
        return downscale(chosen, widths * CHIP_FACE_SHARE)

    def random_blur(chosen: Tensor) -> Tensor:
        return blur(chosen, random.uniform(*_BLUR_PX, len(chosen)))

    def random_jpeg(chosen: Tensor) -> Tensor:
        return jpeg(chosen, random.integers(*_JPEG_QUALITY, len(chosen)))

    images = _colour_jitter(_random_affine(chips, random), random)
    images = _apply_to_share(images, _GREY_SHARE, random, grayscale)
    images = _apply_to_share(images, _DOWNSCALED_SHARE, random, random_downscale)
    images = _apply_to_share(images, _BLURRED_SHARE, random, random_blur)
    images = _apply_to_share(images, _JPEG_SHARE, random, random_jpeg)
    return _apply_to_share(
        images, _ERASED_SHARE, random, lambda chosen: _random_erasing(chosen, random)
    )


def _random_affine(chips: Tensor, random: np.random.Generator) -> Tensor:
    """Flipped, rotated, scaled and shifted, in one step; beyond an edge its pixels are repeated."""
    count = len(chips)
    tilt = np.clip(random.normal(0, _TILT_DEG, count), -_MAX_TILT_DEG, _MAX_TILT_DEG)
    scale = np.exp(random.normal(0, _SCALE, count))
    flip = np.where(random.random(count) < 0.5, -1.0, 1.0)
    shift = random.normal(0, 2 * _SHIFT, (count, 2))  # a chip reaches from -1 to 1
    cos, sin = np.cos(np.deg2rad(tilt)) / scale, np.sin(np.deg2rad(tilt)) / scale
    matrices = np.stack(
        [np.stack([flip * cos, -flip * sin, shift[:, 0]], axis=1),
         np.stack([sin, cos, shift[:, 1]], axis=1)], axis=1
    )  # fmt: skip
    grid = functional.affine_grid(
        as_tensor(matrices, chips), list(chips.shape), align_corners=False
    )
    return functional.grid_sample(
        chips, grid, mode="bilinear", padding_mode="border", align_corners=False
    )


def _colour_jitter(chips: Tensor, random: np.random.Generator) -> Tensor:
    """In other light: brightness, contrast, a colour cast; a share of the chips dark."""
    count = len(chips)
    gains = np.exp(random.normal(0, _GAIN, (count, 1)) + random.normal(0, _CAST, (count, 3)))
    dark = random.random((count, 1)) < _DARK_SHARE
    gains = np.where(dark, gains * random.uniform(*_DARK_GAINS, (count, 1)), gains)
    gammas = np.exp(random.normal(0, _GAMMA, count))
    gain, gamma = as_tensor(gains[:, :, None, None], chips), as_tensor(gammas, chips)
    light = (chips.clamp(0, 255) / 255) ** gamma[:, None, None, None]
    return (light * gain * 255).clamp(0, 255)


def _random_erasing(chips: Tensor, random: np.random.Generator) -> Tensor:
    """A rectangle of each gets one colour.

    (Zhong et al., Random Erasing Data Augmentation, AAAI 2020.)
    """
    side, count = chips.shape[-1], len(chips)
    sizes = random.integers(side // 8, side // 2, (count, 2))
    starts = np.floor(random.random((count, 2)) * (side - sizes)).astype(int)
    places = np.arange(side)
    rows, columns = (
        (places >= starts[:, [axis]]) & (places < starts[:, [axis]] + sizes[:, [axis]])
        for axis in (0, 1)
    )
    hidden = torch.from_numpy(rows[:, None, :, None] & columns[:, None, None, :])
    colours = as_tensor(random.integers(0, 256, (count, 3, 1, 1)), chips)
    return torch.where(hidden.to(chips.device), colours, chips)


def _apply_to_share(
    chips: Tensor, share: float, random: np.random.Generator, change: Callable[[Tensor], Tensor]
) -> Tensor:
    """Changes a share of the chips, drawn at random."""
    count = round(share * len(chips))
    if not count:
        return chips
    chosen = torch.from_numpy(random.permutation(len(chips))[:count]).to(chips.device)
    return chips.index_copy(0, chosen, change(chips[chosen]))
