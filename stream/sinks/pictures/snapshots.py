"""The best view of each person as a picture of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from stream.errors import SinkError
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.data.table_file import Columns, TableFile
from stream.sinks.data.tables import track_columns, track_row
from stream.sinks.pictures.picture_file import write_picture

TRACKS_FILE = "tracks.csv"
"""Name of the table of the people on the pictures, in the folder of the pictures."""


def picture_name(track_id: int) -> str:
    """The name of the picture of a track."""
    return f"track-{track_id:04}.jpg"


class Snapshots:
    """A folder of faces, `track-0001.jpg` and so on, and a table of what each is perceived as.

    A picture is written as soon as its track has ended, in the pixels of the source, with a margin
    around the face; blurred where faces are to be. Pictures of an earlier run are removed with the
    first frame: they could be taken for people of this one, or for blurred.

    Args:
        folder: where to; it is made.
        attributes: the classes of each attribute, which make columns.

    Raises:
        SinkError: the folder cannot be made.
    """

    quit_requested = False

    def __init__(self, folder: Path, attributes: Mapping[str, Sequence[str]]) -> None:
        self.name = f"snapshots ({folder.name})"
        self.output = folder
        self._begun = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"{folder} cannot be made: {error.strerror}") from error
        columns: Columns = {"picture": "string", **track_columns(attributes)}
        self._table = TableFile(folder / TRACKS_FILE, columns)

    def __repr__(self) -> str:
        return f"Snapshots({self.output})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Writes the pictures of the people whose tracks ended with the frame.

        Raises:
            SinkError: one cannot be written.
        """
        if not self._begun:
            self._begun = True
            self._remove_earlier()
        self._save(annotated.ended)

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Writes the pictures of the people who are still present, and closes the table.

        Raises:
            SinkError: one cannot be written.
        """
        try:
            self._save(present)
        except SinkError:
            self._table.close(complete=False)
            raise
        self._table.close(complete=complete)

    def _remove_earlier(self) -> None:
        try:
            for picture in self.output.glob("track-*.jpg"):
                if picture.stem.removeprefix("track-").isdecimal():
                    picture.unlink()
        except OSError as error:
            raise SinkError(f"{error.filename} cannot be removed: {error.strerror}") from error

    def _save(self, people: Sequence[Person]) -> None:
        for person in people:
            name = picture_name(person.track_id)
            if person.best.crop is not None:
                write_picture(self.output / name, person.best.crop)
                self._table.append([{"picture": name, **track_row(person)}])
