"""Tables of a log, Parquet or CSV, read part by part: only the columns that are needed, each of its
type.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from models.classification.label_names import CONFIDENCE, MAX_CLASSES
from models.safe_files import UnfitFileError, open_regular
from stream.errors import SourceError
from stream.sinks.data.log_lines import LogHeader, checked_header
from stream.sinks.data.table_file import Columns
from stream.sinks.data.tables import HEADER_NOTE, face_columns, person_columns, track_columns

_ROWS = 65_536
"""Rows that are read at a time; more take more memory."""

_MAX_COLUMNS = len(face_columns({})) + 4 * MAX_CLASSES
"""Columns of a table at most."""

_CSV_BLOCK_BYTES = 4 << 20
"""Bytes of CSV that are read at a time; more take more memory."""

_HEADER_BYTES = 1 << 20
"""Length of the first line of CSV at most, bytes."""

_REASON_LETTERS = 160
"""Letters at most of what Arrow says of a damage."""


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Translates whatever a file that is none, or a damaged one, makes Arrow say.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        with open_regular(path):
            pass
        yield
    except UnfitFileError as error:
        raise SourceError(f"{path} {error}") from error
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError, TypeError) as error:
        reason = " ".join(str(error).split())[:_REASON_LETTERS]
        raise SourceError(f"{path} is not a log that can be read: {reason}") from error


def column_names(path: Path) -> list[str]:
    """The names of the columns of a table.

    Raises:
        ValueError: there are too many, or two of one name.
    """
    if _is_csv(path):
        with path.open(encoding="utf-8", newline="") as file:
            names = next(csv.reader([file.readline(_HEADER_BYTES)]), [])
    else:
        names = list(pq.read_schema(path).names)
    if len(names) > _MAX_COLUMNS:
        raise ValueError(f"it has {len(names)} columns")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has the column {twice!a} twice")
    return names


def header_of(path: Path) -> LogHeader | None:
    """What a log in JSON Lines begins with, from the metadata of a Parquet file; None where there
    is none, as in CSV.

    Raises:
        ValueError: it is damaged.
    """
    if _is_csv(path):
        return None
    note = (pq.read_metadata(path).metadata or {}).get(HEADER_NOTE.encode())
    return None if note is None else checked_header(note)


def classes_by_columns(columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The classes of each attribute, by the names of the columns.

    A column is of the attribute with the longest name that it begins with: `hat_colour_red` is of
    `hat_colour`, not of `hat`.
    """
    every = set(columns)
    names = [name for name in columns if f"{name}_{CONFIDENCE}" in every]
    no_classes = {*names, *(f"{name}_{CONFIDENCE}" for name in names)}
    found: dict[str, list[str]] = {name: [] for name in names}
    for column in columns:
        owners = [name for name in names if column.startswith(f"{name}_")]
        if owners and column not in no_classes:
            owner = max(owners, key=len)
            found[owner].append(column.removeprefix(f"{owner}_"))
    return {name: tuple(classes) for name, classes in found.items()}


def batches(
    path: Path, columns: Sequence[str], attributes: Mapping[str, Sequence[str]]
) -> Iterator[pa.RecordBatch]:
    """The rows of a table, part by part.

    Args:
        path: of faces, tracks or persons.
        columns: those that are read; a table has all of them.
        attributes: the classes of each attribute, which have columns.
    """
    types = _types(attributes)
    schema = pa.schema([(name, types[name]) for name in columns])
    if not _is_csv(path):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS, columns=list(columns)):
                yield batch.select(columns).cast(schema)
        return
    options = pa_csv.ConvertOptions(
        include_columns=list(columns),
        column_types=schema,
        null_values=[""],  # and not "NA" or "null" too, which may be names of classes
        strings_can_be_null=True,
    )
    blocks = pa_csv.ReadOptions(block_size=_CSV_BLOCK_BYTES, use_threads=False)
    with pa_csv.open_csv(path, read_options=blocks, convert_options=options) as reader:
        yield from reader


def _types(attributes: Mapping[str, Sequence[str]]) -> dict[str, pa.DataType]:
    """The type of each column of the three tables."""
    tables = (face_columns, track_columns, person_columns)
    every: Columns = {name: kind for each in tables for name, kind in each(attributes).items()}
    return {name: getattr(pa, kind)() for name, kind in every.items()}


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"
