"""The tables of a batch, made of its ledger: `summary`, a row an input, and `persons`, a row a
person.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from stream.batch.ledger_reader import LedgerReader, LedgerRow
from stream.errors import ConfigError
from stream.sinks.data.table_file import Columns, Row, TableFile
from stream.sinks.data.tables import person_columns

_SUMMARY_COLUMNS: Columns = {
    "input": "string",
    "path": "string",
    "named": "bool",
    "state": "string",
    "attempts": "int32",
    "error": "string",
    "frames": "int64",
    "faces": "int64",
    "people": "int64",
    "left_out": "int64",
    "media_s": "float64",
    "elapsed_s": "float64",
    "begun": "string",
    "ended": "string",
    "worker": "string",
}
"""What every row of inputs has; the columns of the user's list follow."""

TABLES = ("summary", "persons")
"""What the names of the tables begin with."""

_INPUT_COLUMN = "input"
"""Name of the column that says in which input a person was seen."""

_CHUNK_ROWS = 1000
"""Rows that are handed on at a time; more take more memory."""


def check_columns(columns: Iterable[str], attributes: Mapping[str, Sequence[str]]) -> None:
    """Checks that the columns of a list can stand in the tables beside those that are there.

    Args:
        columns: their names.
        attributes: the classes of each attribute that labels may be of.

    Raises:
        ConfigError: one has the name of another.
    """
    own = {*_SUMMARY_COLUMNS, *person_columns(attributes)}
    for name in columns:
        if name.lower() in map(str.lower, own):
            raise ConfigError(
                f"the list's column {name} has the name of a column of the tables that are "
                "written: rename it"
            )


def write_tables(ledger: LedgerReader, suffix: str = "") -> list[Path]:
    """Writes both tables beside a ledger, each as a whole; what was there is replaced.

    Args:
        ledger: what they are made of.
        suffix: what their names have, as that of the ledger has it.

    Returns:
        What was written.

    Raises:
        SinkError: the disk refuses.
        LedgerError: the ledger cannot be read.
    """
    listed = dict.fromkeys(name for row in ledger.rows() for name in row.columns)
    further: Columns = dict.fromkeys(listed, "string")
    folder = ledger.path.parent
    summary, persons = (folder / f"{name}{suffix}.parquet" for name in TABLES)
    _write(summary, _beside(_SUMMARY_COLUMNS, further), map(_summary_row, ledger.rows()))
    persons_own = person_columns(ledger.attributes())
    people = ({**columns, **cells, _INPUT_COLUMN: name} for name, columns, cells in ledger.people())
    _write(persons, _beside({_INPUT_COLUMN: "string", **persons_own}, further), people)
    return [summary, persons]


def _beside(own: Columns, further: Columns) -> Columns:
    """Columns of a table, and those of lists, as far as their names are free."""
    return {**own, **{name: kind for name, kind in further.items() if name not in own}}


def _write(path: Path, columns: Columns, rows: Iterator[Row]) -> None:
    table = TableFile(path, columns)
    complete = False
    try:
        while chunk := list(islice(rows, _CHUNK_ROWS)):
            table.append(chunk)
        complete = True
    finally:
        table.close(complete=complete)


def _summary_row(row: LedgerRow) -> Row:
    """An input as the table has it."""
    own = {name: getattr(row, name) for name in _SUMMARY_COLUMNS if hasattr(row, name)}
    times = {"begun": _time(row.begun_s), "ended": _time(row.ended_s)}
    return {**row.columns, **own, **times, _INPUT_COLUMN: row.name, "named": row.is_named}


def _time(time_s: float | None) -> str | None:
    """A time as the tables have it: `2026-01-31T12:00:00+00:00`."""
    return None if time_s is None else datetime.fromtimestamp(round(time_s), UTC).isoformat()
