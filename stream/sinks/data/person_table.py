"""The table of the persons of a file, which are known when all of it was seen."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.data.table_file import TableFile
from stream.sinks.data.tables import person_columns, person_row


class PersonTable:
    """A table of the persons of a file, made when all of it was seen: there is no part of it.

    Args:
        path: ends in `.csv` or `.parquet`.
        attributes: the classes of each attribute, which make columns.
    """

    quit_requested = False

    def __init__(self, path: Path, attributes: Mapping[str, Sequence[str]]) -> None:
        self.name = f"persons ({path.name})"
        self.output = path
        self._columns = person_columns(attributes)
        self._persons: Sequence[Person] = ()

    def __repr__(self) -> str:
        return f"PersonTable({self.output})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Nothing: a person is known at the end."""

    def settle(self, persons: Sequence[Person]) -> None:
        """Takes the persons of the file."""
        self._persons = persons

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Writes the file, a row for each person; none where a frame is lacking.

        Raises:
            SinkError: the disk refuses.
        """
        if not complete:
            return
        table, written = TableFile(self.output, self._columns), False
        try:
            table.append(list(map(person_row, self._persons)))
            written = True
        finally:
            table.close(complete=written)
