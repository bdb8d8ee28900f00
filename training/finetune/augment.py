"""Chips as another camera might have seen them: turned, tinted, darker, smaller, compressed.

A batch at a time, on the device that trains. The corruptions are those of
`training.evaluation.corruptions`, as arithmetic on whole batches.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.features.extractor import CHIP_FACE

_TILT_DEG, _MAX_TILT_DEG = 8.0, 25.0  # deviation; an aligner leaves a few degrees
_SCALE, _SHIFT = 0.10, 0.05  # deviations, of the chip's size
_CAST, _GAIN, _GAMMA = 0.04, 0.15, 0.2  # deviations of logarithms
_DARK, _GREY, _NARROWED, _BLURRED, _COMPRESSED, _ERASED = 0.1, 0.1, 0.25, 0.1, 0.3, 0.25  # shares
_NARROWEST_PX = 26  # side of the smallest chip that one is enlarged from
_BLUR_PX, _QUALITY = (0.5, 3.0), (15, 80)
_LUMA_BGR = (0.114, 0.587, 0.299)  # ITU-T T.871, with the two rows of chroma
_TO_YCC = ((0.114, 0.587, 0.299), (0.5, -0.331264, -0.168736), (-0.081312, -0.418688, 0.5))
_BLOCK = 8  # of a JPEG
# Tables K.1 and K.2 of ITU-T T.81.
_LUMINANCE = """
16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100
103 99"""
_CHROMINANCE = """
17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99"""


def augment(chips: Tensor, random: np.random.Generator) -> Tensor:
    """The chips, each changed in its own way.

    Args:
        chips: `(n, 3, side, side)` float32 BGR, 0 to 255.
        random: the same state gives the same pictures.
    """
    side = chips.shape[-1]

    def shrunk(some: Tensor) -> Tensor:
        widths = np.exp(random.uniform(np.log(_NARROWEST_PX), np.log(side), len(some)))
        return narrowed(some, widths * CHIP_FACE)

    def unsharp(some: Tensor) -> Tensor:
        return blurred(some, random.uniform(*_BLUR_PX, len(some)))

    def as_jpeg(some: Tensor) -> Tensor:
        return compressed(some, random.integers(*_QUALITY, len(some)))

    images = _tinted(_moved(chips, random), random)
    images = _some(images, _GREY, random, grey)
    images = _some(images, _NARROWED, random, shrunk)
    images = _some(images, _BLURRED, random, unsharp)
    images = _some(images, _COMPRESSED, random, as_jpeg)
    return _some(images, _ERASED, random, lambda some: _erased(some, random))


def narrowed(chips: Tensor, widths_px: NDArray[np.float64]) -> Tensor:
    """As they would be, had their faces been so wide in the picture `(n,)`: shrunk, enlarged."""
    side = chips.shape[-1]
    small = _tensor(np.clip(np.rint(widths_px / CHIP_FACE), 1, side), chips)[:, None, None]
    down, across = _places(chips)
    # Each small pixel is the mean of what it covers; each large one lies between two small ones.
    left, right = down * side / small, (down + 1) * side / small
    covered = (torch.minimum(right, across + 1) - torch.maximum(left, across)).clamp(0, 1)
    shrinking = torch.where(down < small, covered * small / side, 0)
    place = ((down + 0.5) * small / side - 0.5).clamp(min=0)
    enlarging = (1 - (torch.minimum(place, small - 1) - across).abs()).clamp(0, 1)
    return _through(chips, enlarging @ shrinking)


def blurred(chips: Tensor, deviations_px: NDArray[np.float64]) -> Tensor:
    """Out of focus, `(n,)`."""
    down, across = _places(chips)
    distances = (down - across) / _tensor(deviations_px, chips)[:, None, None]
    return _through(chips, (-(distances**2) / 2).softmax(dim=2))


def compressed(chips: Tensor, qualities: NDArray[np.int64]) -> Tensor:
    """As JPEGs of these qualities, 1 to 100, show them; chroma in half the size."""
    side = chips.shape[-1]
    border = -side % (2 * _BLOCK)
    padded = functional.pad(chips, (0, border, 0, border), mode="replicate")
    to_ycc = _tensor(np.array(_TO_YCC), chips)
    ycc = torch.einsum("ck,nkyx->ncyx", to_ycc, padded)
    scales = np.where(qualities < 50, 50 / qualities, 2 - qualities / 50)[:, None, None]
    tables = [
        _tensor(np.clip(np.rint(table * scales), 1, 255), chips)
        for table in (_table(_LUMINANCE), _table(_CHROMINANCE))
    ]
    luma = _quantised(ycc[:, :1] - 128, tables[0]) + 128
    chroma = _quantised(functional.avg_pool2d(ycc[:, 1:], 2), tables[1])
    chroma = functional.interpolate(chroma, scale_factor=2, mode="bilinear")
    to_bgr = _tensor(np.linalg.inv(np.array(_TO_YCC)), chips)
    bgr = torch.einsum("ck,nkyx->ncyx", to_bgr, torch.cat([luma, chroma], dim=1))
    return bgr[..., :side, :side].clamp(0, 255)


def grey(chips: Tensor) -> Tensor:
    """Without colour."""
    weights = _tensor(np.array(_LUMA_BGR), chips)
    return (chips * weights[:, None, None]).sum(dim=1, keepdim=True).expand_as(chips)


def _moved(chips: Tensor, random: np.random.Generator) -> Tensor:
    """Flipped, turned, scaled and shifted, in one step; what is beyond the edge is as the edge."""
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
    grid = functional.affine_grid(_tensor(matrices, chips), list(chips.shape), align_corners=False)
    return functional.grid_sample(
        chips, grid, mode="bilinear", padding_mode="border", align_corners=False
    )


def _tinted(chips: Tensor, random: np.random.Generator) -> Tensor:
    """In other light: brightness, contrast, a colour cast; now and then dark."""
    count = len(chips)
    gains = np.exp(random.normal(0, _GAIN, (count, 1)) + random.normal(0, _CAST, (count, 3)))
    dark = random.random((count, 1)) < _DARK
    gains = np.where(dark, gains * random.uniform(0.15, 0.6, (count, 1)), gains)
    gammas = np.exp(random.normal(0, _GAMMA, count))
    gain, gamma = _tensor(gains[:, :, None, None], chips), _tensor(gammas, chips)
    light = (chips.clamp(0, 255) / 255) ** gamma[:, None, None, None]
    return (light * gain * 255).clamp(0, 255)


def _erased(chips: Tensor, random: np.random.Generator) -> Tensor:
    """A rectangle of each is hidden (Zhong et al., Random Erasing Data Augmentation, AAAI 2020)."""
    side, count = chips.shape[-1], len(chips)
    sizes = random.integers(side // 8, side // 2, (count, 2))
    starts = np.floor(random.random((count, 2)) * (side - sizes)).astype(int)
    places = np.arange(side)
    rows, columns = (
        (places >= starts[:, [axis]]) & (places < starts[:, [axis]] + sizes[:, [axis]])
        for axis in (0, 1)
    )
    hidden = torch.from_numpy(rows[:, None, :, None] & columns[:, None, None, :])
    colours = _tensor(random.integers(0, 256, (count, 3, 1, 1)), chips)
    return torch.where(hidden.to(chips.device), colours, chips)


def _some(
    chips: Tensor, share: float, random: np.random.Generator, change: Callable[[Tensor], Tensor]
) -> Tensor:
    """Some of them are changed, drawn at random."""
    count = round(share * len(chips))
    if not count:
        return chips
    chosen = torch.from_numpy(random.permutation(len(chips))[:count]).to(chips.device)
    return chips.index_copy(0, chosen, change(chips[chosen]))


def _places(chips: Tensor) -> tuple[Tensor, Tensor]:
    """The numbers of the rows, `(side, 1)`, and of the columns, `(1, side)`."""
    places = torch.arange(chips.shape[-1], dtype=torch.float32, device=chips.device)
    return places[:, None], places[None]


def _through(chips: Tensor, matrices: Tensor) -> Tensor:
    """Each plane, down and across, through the matrix of its chip, `(n, side, side)`."""
    each = matrices[:, None]
    return each @ chips @ each.transpose(2, 3)


def _quantised(planes: Tensor, tables: Tensor) -> Tensor:
    """The planes as their blocks' cosines are, rounded by the table of each item `(n, 8, 8)`."""
    count, channels, height, width = planes.shape
    blocks = planes.reshape(count, channels, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
    cosines = _tensor(_cosines(), planes)
    found = torch.einsum("uy,vx,ncjyix->ncjuiv", cosines, cosines, blocks)
    steps = tables[:, None, None, :, None, :]
    rounded = torch.round(found / steps) * steps
    back = torch.einsum("uy,vx,ncjuiv->ncjyix", cosines, cosines, rounded)
    return back.reshape(planes.shape)


@cache
def _cosines() -> NDArray[np.float64]:
    """The orthonormal cosine transform, `(8, 8)`: frequency, place."""
    places = np.arange(_BLOCK)
    waves = np.cos((2 * places + 1) * places[:, None] * np.pi / (2 * _BLOCK))
    return waves * np.where(places[:, None] == 0, (1 / _BLOCK) ** 0.5, (2 / _BLOCK) ** 0.5)


def _table(text: str) -> NDArray[np.float64]:
    return np.array(text.split(), dtype=np.float64).reshape(_BLOCK, _BLOCK)


def _tensor(array: NDArray[np.generic], like: Tensor) -> Tensor:
    return torch.from_numpy(array.astype(np.float32)).to(like.device, non_blocking=True)
