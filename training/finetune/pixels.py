"""The faces of a run, as its device takes them."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.finetune.chips import ChipStore


class Pixels:
    """Faces by number, as batches on a device. On a GPU all of them lie in its memory.

    Args:
        chips: the faces.
        device: where batches are wanted.
    """

    def __init__(self, chips: ChipStore, device: torch.device) -> None:
        self.device = device
        self._chips = chips
        self._there: Tensor | None = None
        if device.type == "cuda":
            self._there = torch.empty((len(chips), *chips.shape), dtype=torch.uint8, device=device)
            for start, some in chips.parts():
                self._there[start : start + len(some)] = torch.from_numpy(some).to(device)

    def __repr__(self) -> str:
        return f"Pixels({self._chips!r}, {self.device})"

    def batch(self, faces: NDArray[np.intp]) -> Tensor:
        """`(n, 3, side, side)` float32 BGR, 0 to 255, channels last in memory."""
        if self._there is None:
            chosen = torch.from_numpy(np.stack([self._chips[face] for face in faces.tolist()]))
        else:
            chosen = self._there[torch.from_numpy(faces).to(self.device)]
        return chosen.permute(0, 3, 1, 2).float()
