"""Annotated copies of pictures, each with a table of its faces beside it, and one table of all."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from stream.errors import SinkError
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.data.table_file import Columns, CsvTable, Row, TableFile
from stream.sinks.data.tables import face_columns, face_row
from stream.sinks.paths import same_file, short_name, write_whole
from stream.sinks.pictures.picture_file import write_picture, written_name

FACES_FILE = "faces.csv"
"""Name of the table of all pictures, in the folder of the copies."""


class PictureFolder:
    """A folder of annotated copies under their own names, `NAME.csv` for each, and `faces.csv`.

    A table has one row a face, with the columns of a log as CSV. `faces.csv` has the faces of all
    pictures.

    Args:
        folder: where to; it is made.
        root: the folder the pictures come from, whose subfolders are kept; None for one picture.
        attributes: the classes of each attribute, which make columns.

    Raises:
        SinkError: the folder cannot be made.
    """

    quit_requested = False

    def __init__(
        self, folder: Path, root: Path | None, attributes: Mapping[str, Sequence[str]]
    ) -> None:
        self.name = f"pictures ({folder.name})"
        self.output = folder
        self._root = root
        self._columns = face_columns(attributes)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"{folder} cannot be made: {error.strerror}") from error
        self._faces = TableFile(folder / FACES_FILE, self._columns)

    def __repr__(self) -> str:
        return f"PictureFolder({self.output})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Writes the picture and its table.

        Raises:
            SinkError: they cannot be written.
        """
        source = annotated.frame.path
        if source is None:
            raise SinkError("only pictures can be written as pictures: name a video file instead")
        inside = source.relative_to(self._root) if self._root else Path(source.name)
        target = written_name(self.output / inside)
        if same_file(target, source):
            raise SinkError(f"{target} is the input: name another folder to write to")
        write_picture(target, annotated.picture)
        file = {"file": str(inside)}
        rows = [face_row(annotated.frame, track) | file for track in annotated.tracks]
        beside = target.with_name(short_name(target.name, ".csv"))
        write_whole(beside, _table(rows, self._columns).encode())
        self._faces.append(rows)

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Closes the table of all pictures; the rest is written already.

        Raises:
            SinkError: the disk refuses.
        """
        self._faces.close(complete=complete)


def _table(rows: Sequence[Row], columns: Columns) -> str:
    """The faces of one picture as CSV."""
    out = io.StringIO()
    CsvTable(out, list(columns)).write(rows)
    return out.getvalue()
