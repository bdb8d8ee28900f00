"""The views of a face that a table holds: as it was found, mirrored, and as a video shows it.

A classifier that is fitted on all of them answers faces of a video better, and clear ones no worse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.filming.corruptions import enlarge
from training.filming.film import film, random_widths

FILMED = 2
"""How often a face is filmed unless told otherwise; more take longer, for each is embedded."""


@dataclass(frozen=True, slots=True)
class View:
    """How a face is shown.

    Attributes:
        mirrored: it is flipped left to right.
        filmed: it is small, blurred, noisy and coded, as a video shows it.
    """

    mirrored: bool = False
    filmed: bool = False


def planned_views(*, mirror: bool, filmed: int) -> tuple[View, ...]:
    """The views of each face: as it was found first, then mirrored, then filmed.

    Args:
        mirror: it is shown mirrored too.
        filmed: how often it is filmed; where it is mirrored, every second time so.
    """
    sides = (False, True) if mirror else (False,)
    return (
        *(View(mirrored) for mirrored in sides),
        *(View(sides[number % len(sides)], filmed=True) for number in range(filmed)),
    )


def show(
    chips: NDArray[np.uint8],
    widths_px: NDArray[np.float32],
    views: Sequence[View],
    random: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The chips in each of the views, and how wide the faces are in them.

    Args:
        chips: `(n, side, side, 3)` uint8 BGR.
        widths_px: `(n,)`, how wide the faces are in their picture.
        views: m of them.
        random: what is drawn for those that are filmed, which share a video.

    Returns:
        `(m × n, side, side, 3)` and `(m × n,)`, view by view.
    """
    side = chips.shape[1]
    shown = [np.ascontiguousarray(chips[:, :, ::-1]) if view.mirrored else chips for view in views]
    widths = [widths_px] * len(views)
    filmed = [number for number, view in enumerate(views) if view.filmed]
    if filmed:
        before = [chip for number in filmed for chip in shown[number]]
        filmed_px = random_widths(before, random)
        after = np.stack([enlarge(chip, side) for chip in film(before, filmed_px, random)])
        parts = zip(np.split(after, len(filmed)), np.split(filmed_px, len(filmed)), strict=True)
        for number, (part, part_px) in zip(filmed, parts, strict=True):
            shown[number] = part
            widths[number] = np.minimum(widths_px, part_px).astype(np.float32)
    return np.concatenate(shown), np.concatenate(widths)
