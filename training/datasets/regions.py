"""Parts of pictures as names of files: `a.jpg#xywh=120,80,64,64`, as W3C's media fragments have it.

So each marked face of a picture is a sample of its own, which tables and caches tell apart.
"""

import math
import os
import re
from pathlib import Path
from typing import NamedTuple

_FRAGMENT = re.compile(r"(.+)#xywh=(\d{1,6}),(\d{1,6}),(\d{1,6}),(\d{1,6})", re.DOTALL)
"""The name of a picture, then left, top, width and height of a part of it, px."""

_MAX_PX = 999_999
"""How far a box may reach, px: what a name holds, and farther than any picture."""


class Region(NamedTuple):
    """A part of a picture, px."""

    left: int
    top: int
    width: int
    height: int


def region_of(box_xyxy: tuple[float, float, float, float]) -> Region | None:
    """A box in whole px, cut off at the left and at the top; None where nothing is left."""
    if not all(map(math.isfinite, box_xyxy)):
        return None
    left, top, right, bottom = (round(min(max(edge, 0), _MAX_PX)) for edge in box_xyxy)
    if right <= left or bottom <= top:
        return None
    return Region(left, top, right - left, bottom - top)


def region_name(file: str, region: Region) -> str:
    """The name of a part of a picture."""
    return f"{file}#xywh={','.join(map(str, region))}"


def named_region(path: Path) -> tuple[Path, Region | None]:
    """The picture that a name is of, and the part of it; None for all of it, as where a file has
    that very name.
    """
    found = _FRAGMENT.fullmatch(path.name)
    if found is None or os.path.exists(path):  # unlike Path.exists it takes any name
        return path, None
    return path.with_name(found[1]), Region(*map(int, found.groups()[1:]))
