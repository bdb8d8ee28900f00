"""A table that grows row by row, beside the name it takes once it is complete: CSV or Parquet."""

import csv
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from stream.errors import SinkError
from stream.sinks.paths import partial_path

Columns: TypeAlias = Mapping[str, Literal["int32", "int64", "float32", "float64", "string"]]
"""Names and types, in their order."""

Row: TypeAlias = Mapping[str, Any]
"""Cells by column; those that are missing are empty."""

_ROWS_A_GROUP = 20_000  # of a Parquet file: memory stays small, reading stays fast


class TableFile:
    """One file.

    Args:
        path: ends in `.csv` or `.parquet`.
        columns: what it holds.

    Raises:
        SinkError: it cannot be made.
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
        """Adds rows; none is ordinary.

        Raises:
            SinkError: the disk refuses.
        """
        try:
            self._writer.write(rows)
        except OSError as error:
            raise SinkError(f"{self._path} cannot be written: {_reason(error)}") from error
        self._begun = True

    def close(self, *, complete: bool) -> None:
        """Closes it; what is not complete keeps its partial name, unless nothing was appended.

        Raises:
            SinkError: the disk refuses.
        """
        try:
            self._writer.close()
            if complete:
                self.partial_path.replace(self._path)
            elif not self._begun:
                self.partial_path.unlink(missing_ok=True)
        except OSError as error:
            raise SinkError(f"{self._path} cannot be written: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    """The system's own word: Arrow wraps it in its own, with the path again."""
    return os.strerror(error.errno) if error.errno else str(error)


class _Writer(Protocol):
    def write(self, rows: Sequence[Row]) -> None: ...

    def close(self) -> None: ...


class _CsvWriter:
    """Each row can be read at once."""

    def __init__(self, path: Path, columns: Columns) -> None:
        # What is no text in a file's name becomes an escape.
        self._file = path.open(
            "w", buffering=1, encoding="utf-8", errors="backslashreplace", newline=""
        )
        self._table = csv.DictWriter(self._file, list(columns), restval="", lineterminator="\n")
        try:
            self._table.writeheader()
        except OSError:
            with suppress(OSError):
                self._file.close()  # what could not be written is tried again here
            raise

    def write(self, rows: Sequence[Row]) -> None:
        self._table.writerows(rows)

    def close(self) -> None:
        self._file.close()


class _ParquetWriter:
    def __init__(self, path: Path, columns: Columns) -> None:
        import pyarrow as pa  # a third of a second, which CSV need not wait for
        import pyarrow.parquet as pq

        self._schema = pa.schema(list(columns.items()))
        self._table_of = pa.Table.from_pylist
        self._writer = pq.ParquetWriter(path, self._schema)
        self._rows: list[Row] = []

    def write(self, rows: Sequence[Row]) -> None:
        self._rows.extend(rows)
        if len(self._rows) >= _ROWS_A_GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._table_of(self._rows, schema=self._schema))
            self._rows = []
