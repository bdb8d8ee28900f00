"""A table of marked faces: `annotations.csv` with `file`, a box, perhaps `identity`, and labels."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from models.annotation_files import BOX_COLUMNS, CONFIDENCE, CSV_FILE, IDENTITY
from models.program.cells import read_cell
from models.safe_files import UnfitFileError
from training.datasets.arrow_files import read_csv
from training.datasets.marked import MarkedFace, marked_samples
from training.datasets.samples import Samples
from training.errors import DatasetError

_FILE = "file"
"""Column of the pictures."""


def is_marked_table(path: Path) -> bool:
    """Whether the folder has such a table."""
    return path.is_dir() and (path / CSV_FILE).is_file()


def read_marked_table(path: Path, wanted: Sequence[str] | None = None) -> Samples:
    """The faces of a table, a row each; an empty cell is an unknown label.

    Args:
        path: the folder of the table and its pictures.
        wanted: the wanted labels, all unless given.

    Raises:
        DatasetError: the table cannot be read, lacks a column, or no face has a label.
    """
    table = path / CSV_FILE
    try:
        columns = read_csv(table, _FILE).to_pydict()
    except UnfitFileError as error:
        raise DatasetError(f"{table} cannot be read: {error}") from error
    if missing := [name for name in (_FILE, *BOX_COLUMNS) if name not in columns]:
        raise DatasetError(f"{table} has no column {missing[0]!r}, which a marked face needs")
    labels = [name for name in columns if _is_label(name, columns)]
    rows = (dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True))
    return marked_samples(path, [_face(row, labels) for row in rows], wanted)


def _is_label(name: str, columns: Mapping[str, object]) -> bool:
    """Whether a column holds labels, and not what every face has, or how sure a label is."""
    sure_of = name.removesuffix(CONFIDENCE)
    is_confidence = sure_of != name and sure_of in columns
    return bool(name) and name not in (_FILE, IDENTITY, *BOX_COLUMNS) and not is_confidence


def _face(row: Mapping[str, str | None], labels: Sequence[str]) -> MarkedFace:
    texts = {name: None if row[name] is None else read_cell(str(row[name])) for name in labels}
    file, identity = (read_cell(row.get(name) or "") for name in (_FILE, IDENTITY))
    return MarkedFace(file, _box(row), texts, identity)


def _box(row: Mapping[str, str | None]) -> tuple[float, float, float, float] | None:
    """The box of a row, in which a spreadsheet may have written decimal commas."""
    try:
        left, top, right, bottom = (
            float((row[name] or "").replace(",", ".")) for name in BOX_COLUMNS
        )
    except ValueError:
        return None
    return left, top, right, bottom
