"""Labelled pictures: the file of true boxes, read and checked."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from stream.benchmarks.label_table import LabelTable, open_label_table
from stream.errors import SourceError

UNNAMED_SET = "faces"
"""The name of the set of faces for which the file names none."""

_EDGES = ("left", "top", "right", "bottom")
"""The columns of a box, px of the picture."""

CONDITIONS = {"occluded": "occlusion", "turned": "pose", "light": "illumination"}
"""What makes a face hard to find, each with the column that says so, in which 0 or nothing
is ordinary. Columns and values are those of WIDER FACE (Yang et al., CVPR 2016)."""


@dataclass(frozen=True, slots=True)
class TrueBox:
    """A labelled face.

    Attributes:
        box_xyxy: left, top, right, bottom, px.
        ignored: whether it may be found or not, because it can hardly be told what it is.
        set_name: the set of pictures that it belongs to.
        conditions: what makes it hard to find, of `occluded`, `turned` and `light`.
    """

    box_xyxy: tuple[float, float, float, float]
    ignored: bool = False
    set_name: str = UNNAMED_SET
    conditions: frozenset[str] = frozenset()

    @property
    def width_px(self) -> float:
        """The width of its box, px."""
        return self.box_xyxy[2] - self.box_xyxy[0]


@dataclass(frozen=True, slots=True)
class TruePicture:
    """A labelled picture: its name below the folder, and all its faces; none where it has none."""

    name: str
    faces: tuple[TrueBox, ...] = ()


def read_truth(path: Path) -> list[TruePicture]:
    """The labelled pictures, by name.

    Args:
        path: a table with a row for each face: `file` and its box; `ignore`, `set` and the columns
            of conditions may be missing. A row without a box says that a picture has no face.

    Raises:
        SourceError: the file cannot be read, or a row of it is not of that form.
    """
    with open_label_table(path, {"file", *_EDGES}) as table:
        pictures = _by_picture(_faces(path, table), path)
    if not pictures:
        raise SourceError(f"{path} names no picture")
    return sorted(pictures, key=lambda each: each.name)


def _by_picture(rows: Iterable[tuple[str, TrueBox | None]], path: Path) -> list[TruePicture]:
    """The faces of each picture together."""
    pictures: dict[str, TruePicture] = {}
    without_face = set()
    for name, face in rows:
        picture = pictures.setdefault(name, TruePicture(name))
        if face is None:
            without_face.add(name)
        else:
            pictures[name] = replace(picture, faces=(*picture.faces, face))
    for name in without_face:
        if pictures[name].faces:
            raise SourceError(f"{path}: {name} has rows with a box and one without")
    return list(pictures.values())


def _faces(path: Path, table: LabelTable) -> Iterator[tuple[str, TrueBox | None]]:
    """The name of the picture of each row, and its face."""
    for row in table:
        name = row["file"]
        edges = [row[edge] for edge in _EDGES]
        if not name:
            raise SourceError(f"{path}, line {table.line_num}: `file` is empty")
        if not any(edges):
            yield name, None
            continue
        try:
            left, top, right, bottom = (float(edge) for edge in edges)
        except (TypeError, ValueError):
            left = top = right = bottom = math.nan
        if not (left < right and top < bottom and math.isfinite(right - left + bottom - top)):
            raise SourceError(
                f"{path}, line {table.line_num}: {', '.join(map(str, edges))} is no box; "
                f"it takes left, top, right, bottom in px, or nothing at all for no face"
            )
        yield name, _face((left, top, right, bottom), row)


def _face(box_xyxy: tuple[float, float, float, float], row: Mapping[str, str | None]) -> TrueBox:
    """The face of a row; a missing cell is as an empty one."""
    hard = {name for name, column in CONDITIONS.items() if (row.get(column) or "0") != "0"}
    return TrueBox(
        box_xyxy,
        ignored=(row.get("ignore") or "0") != "0",
        set_name=row.get("set") or UNNAMED_SET,
        conditions=frozenset(hard),
    )
