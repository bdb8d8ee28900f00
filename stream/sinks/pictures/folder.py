"""Annotated copies of pictures, each with a table of its faces beside it, and one table of all."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from stream.errors import SinkError
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.data.table_file import Columns, CsvTable, TableFile
from stream.sinks.paths import same_file, short_name, write_whole
from stream.sinks.pictures.picture_file import write_picture, written_name
from stream.tracks import Track

FACES_FILE = "faces.csv"
"""Name of the table of all pictures, in the folder of the copies."""

_SIDES = ("top", "right", "bottom", "left")
"""The columns of a box, in the order of the table."""


class PictureFolder:
    """A folder of annotated copies under their own names, `NAME.csv` for each, and `faces.csv`.

    A table has one row a face: for each attribute the perceived class, empty where unsure, and the
    probability of every class (`gender`, `gender_Female`, …); then the box in px of the picture.
    `faces.csv` has the faces of all pictures, their names first.

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
        self._attributes = attributes
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"{folder} cannot be made: {error.strerror}") from error
        columns: Columns = {name: "string" for name in ("file", *face_columns(attributes))}
        self._faces = TableFile(folder / FACES_FILE, columns)

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
        table = faces_table(annotated.tracks, self._attributes)
        write_whole(target.with_name(short_name(target.name, ".csv")), table.encode())
        rows = face_rows(annotated.tracks)
        self._faces.append([{"file": str(inside), **row} for row in rows])

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Closes the table of all pictures; the rest is written already.

        Raises:
            SinkError: the disk refuses.
        """
        self._faces.close(complete=complete)


def faces_table(tracks: Sequence[Track], attributes: Mapping[str, Sequence[str]]) -> str:
    """One row a face, as CSV: perceived labels, probabilities, then top, right, bottom, left."""
    out = io.StringIO()
    CsvTable(out, face_columns(attributes)).write(face_rows(tracks))
    return out.getvalue()


def face_columns(attributes: Mapping[str, Sequence[str]]) -> list[str]:
    """The columns of a face: labels, probabilities, box."""
    probabilities = [f"{name}_{each}" for name, classes in attributes.items() for each in classes]
    return [*attributes, *probabilities, *_SIDES]


def face_rows(tracks: Sequence[Track]) -> list[dict[str, object]]:
    """The cells of each face; a face too small for labels has only those of its box."""
    rows = []
    for track in tracks:
        left, top, right, bottom = (round(float(edge)) for edge in track.box_xyxy)
        row: dict[str, object] = {"top": top, "right": right, "bottom": bottom, "left": left}
        for name, label in track.labels.items():
            row[name] = label.text or ""
            for each, value in label.probabilities.items():
                row[f"{name}_{each}"] = f"{value:.4f}"
        rows.append(row)
    return rows
