"""The aligned faces of some rows of a feature table, read again from their pictures."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.networks.runtime import available_cores
from training.datasets.samples import Samples
from training.errors import DatasetError
from training.features.extractor import Extractor, read_picture
from training.features.table import FeatureTable

_GROUP = 32
"""Faces that are read and changed together: they share a video, and its rate factor."""

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class TablePictures:
    """The pictures of a table.

    Attributes:
        samples: the dataset that it was made of.
        extractor: finds and embeds the faces as was done for it.
    """

    samples: Samples
    extractor: Extractor


@dataclass(frozen=True, slots=True, eq=False)
class ChipGroup:
    """n faces of a table.

    Attributes:
        rows: `(n,)`, their rows.
        chips: `(n, side, side, 3)` uint8 BGR.
        widths_px: `(n,)` float32, width of each face in its picture.
    """

    rows: NDArray[np.intp]
    chips: NDArray[np.uint8]
    widths_px: NDArray[np.float32]


def of_groups(
    table: FeatureTable,
    rows: NDArray[np.intp],
    pictures: TablePictures,
    work: Callable[[ChipGroup], _Result],
) -> Iterator[tuple[int, _Result]]:
    """What becomes of the faces, group by group in the order of the rows, and how many rows each
    group has. Several groups are at work at once; faces that are not found again are left out.

    Raises:
        DatasetError: none of the faces is found: the pictures are not those of the table.
    """
    groups = [rows[start : start + _GROUP] for start in range(0, len(rows), _GROUP)]
    found_any = False
    with ThreadPoolExecutor(available_cores()) as pool:

        def one(group: NDArray[np.intp]) -> _Result | None:
            faces = _read(table, group, pictures)
            return work(faces) if len(faces.rows) else None

        for group, result in zip(groups, pool.map(one, groups), strict=True):
            if result is not None:
                found_any = True
                yield len(group), result
    if not found_any:
        raise DatasetError(f"{pictures.samples.root} has none of the pictures of the table")


def _read(table: FeatureTable, rows: NDArray[np.intp], pictures: TablePictures) -> ChipGroup:
    found: list[int] = []
    chips, widths = [], []
    for row in rows.tolist():
        content = read_picture(pictures.samples.root / table.files[row])
        picture = pictures.extractor.chips(content)
        face = int(table.faces[row])
        if face < len(picture.chips):
            found.append(row)
            chips.append(picture.chips[face])
            widths.append(picture.face_px[face])
    stacked = np.stack(chips) if chips else np.zeros((0, 1, 1, 3), dtype=np.uint8)
    return ChipGroup(np.array(found, dtype=np.intp), stacked, np.array(widths, dtype=np.float32))
