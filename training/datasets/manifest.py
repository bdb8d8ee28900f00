"""A list of pictures: CSV or Parquet with `file`, optional `identity` and `split`, and labels."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from models.program.cells import read_cell
from models.program.printable import shortened
from models.safe_files import UnfitFileError
from training.datasets.arrow_files import read_csv, read_parquet
from training.datasets.labels import known
from training.datasets.marked_table import is_marked_table
from training.datasets.samples import (
    Samples,
    is_split,
    parse_split,
    select_columns,
    unknown_column,
)
from training.errors import DatasetError

_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")
"""Suffixes of the files that can be read."""

_FILE = "file"
"""Column of the pictures."""

_IDENTITY = "identity"
"""Column of the people, which may be missing."""

_SPLIT = "split"
"""Column of the split, which may be missing."""

_KNOWN = (_FILE, _IDENTITY, _SPLIT)
"""The columns that are no labels, in any letter case."""

_MIN_ROWS = 20
"""Rows with a value, at least, by which a column is judged; of fewer, labels may all differ."""

_MAX_CLASS_SHARE = 0.5
"""Different values, at most, as a share of the rows that have one; a column of names, numbers or
notes has more, and would leave nothing to hold out."""

_INDEX = re.compile(r"|__index_level_.*|Unnamed: \d+")
"""Columns in which pandas kept the numbers of rows, which are passed over: what they are called
depends on how often the list was written and read again."""


def is_manifest(path: Path) -> bool:
    """Whether it is a CSV or Parquet file by its name, and not a table of marked faces."""
    is_list = path.is_file() and path.suffix.lower() in _SUFFIXES
    return is_list and not is_marked_table(path)


def read_manifest(path: Path, wanted: Sequence[str] | None = None) -> Samples:
    """Reads a list of pictures; an empty cell, or one that reads `NaN` or `?`, is an unknown label.

    Args:
        path: the list; the files in it are relative to its folder.
        wanted: the wanted label columns, all unless given.

    Raises:
        DatasetError: the list cannot be read, or lacks `file`, labels or a wanted column.
    """
    columns = _columns(path, wanted)
    if _FILE not in columns:
        have = ", ".join(columns) or "none"
        raise DatasetError(
            f"{path} has no column 'file'; it has {shortened(have, 200)}: call the column of the "
            "pictures file"
        )
    files = columns.pop(_FILE)
    if not files:
        raise DatasetError(f"{path} lists no pictures")
    if None in files:
        raise DatasetError(f"{path}: row {files.index(None) + 1} names no file")
    unknown = unknown_column(len(files))
    identities, splits = (
        tuple(None if each is None else known(each.strip()) for each in columns.pop(name, unknown))
        for name in (_IDENTITY, _SPLIT)
    )
    if not columns:
        raise DatasetError(f"{path} has no label columns beside file, identity and split")
    labels = {name: tuple(map(known, column)) for name, column in columns.items()}
    _check_labels(path, labels, wanted)
    return Samples(
        name=path.stem,
        root=path.parent,
        files=tuple(file.replace("\\", "/") for file in files if file is not None),
        labels=select_columns(labels, wanted),
        identities=identities,
        splits=_splits(path, splits),
    )


def _check_labels(
    path: Path, labels: Mapping[str, Sequence[str | None]], wanted: Sequence[str] | None
) -> None:
    """Raises DatasetError where a column that `--labels` does not name is hardly labels.

    1. It reads as a split, which would not be obeyed.
    2. It is one of numbers or of notes, and would be fitted.
    """
    for name, column in labels.items():
        given = [each for each in column if each is not None]
        if given and name not in (wanted or ()) and all(map(is_split, set(given))):
            raise DatasetError(
                f"{path}: the column {shortened(name)!r} reads as a split: call it split, or name "
                "it with --labels if it is a label"
            )
        differing = len(set(given))
        is_long = len(given) >= _MIN_ROWS
        if wanted is None and is_long and differing > _MAX_CLASS_SHARE * len(given):
            raise DatasetError(
                f"{path}: the column {shortened(name)!r} has {differing} different values in "
                f"{len(given)} rows, so it is hardly a label: name those that are with --labels"
            )


def _splits(path: Path, names: Sequence[str | None]) -> tuple[str | None, ...]:
    """The split of each row.

    Raises:
        DatasetError: a name means neither half.
    """
    found = {}
    for row, name in enumerate(names, start=1):
        if name not in found:
            try:
                found[name] = parse_split(name)
            except DatasetError as error:
                raise DatasetError(
                    f"{path}: row {row}: {error}; rename the column if it is of something else"
                ) from None
    return tuple(found[name] for name in names)


def _columns(path: Path, wanted: Sequence[str] | None) -> dict[str, tuple[str | None, ...]]:
    """The columns by name, but for those of numbers of rows, and for those that hold no text and
    are not wanted.

    Raises:
        DatasetError: the list cannot be read, two columns have one name, or one that may be wanted
            holds no text.
    """
    is_csv = path.suffix.lower() != ".parquet"
    try:
        table = read_csv(path, _FILE) if is_csv else read_parquet(path)
    except UnfitFileError as error:
        raise DatasetError(f"{path} cannot be read as a list of pictures: {error}") from error
    columns: dict[str, tuple[str | None, ...]] = {}
    for name in table.schema.names:
        called = _called(read_cell(name) if is_csv else name)
        if called in columns:
            raise DatasetError(f"{path} has two columns {called!r}: rename one")
        is_nested = pa.types.is_nested(table[name].type)
        if is_nested and (called in _KNOWN or wanted is None or called in wanted):
            raise DatasetError(
                f"{path}: the column {shortened(called)!r} holds {shortened(str(table[name].type))}"
                ", not text: write one text a row, or name the labels with --labels"
            )
        if not is_nested and not _INDEX.fullmatch(called):
            columns[called] = _cells(table[name].to_pylist(), is_csv)
    return columns


def _cells(values: Sequence[Any], is_csv: bool) -> tuple[str | None, ...]:
    """Cells as text, None where there is nothing; a cell of bytes holds UTF-8."""
    texts = (each.decode(errors="replace") if isinstance(each, bytes) else each for each in values)
    read = read_cell if is_csv else str
    return tuple(None if each is None else read(str(each)) for each in texts)


def _called(name: str) -> str:
    """The name of a column: without spaces around it, and the three known ones in small letters."""
    bare = name.strip()
    return bare.casefold() if bare.casefold() in _KNOWN else bare
