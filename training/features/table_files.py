"""Feature tables on disk: one Parquet file, or two CSV files for other programs."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.program.cells import text_cell
from models.safe_files import UnfitFileError, open_regular
from training.datasets.arrow_files import read_parquet
from training.datasets.labels import known
from training.datasets.samples import parse_split
from training.errors import DatasetError
from training.features.picture_hash import UNKNOWN
from training.features.table import Column, FeatureTable, TableInfo, schema_version
from training.outputs import written_aside

_METADATA_KEY = b"face_train"
"""Key of the description among the metadata of a Parquet file."""

_HASH = "picture_hash"
"""Column of the hashes of the pictures, which tables of versions 1 and 2 lack."""

_SHARPNESS = "sharpness"
"""Column of the sharpness of the chips, which tables of versions 1 to 3 lack."""

_FILMED = "filmed"
"""Column that says which rows are filmed, which tables of versions 1 to 4 lack: none is."""

_ADDED = {
    _HASH: (3, np.uint64(UNKNOWN)),
    _SHARPNESS: (4, np.float32(np.nan)),
    _FILMED: (5, np.False_),
}
"""Columns by the version that added them, and what stands there in a table of an earlier one."""

_NEVER_EMPTY = ("face", "mirrored", _FILMED, "face_px", _HASH)
"""Columns in which a table has a value in each row."""

_FIXED_COLUMNS = (
    *("file", "face", "mirrored", _FILMED, "identity", "split", "face_px"),
    *(_SHARPNESS, _HASH, "embedding"),
)
"""Columns that every table has, before those of the labels."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureRow:
    """One face as it goes into a table."""

    file: str
    face: int
    mirrored: bool
    identity: str | None
    split: str
    face_px: float
    embedding: NDArray[np.float32]
    labels: tuple[str | None, ...]
    picture_hash: int = UNKNOWN
    sharpness: float = math.nan
    filmed: bool = False


class TableWriter:
    """Takes rows group by group, so that a table of any size passes through little memory."""

    def __init__(self, writer: pq.ParquetWriter, schema: pa.Schema) -> None:
        self._writer = writer
        self._schema = schema

    def write(self, rows: Sequence[FeatureRow]) -> None:
        """Appends rows as a group of their own."""
        if not rows:
            return
        size = self._schema.field("embedding").type.list_size
        vectors = np.stack([row.embedding for row in rows]).reshape(-1)
        names = self._schema.names[len(_FIXED_COLUMNS) :]
        columns = [
            *([getattr(row, name) for row in rows] for name in _FIXED_COLUMNS[:-1]),
            pa.FixedSizeListArray.from_arrays(pa.array(vectors, pa.float32()), size),
            *([row.labels[index] for row in rows] for index in range(len(names))),
        ]
        arrays = [
            pa.array(column, field.type) if isinstance(column, list) else column
            for column, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))


@contextmanager
def table_writer(path: Path, info: TableInfo) -> Iterator[TableWriter]:
    """Writes a table aside; it becomes `path` when the body is through.

    Raises:
        OutputError: the disk refuses.
    """
    schema = _schema(info)
    with written_aside(path) as aside, pq.ParquetWriter(aside, schema) as writer:
        yield TableWriter(writer, schema)


def read_table(path: Path) -> FeatureTable:
    """Reads a feature table and checks it.

    Raises:
        DatasetError: there is none, it is truncated or of another kind, it is empty, or an
            embedding is not finite.
    """
    if path.is_dir():
        raise DatasetError(f"{path} is a folder: give the table that face-train features makes")
    if not path.exists():
        raise DatasetError(f"{path} does not exist: face-train features makes it")
    try:
        table = read_parquet(path)
        table, info = _as_written_today(table)
    except KeyError as error:
        reason = "face-train features did not write it, or its columns were changed"
        raise DatasetError(f"{path} is not a table of features: {reason}") from error
    except (UnfitFileError, pa.ArrowException, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DatasetError(f"{path} is damaged or not a table of features: {reason}") from error
    if not table.num_rows:
        raise DatasetError(f"{path} has no rows: no face was found in the dataset")
    try:
        return _checked(_from_arrow(table, info))
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from None


def _as_written_today(table: pa.Table) -> tuple[pa.Table, TableInfo]:
    """The table with the columns of today's version, and its description.

    Raises:
        KeyError: it has no description, or a column is missing.
        ValueError: the description is of another version, or a cell is empty that may not be.
    """
    description = (table.schema.metadata or {})[_METADATA_KEY]
    info, version = TableInfo.from_json(description), schema_version(description)
    for name, (added, unknown) in _ADDED.items():
        if version < added and name not in table.schema.names:
            table = table.append_column(name, pa.array(np.full(table.num_rows, unknown)))
    table = table.select([*_FIXED_COLUMNS, *info.attributes]).cast(_schema(info))
    for name in _NEVER_EMPTY:
        if table[name].null_count:
            raise ValueError(f"its column {name} has empty cells")
    return table, info


def is_table(path: Path) -> bool:
    """Whether a path is meant as a table of features, whatever its name ends in; a damaged one that
    is called `.parquet` too, so that it is named."""
    if path.is_dir():
        return False
    try:
        open_regular(path).close()
        return _METADATA_KEY in (pq.read_schema(path).metadata or {})
    except (UnfitFileError, pa.ArrowException, OSError):
        return path.suffix.lower() == ".parquet"


def write_csv(table: FeatureTable, features: Path, labels: Path) -> None:
    """The table as two CSV files, one line a face, as it was found.

    Args:
        table: what is written.
        features: gets the file and the values of the embedding.
        labels: gets the file, identity, split and labels.

    Raises:
        OutputError: the disk refuses.
    """
    chosen = table[table.as_found]
    numbers = [str(number) for number in range(table.info.dimensions)]
    vectors = chosen.embeddings.T
    files = _text_cells(chosen.files)
    columns = {"identity": chosen.identities, "split": chosen.splits, **chosen.labels}
    texts = {text_cell(name): _text_cells(column) for name, column in columns.items()}
    embedding = dict(zip(numbers, map(pa.array, vectors), strict=True))
    for path, content in ((features, embedding), (labels, texts)):
        with written_aside(path) as aside:
            pyarrow.csv.write_csv(pa.table({"file": files, **content}), aside)


def _text_cells(column: Column) -> pa.Array:
    """A column as a spreadsheet shows it as text; null where unknown."""
    cells = [None if cell is None else text_cell(cell) for cell in column.tolist()]
    return pa.array(cells, pa.string())


def _from_arrow(table: pa.Table, info: TableInfo) -> FeatureTable:
    embeddings = table["embedding"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    text = {
        name: np.array(table[name].to_pylist(), dtype=object)
        for name in ("file", "identity", "split", *info.attributes)
    }
    for name in ("identity", *info.attributes):  # an earlier version took NaN for a class
        text[name] = np.array([known(each) for each in text[name]], dtype=object)
    text["split"] = np.array([parse_split(each) for each in text["split"]], dtype=object)
    return FeatureTable(
        info=info,
        embeddings=embeddings.reshape(table.num_rows, -1),
        files=text["file"],
        faces=table["face"].to_numpy(),
        mirrored=table["mirrored"].to_numpy(),
        filmed=table[_FILMED].to_numpy(),
        identities=text["identity"],
        splits=text["split"],
        face_px=table["face_px"].to_numpy(),
        sharpness=table[_SHARPNESS].to_numpy(),
        labels={name: text[name] for name in info.attributes},
        picture_hashes=table[_HASH].to_numpy(),
    )


def _checked(table: FeatureTable) -> FeatureTable:
    if None in table.splits:
        raise DatasetError("a row names no split: write train or test, or make the table again")
    if not table.as_found.any():
        raise DatasetError("all of its faces are mirrored or filmed: make the table again")
    finite = np.isfinite(table.embeddings).all(axis=1)
    if not finite.all():
        count, first = int((~finite).sum()), table.files[~finite][0]
        raise DatasetError(
            f"{count} embeddings are not finite numbers, the first of {first}: make the table again"
        )
    return table


def _schema(info: TableInfo) -> pa.Schema:
    text = pa.string()
    number, flag = pa.float32(), pa.bool_()
    types = (text, pa.int32(), flag, flag, text, text, number, number, pa.uint64())
    fields = [
        *zip(_FIXED_COLUMNS[:-1], types, strict=True),
        ("embedding", pa.list_(pa.float32(), info.dimensions)),
        *((name, text) for name in info.attributes),
    ]
    return pa.schema(fields, metadata={_METADATA_KEY: info.to_json().encode()})
