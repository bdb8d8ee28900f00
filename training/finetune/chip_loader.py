"""Loads faces as batches onto the device that trains."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.finetune.chip_store import ChipStore

_GPU_MEMORY_SHARE = 0.5
"""Share of a GPU's free memory up to which all faces are kept there; the rest is for training."""

_INFERENCE_BATCH = 256
"""Faces of a batch where nothing is learned."""


class ChipLoader:
    """Faces by number, as batches on a device. A GPU keeps all of them if they leave it room.

    Args:
        chips: the faces.
        device: where batches are wanted.
    """

    def __init__(self, chips: ChipStore, device: torch.device) -> None:
        self.device = device
        self._chips = chips
        self._on_gpu: Tensor | None = None
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if len(chips) * math.prod(chips.shape) < _GPU_MEMORY_SHARE * free:
                self._on_gpu = self._load_all()

    def __repr__(self) -> str:
        return f"ChipLoader({self._chips!r}, {self.device})"

    def batch(self, faces: NDArray[np.intp]) -> Tensor:
        """`(n, 3, side, side)` float32 BGR, 0 to 255, channels last in memory."""
        if self._on_gpu is None:
            read = np.stack([self._chips[face] for face in faces.tolist()])
            chosen = torch.from_numpy(read).to(self.device)
        else:
            chosen = self._on_gpu[torch.from_numpy(faces).to(self.device)]
        return chosen.permute(0, 3, 1, 2).float()

    def batches(self, faces: NDArray[np.intp]) -> Iterator[Tensor]:
        """All of these faces, 256 at a time."""
        for start in range(0, len(faces), _INFERENCE_BATCH):
            yield self.batch(faces[start : start + _INFERENCE_BATCH])

    def _load_all(self) -> Tensor:
        shape = len(self._chips), *self._chips.shape
        on_gpu = torch.empty(shape, dtype=torch.uint8, device=self.device)
        for start, part in self._chips.parts():
            on_gpu[start : start + len(part)] = torch.from_numpy(part).to(self.device)
        return on_gpu
