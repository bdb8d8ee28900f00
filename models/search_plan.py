"""How the search of a picture is divided: which scales and rows each part looks at, and which
regions of them are searched together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.detector import MIN_SIDE_PX
from models.faces import sizes_wh
from models.pyramid import LEVEL_RATIO


@dataclass(frozen=True, slots=True)
class Band:
    """Some rows of the picture at one scale.

    Attributes:
        size_wh: of the whole picture at that scale, px.
        top, bottom: the rows whose windows it answers for.
    """

    size_wh: tuple[int, int]
    top: int
    bottom: int


@lru_cache(maxsize=64)
def search_plan(size_wh: tuple[int, int], parts: int) -> tuple[tuple[Band, ...], ...]:
    """The search of a picture of that size, in parts of about the same number of pixels.

    First comes every other level, then those between: a face that is missed for being between two
    sizes has another chance half a search later.
    """
    levels = list(_levels(size_wh))
    part_px = sum(width * height for width, height in levels) / parts
    plan: list[tuple[Band, ...]] = []
    for part in range(parts):
        bands, start_px = [], 0
        for width, height in levels[::2] + levels[1::2]:
            cuts_px = np.array([part * part_px, (part + 1) * part_px]) - start_px
            top, bottom = np.rint(cuts_px / width).clip(0, height).astype(int).tolist()
            if bottom > top:
                bands.append(Band((width, height), top, bottom))
            start_px += width * height
        plan.append(tuple(bands))
    return tuple(plan)


def _levels(size_wh: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The sizes at which a picture is searched, largest first."""
    width, height = size_wh
    ratio = float(LEVEL_RATIO)
    while min(width, height) >= MIN_SIDE_PX:
        yield width, height
        width, height = round(width * ratio), round(height * ratio)


def merged_regions(
    regions_xyxy: NDArray[np.float32], margin_px: float, call_px: float
) -> NDArray[np.float32]:
    """The same regions, `(n, 4)`, with those merged that cost less to search together than apart.

    Together they never cost more than one search of their common bounding box.

    Args:
        regions_xyxy: not many.
        margin_px: how far around a region the picture must be looked at.
        call_px: how many pixels cost as much as one more search.
    """
    regions = regions_xyxy
    while len(regions) > 1:
        low = np.minimum(regions[:, None, :2], regions[None, :, :2])
        high = np.maximum(regions[:, None, 2:], regions[None, :, 2:])
        together = (high - low + 2 * margin_px).prod(axis=-1) + call_px
        alone = together.diagonal()
        more = together - alone[:, None] - alone
        np.fill_diagonal(more, np.inf)
        one, other = divmod(int(more.argmin()), len(regions))
        if more[one, other] > 0:
            break
        both = np.concatenate([low[one, other], high[one, other]])
        regions = np.vstack([np.delete(regions, [one, other], axis=0), both])
    if len(regions) < 2:
        return regions
    bounds = np.concatenate([regions[:, :2].min(axis=0), regions[:, 2:].max(axis=0)])[None]
    at_once, apart = (
        ((sizes_wh(each) + 2 * margin_px).prod(axis=1) + call_px).sum()
        for each in (bounds, regions)
    )
    return bounds if at_once < apart else regions
