"""How good the view of a face is, as far as its picture shows: how wide it is and how sharp."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image


@dataclass(frozen=True, slots=True, eq=False)
class ViewQuality:
    """Of n views of faces.

    Attributes:
        widths_px: `(n,)` float32, width of the face in its picture; NaN where unknown.
        sharpness: `(n,)` float32, see `sharpness`; NaN where unknown.
    """

    widths_px: NDArray[np.float32]
    sharpness: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.widths_px.ndim != 1 or self.widths_px.shape != self.sharpness.shape:
            shapes = self.widths_px.shape, self.sharpness.shape
            raise ValueError(f"widths and sharpness should both be (n,), are {shapes}")

    def __len__(self) -> int:
        return len(self.widths_px)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Self:
        return type(self)(self.widths_px[chosen], self.sharpness[chosen])

    @classmethod
    def of(cls, chips: NDArray[np.uint8], widths_px: NDArray[np.float32]) -> Self:
        """Of aligned chips `(n, side, side, 3)`, whose faces were so wide in their pictures."""
        sharp = np.array([sharpness(chip) for chip in chips], dtype=np.float32)
        return cls(np.asarray(widths_px, dtype=np.float32), sharp)

    @classmethod
    def unknown(cls, count: int) -> Self:
        """Of that many views of which nothing is known."""
        return cls(*np.full((2, count), np.nan, dtype=np.float32))


def joined(parts: Sequence[ViewQuality]) -> ViewQuality:
    """That of all views of the parts, of which there is at least one."""
    return ViewQuality(
        np.concatenate([each.widths_px for each in parts]),
        np.concatenate([each.sharpness for each in parts]),
    )


def sharpness(chip: Image) -> float:
    """How much fine detail a chip holds against its contrast: the deviation of its Laplacian.

    A blurred face has little of it, and so has a small or a coarsely compressed one, which the
    aligner enlarged.
    """
    grey = cv2.cvtColor(chip, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F, ksize=3).std() / (grey.std() + 1))
