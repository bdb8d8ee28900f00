"""CSV and Parquet files from elsewhere, read as tables of a bounded size."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from models.safe_files import UnfitFileError, open_regular

_MAX_ROWS = 20_000_000
"""Rows of a table at most; the largest list of labelled faces that is published has 10 million."""

_MAX_COLUMNS = 1_000
"""Columns of a table at most."""


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


def read_csv(path: Path) -> pa.Table:
    """A CSV file as a table of text; an empty cell is null.

    Raises:
        UnfitFileError: it cannot be read, or is too large.
    """
    open_regular(path).close()
    try:
        names = pyarrow.csv.open_csv(path).schema.names
        if len(names) > _MAX_COLUMNS:
            raise UnfitFileError(f"it has {len(names)} columns, more than {_MAX_COLUMNS}")
        as_text = pyarrow.csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            strings_can_be_null=True,
            null_values=[""],
        )
        return _checked(pyarrow.csv.read_csv(path, convert_options=as_text))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnfitFileError(_reason(error)) from error


def _checked(table: pa.Table) -> pa.Table:
    """The table, if no two of its columns have one name."""
    names = table.schema.names
    if doubles := [name for name in names if names.count(name) > 1]:
        raise UnfitFileError(f"it has two columns {doubles[0][:40]!r}")
    return table


def _reason(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
