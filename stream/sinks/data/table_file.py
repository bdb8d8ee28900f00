"""A table that grows row by row, CSV or Parquet, and takes its name once it is complete."""

import csv
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Protocol, TextIO, TypeAlias

from models.program.cells import text_cell
from models.program.printable import printable
from stream.errors import SinkError
from stream.sinks.paths import finish_partial, partial_path

Columns: TypeAlias = Mapping[str, Literal["bool", "int32", "int64", "float32", "float64", "string"]]
"""Names and types of the columns, in their order."""

Row: TypeAlias = Mapping[str, Any]
"""Cells of one row, by column; a cell that is missing is empty."""

NO_NOTES: Mapping[str, str] = MappingProxyType({})
"""A file says nothing of itself."""

_ROWS_PER_GROUP = 20_000
"""Rows of one group of a Parquet file; more take more memory, fewer are slower to read."""


class TableFile:
    """One table being written.

    Args:
        path: ends in `.csv` or `.parquet`.
        columns: names and types.

    Raises:
        SinkError: the file cannot be made.
    """

    def __init__(self, path: Path, columns: Columns) -> None:
        self._path = path
        self.partial_path = partial_path(path)
        self._begun = False
        writer = _ParquetWriter if path.suffix.lower() == ".parquet" else _CsvWriter
        try:
            self._writer: _Writer = writer(self.partial_path, columns)
        except OSError as error:
            with suppress(OSError):
                self.partial_path.unlink(missing_ok=True)  # it holds nothing yet
            raise SinkError(f"{path} cannot be made: {_reason(error)}") from error

    def __repr__(self) -> str:
        return f"TableFile({self._path})"

    def append(self, rows: Sequence[Row]) -> None:
        """Adds rows; there may be none.

        Raises:
            SinkError: the disk refuses.
        """
        try:
            self._writer.write(rows)
        except OSError as error:
            raise SinkError(f"{self._path} cannot be written: {_reason(error)}") from error
        self._begun = True

    def close(self, *, complete: bool, notes: Mapping[str, str] = NO_NOTES) -> None:
        """Closes the file.

        A table that is not complete keeps its partial name, unless nothing was ever appended.

        Args:
            complete: whether all rows were appended.
            notes: what the metadata of a Parquet file say of it; CSV has none.

        Raises:
            SinkError: the disk refuses.
        """
        try:
            self._writer.close(notes)
            finish_partial(self._path, complete=complete, keep=self._begun)
        except OSError as error:
            raise SinkError(f"{self._path} cannot be written: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    """The system's own message: Arrow's names the path a second time."""
    return os.strerror(error.errno) if error.errno else str(error)


def printable_row(row: Row) -> Row:
    """A row whose text has nothing in it that a terminal would obey or a file not take."""
    return {name: printable(cell) if isinstance(cell, str) else cell for name, cell in row.items()}


class CsvTable:
    """Rows as CSV, in which text is text: for terminals, and for spreadsheets.

    Args:
        file: what is written to; the names of the columns are written at once.
        columns: the names.
    """

    def __init__(self, file: TextIO, columns: Sequence[str]) -> None:
        names = [text_cell(printable(name)) for name in columns]
        csv.writer(file, lineterminator="\n").writerow(names)
        self._table = csv.DictWriter(file, columns, restval="", lineterminator="\n")

    def write(self, rows: Sequence[Row]) -> None:
        """Adds rows."""
        self._table.writerows(
            {
                name: text_cell(cell) if isinstance(cell, str) else cell
                for name, cell in printable_row(row).items()
            }
            for row in rows
        )


class _Writer(Protocol):
    def write(self, rows: Sequence[Row]) -> None: ...

    def close(self, notes: Mapping[str, str]) -> None: ...


class _CsvWriter:
    """Writes each row at once, so that it can be read while the run goes on."""

    def __init__(self, path: Path, columns: Columns) -> None:
        self._file = path.open("w", buffering=1, encoding="utf-8", newline="")
        try:
            self._table = CsvTable(self._file, list(columns))
        except OSError:
            with suppress(OSError):
                self._file.close()  # tries again to write what could not be written
            raise

    def write(self, rows: Sequence[Row]) -> None:
        self._table.write(rows)

    def close(self, notes: Mapping[str, str]) -> None:
        self._file.close()


class _ParquetWriter:
    """Gathers rows and writes them group by group."""

    def __init__(self, path: Path, columns: Columns) -> None:
        import pyarrow as pa  # takes a third of a second, which CSV need not wait for
        import pyarrow.parquet as pq

        self._schema = pa.schema(list(columns.items()))
        self._table_of = pa.Table.from_pylist
        self._file = path.open("wb")  # Arrow takes no name that is not UTF-8
        self._writer = pq.ParquetWriter(self._file, self._schema)
        try:
            self._file.flush()
        except OSError:
            self._release()
            raise
        self._rows: list[Row] = []

    def write(self, rows: Sequence[Row]) -> None:
        self._rows.extend(map(printable_row, rows))
        if len(self._rows) >= _ROWS_PER_GROUP:
            self._flush()

    def close(self, notes: Mapping[str, str]) -> None:
        try:
            self._flush()
            if notes:
                self._writer.add_key_value_metadata(dict(notes))
            self._writer.close()
            self._file.flush()
        finally:
            self._release()

    def _release(self) -> None:
        """Closes the file, whatever of the table is in it."""
        self._writer.is_open = False  # else it would write the rest when it is forgotten
        with suppress(OSError):
            self._file.close()  # tries again to write what could not be written

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._table_of(self._rows, schema=self._schema))
            self._rows = []
