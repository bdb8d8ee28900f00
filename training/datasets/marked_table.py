"""A table of marked faces: `annotations.csv` with `file`, a box, perhaps `identity` and `split`,
and labels."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from models.annotation_files import BOX_COLUMNS, CONFIDENCE, CSV_FILE, IDENTITY, SPLIT
from models.program.cells import read_cell
from models.safe_files import UnfitFileError
from training.datasets.arrow_files import csv_columns, read_csv
from training.datasets.marked import MarkedFace, marked_samples
from training.datasets.samples import Samples
from training.errors import DatasetError

_FILE = "file"
"""Column of the pictures."""

_SUFFIXES = (".csv", ".tsv", ".txt")
"""Suffixes of a file that may be such a table."""

_NO_LABELS = (_FILE, IDENTITY, SPLIT, *BOX_COLUMNS)
"""The columns that are no labels, in any letter case."""


def is_marked_table(path: Path) -> bool:
    """Whether the folder has such a table, or the path is one, whatever it is called."""
    if path.is_dir():
        return (path / CSV_FILE).is_file()
    if path.suffix.lower() not in _SUFFIXES:
        return False
    try:
        columns = {_called(name) for name in csv_columns(path, _FILE)}
    except UnfitFileError:
        return False
    return columns >= {_FILE, *BOX_COLUMNS}


def read_marked_table(path: Path, wanted: Sequence[str] | None = None) -> Samples:
    """The faces of a table, a row each; an empty cell is an unknown label.

    Args:
        path: the table, beside its pictures, or the folder that it lies in.
        wanted: the wanted labels, all unless given.

    Raises:
        DatasetError: the table cannot be read, lacks a column, or no face has a label.
    """
    table = path / CSV_FILE if path.is_dir() else path
    try:
        read = read_csv(table, _FILE)
    except UnfitFileError as error:
        raise DatasetError(f"{table} cannot be read: {error}") from error
    names = [_called(name) for name in read.schema.names]
    if twice := [name for name in names if names.count(name) > 1]:
        raise DatasetError(f"{table} has two columns {twice[0]!r}: rename one")
    columns = read.rename_columns(names).to_pydict()
    if missing := [name for name in (_FILE, *BOX_COLUMNS) if name not in columns]:
        raise DatasetError(f"{table} has no column {missing[0]!r}, which a marked face needs")
    labels = [name for name in columns if _is_label(name, columns)]
    rows = (dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True))
    return marked_samples(table.parent, [_face(row, labels) for row in rows], wanted)


def _called(name: str) -> str:
    """The name of a column: without spaces around it, and the known ones in small letters."""
    bare = name.strip()
    return bare.casefold() if bare.casefold() in _NO_LABELS else bare


def _is_label(name: str, columns: Mapping[str, object]) -> bool:
    """Whether a column holds labels, and not what every face has, or how sure a label is."""
    sure_of = name.removesuffix(CONFIDENCE)
    is_confidence = sure_of != name and sure_of in columns
    return bool(name) and name not in _NO_LABELS and not is_confidence


def _face(row: Mapping[str, str | None], labels: Sequence[str]) -> MarkedFace:
    texts = {name: None if row[name] is None else read_cell(str(row[name])) for name in labels}
    file, *others = (read_cell(row.get(name) or "") for name in (_FILE, IDENTITY, SPLIT))
    return MarkedFace(file, _box(row), texts, *others)


def _box(row: Mapping[str, str | None]) -> tuple[float, float, float, float] | None:
    """The box of a row, in which a spreadsheet may have written decimal commas."""
    try:
        left, top, right, bottom = (
            float((row[name] or "").replace(",", ".")) for name in BOX_COLUMNS
        )
    except ValueError:
        return None
    return left, top, right, bottom
