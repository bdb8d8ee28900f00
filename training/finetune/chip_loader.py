"""The faces of a run, as its device takes them."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.finetune.chip_store import ChipStore

_KEPT = 0.5  # of a GPU's free memory, that faces may take
_LOOKED_AT = 256  # faces a call where nothing is learned


class Pixels:
    """Faces by number, as batches on a device. A GPU keeps all of them if they leave it room.

    Args:
        chips: the faces.
        device: where batches are wanted.
    """

    def __init__(self, chips: ChipStore, device: torch.device) -> None:
        self.device = device
        self._chips = chips
        self._there: Tensor | None = None
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if len(chips) * math.prod(chips.shape) < _KEPT * free:
                self._there = self._all()

    def __repr__(self) -> str:
        return f"Pixels({self._chips!r}, {self.device})"

    def batch(self, faces: NDArray[np.intp]) -> Tensor:
        """`(n, 3, side, side)` float32 BGR, 0 to 255, channels last in memory."""
        if self._there is None:
            read = np.stack([self._chips[face] for face in faces.tolist()])
            chosen = torch.from_numpy(read).to(self.device)
        else:
            chosen = self._there[torch.from_numpy(faces).to(self.device)]
        return chosen.permute(0, 3, 1, 2).float()

    def batches(self, faces: NDArray[np.intp]) -> Iterator[Tensor]:
        """All of these faces, some at a time."""
        for start in range(0, len(faces), _LOOKED_AT):
            yield self.batch(faces[start : start + _LOOKED_AT])

    def _all(self) -> Tensor:
        shape = len(self._chips), *self._chips.shape
        there = torch.empty(shape, dtype=torch.uint8, device=self.device)
        for start, some in self._chips.parts():
            there[start : start + len(some)] = torch.from_numpy(some).to(self.device)
        return there
