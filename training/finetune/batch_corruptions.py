"""Corruptions of a batch of faces: downscaled, blurred, JPEG-compressed, grey.

They are those of `training.evaluation.corruptions`, as arithmetic on whole batches on any device.
"""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.features.extractor import CHIP_FACE_SHARE

_LUMA_BGR = (0.114, 0.587, 0.299)
"""Weights of blue, green and red in luma (ITU-T T.871)."""

_BGR_TO_YCC = (_LUMA_BGR, (0.5, -0.331264, -0.168736), (-0.081312, -0.418688, 0.5))
"""Weights of blue, green and red in luma and in the two planes of chroma (ITU-T T.871)."""

_BLOCK_PX = 8
"""Side of a block of a JPEG, px."""

_LUMA_STEPS = """
16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100
103 99"""
"""Quantisation steps of luma at quality 50 (ITU-T T.81, table K.1)."""

_CHROMA_STEPS = """
17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99"""
"""Quantisation steps of chroma at quality 50 (ITU-T T.81, table K.2)."""


def downscale(chips: Tensor, widths_px: NDArray[np.float64]) -> Tensor:
    """Each as if its face had been so wide in the picture, `(n,)` px: shrunk, then enlarged."""
    side = chips.shape[-1]
    small = as_tensor(np.clip(np.rint(widths_px / CHIP_FACE_SHARE), 1, side), chips)[:, None, None]
    down, across = _positions(chips)
    # Each small pixel is the mean of what it covers; each large one lies between two small ones.
    left, right = down * side / small, (down + 1) * side / small
    covered = (torch.minimum(right, across + 1) - torch.maximum(left, across)).clamp(0, 1)
    shrinking = torch.where(down < small, covered * small / side, 0)
    place = ((down + 0.5) * small / side - 0.5).clamp(min=0)
    enlarging = (1 - (torch.minimum(place, small - 1) - across).abs()).clamp(0, 1)
    return _apply_matrices(chips, enlarging @ shrinking)


def blur(chips: Tensor, deviations_px: NDArray[np.float64]) -> Tensor:
    """Each through a Gaussian blur of a standard deviation, `(n,)` px."""
    down, across = _positions(chips)
    distances = (down - across) / as_tensor(deviations_px, chips)[:, None, None]
    return _apply_matrices(chips, (-(distances**2) / 2).softmax(dim=2))


def jpeg(chips: Tensor, qualities: NDArray[np.int64]) -> Tensor:
    """Each as a JPEG of a quality, `(n,)`, 1 to 100, shows it; chroma has half the size."""
    side = chips.shape[-1]
    border = -side % (2 * _BLOCK_PX)
    padded = functional.pad(chips, (0, border, 0, border), mode="replicate")
    to_ycc = as_tensor(np.array(_BGR_TO_YCC), chips)
    ycc = torch.einsum("ck,nkyx->ncyx", to_ycc, padded)
    scales = np.where(qualities < 50, 50 / qualities, 2 - qualities / 50)[:, None, None]
    tables = [
        as_tensor(np.clip(np.rint(table * scales), 1, 255), chips)
        for table in (_quantisation_table(_LUMA_STEPS), _quantisation_table(_CHROMA_STEPS))
    ]
    luma = _quantise_blocks(ycc[:, :1] - 128, tables[0]) + 128
    chroma = _quantise_blocks(functional.avg_pool2d(ycc[:, 1:], 2), tables[1])
    chroma = functional.interpolate(chroma, scale_factor=2, mode="bilinear")
    to_bgr = as_tensor(np.linalg.inv(np.array(_BGR_TO_YCC)), chips)
    bgr = torch.einsum("ck,nkyx->ncyx", to_bgr, torch.cat([luma, chroma], dim=1))
    return bgr[..., :side, :side].clamp(0, 255)


def grayscale(chips: Tensor) -> Tensor:
    """Each without colour."""
    weights = as_tensor(np.array(_LUMA_BGR), chips)
    return (chips * weights[:, None, None]).sum(dim=1, keepdim=True).expand_as(chips)


def _positions(chips: Tensor) -> tuple[Tensor, Tensor]:
    """The numbers of the rows, `(side, 1)`, and of the columns, `(1, side)`."""
    places = torch.arange(chips.shape[-1], dtype=torch.float32, device=chips.device)
    return places[:, None], places[None]


def _apply_matrices(chips: Tensor, matrices: Tensor) -> Tensor:
    """Multiplies the columns and the rows of each chip by its matrix, `(n, side, side)`."""
    each = matrices[:, None]
    return each @ chips @ each.transpose(2, 3)


def _quantise_blocks(planes: Tensor, tables: Tensor) -> Tensor:
    """The planes with the DCT of each block rounded to steps, `(n, 8, 8)` for each chip."""
    count, channels, height, width = planes.shape
    blocks = planes.reshape(
        count, channels, height // _BLOCK_PX, _BLOCK_PX, width // _BLOCK_PX, _BLOCK_PX
    )
    cosines = as_tensor(_dct_matrix(), planes)
    found = torch.einsum("uy,vx,ncjyix->ncjuiv", cosines, cosines, blocks)
    steps = tables[:, None, None, :, None, :]
    rounded = torch.round(found / steps) * steps
    back = torch.einsum("uy,vx,ncjuiv->ncjyix", cosines, cosines, rounded)
    return back.reshape(planes.shape)


@cache
def _dct_matrix() -> NDArray[np.float64]:
    """The orthonormal discrete cosine transform, `(8, 8)`: frequency, place."""
    places = np.arange(_BLOCK_PX)
    waves = np.cos((2 * places + 1) * places[:, None] * np.pi / (2 * _BLOCK_PX))
    return waves * np.where(places[:, None] == 0, (1 / _BLOCK_PX) ** 0.5, (2 / _BLOCK_PX) ** 0.5)


def _quantisation_table(text: str) -> NDArray[np.float64]:
    return np.array(text.split(), dtype=np.float64).reshape(_BLOCK_PX, _BLOCK_PX)


def as_tensor(array: NDArray[np.generic], like: Tensor) -> Tensor:
    """A float32 tensor on the device of another."""
    return torch.from_numpy(array.astype(np.float32)).to(like.device, non_blocking=True)
