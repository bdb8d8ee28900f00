"""Loads faces as batches onto the device that trains."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.finetune.chip_store import ChipStore

_INFERENCE_BATCH = 256
"""Faces of a batch where nothing is learned."""


class ChipLoader:
    """Faces by number, as batches on a device.

    Args:
        chips: the faces.
        device: where batches are wanted.
    """

    def __init__(self, chips: ChipStore, device: torch.device) -> None:
        self.device = device
        self._chips = chips

    def __repr__(self) -> str:
        return f"ChipLoader({self._chips!r}, {self.device})"

    def read(self, faces: NDArray[np.intp]) -> NDArray[np.uint8]:
        """`(n, side, side, 3)` BGR, from the disk."""
        return np.stack([self._chips[face] for face in faces.tolist()])

    def to_device(self, chips: NDArray[np.uint8]) -> Tensor:
        """`(n, 3, side, side)` float32 BGR, 0 to 255, channels last in memory."""
        return torch.from_numpy(chips).to(self.device).permute(0, 3, 1, 2).float()

    def batch(self, faces: NDArray[np.intp]) -> Tensor:
        """These faces as they are, as a network takes them."""
        return self.to_device(self.read(faces))

    def batches(self, faces: NDArray[np.intp]) -> Iterator[Tensor]:
        """All of these faces, 256 at a time."""
        for start in range(0, len(faces), _INFERENCE_BATCH):
            yield self.batch(faces[start : start + _INFERENCE_BATCH])
