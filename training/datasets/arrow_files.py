"""CSV and Parquet files from elsewhere, read as tables of a bounded size."""

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from models.safe_files import UnfitFileError, open_regular

_MAX_ROWS = 20_000_000
"""Rows of a table at most; the largest list of labelled faces that is published has 10 million."""

_MAX_COLUMNS = 1_000
"""Columns of a table at most."""

_HEAD_BYTES = 1 << 16
"""Bytes of a file that are looked at to find out how it is written; a header is shorter."""

_UTF_8 = "utf-8"
"""The encoding of a text without another one's mark."""

_DELIMITERS = (",", ";", "\t", "|")
"""What may separate cells, in the order in which it is tried; the first where none fits."""

_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?")
"""The first line with which spreadsheets name the separator."""


def read_parquet(path: Path) -> pa.Table:
    """A Parquet file as a table.

    Raises:
        UnfitFileError: it cannot be read, or is too large.
    """
    open_regular(path).close()
    try:
        metadata = pq.read_metadata(path)
        if metadata.num_rows > _MAX_ROWS or metadata.num_columns > _MAX_COLUMNS:
            raise UnfitFileError(
                f"it has {metadata.num_rows} rows and {metadata.num_columns} columns, more than "
                f"{_MAX_ROWS} and {_MAX_COLUMNS}"
            )
        return _checked(pq.read_table(path))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnfitFileError(_reason(error)) from error


def csv_columns(path: Path, known_column: str) -> tuple[str, ...]:
    """The names of the columns of a CSV file, which is read as `read_csv` does.

    Raises:
        UnfitFileError: it cannot be read.
    """
    try:
        return tuple(pyarrow.csv.open_csv(path, **_options(_form(path, known_column))).schema.names)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnfitFileError(_reason(error)) from error


def read_csv(path: Path, known_column: str) -> pa.Table:
    """A CSV file as a table of text; an empty cell is null.

    Cells are separated by commas, semicolons, tabs or bars, whichever finds the known column in the
    header, or by what a first line `sep=;` names. The text is UTF-8, or UTF-16 with its mark.

    Args:
        path: the file.
        known_column: a column that is expected, in any letter case.

    Raises:
        UnfitFileError: it cannot be read, or is too large.
    """
    form = _form(path, known_column)
    options = _options(form)
    try:
        names = pyarrow.csv.open_csv(path, **options).schema.names
        if len(names) > _MAX_COLUMNS:
            raise UnfitFileError(f"it has {len(names)} columns, more than {_MAX_COLUMNS}")
        _check_names(names)
        as_text = pyarrow.csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            strings_can_be_null=True,
            null_values=[""],
        )
        return _checked(pyarrow.csv.read_csv(path, convert_options=as_text, **options))
    except (pa.ArrowException, OSError, ValueError) as error:
        if form.encoding == _UTF_8 and (line := _line_that_is_not_utf_8(path)):
            raise UnfitFileError(
                f"line {line} is not UTF-8 text: save it as UTF-8 (a spreadsheet calls that "
                "CSV UTF-8)"
            ) from error
        raise UnfitFileError(_reason(error)) from error


@dataclass(frozen=True, slots=True)
class _Form:
    """How a CSV file is written."""

    encoding: str
    delimiter: str
    skipped_lines: int


def _options(form: _Form) -> Mapping[str, Any]:
    return {
        "read_options": pyarrow.csv.ReadOptions(
            encoding=form.encoding, skip_rows=form.skipped_lines
        ),
        "parse_options": pyarrow.csv.ParseOptions(
            delimiter=form.delimiter, newlines_in_values=True
        ),
    }


def _form(path: Path, known_column: str) -> _Form:
    with open_regular(path) as file:
        try:
            head = file.read(_HEAD_BYTES)
        except OSError as error:
            raise UnfitFileError(f"cannot be read: {error.strerror}") from error
    if b"\0" in head and not head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise UnfitFileError(
            "it has NUL characters and is no text in UTF-8: save it as UTF-8 (a spreadsheet calls "
            "that CSV UTF-8)"
        )
    encoding = "utf-16" if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else _UTF_8
    lines = head.decode(encoding, errors="replace").removeprefix("\ufeff").splitlines() or [""]
    if named := _SEPARATOR_LINE.fullmatch(lines[0]):
        return _Form(encoding, named[1], 1)
    for delimiter in _DELIMITERS:
        cells = lines[0].split(delimiter)
        if known_column in {cell.strip(" \"'").casefold() for cell in cells}:
            return _Form(encoding, delimiter, 0)
    return _Form(encoding, _DELIMITERS[0], 0)


def _line_that_is_not_utf_8(path: Path) -> int | None:
    """The number of the first line that is no UTF-8 text; None where all are."""
    with open_regular(path) as file:
        for number, line in enumerate(iter(lambda: file.readline(_HEAD_BYTES), b""), start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return None


def _checked(table: pa.Table) -> pa.Table:
    """The table, if no two of its columns have one name."""
    _check_names(table.schema.names)
    return table


def _check_names(names: Sequence[str]) -> None:
    """Checks that names differ, spaces around them apart."""
    bare = [name.strip() for name in names]
    if doubles := [name for name in bare if name and bare.count(name) > 1]:
        raise UnfitFileError(f"it has two columns {doubles[0][:40]!r}")


def _reason(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
