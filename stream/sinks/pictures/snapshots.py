"""The best view of each person as a picture of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.data.table_file import TableFile
from stream.sinks.data.tables import track_columns, track_row
from stream.sinks.people_ledger import PeopleLedger
from stream.sinks.pictures.picture_file import write_picture

TRACKS = "tracks.csv"
"""Who is on the pictures, in the same folder."""


class Snapshots:
    """A folder of faces, `track-0001.jpg` and so on, and a table of what each is perceived as.

    A picture is written as soon as its track has ended, in the pixels of the source, with a margin
    around the face; blurred where faces are to be. Pictures of an earlier run go: nobody may take
    them for people of this one, or for blurred.

    Args:
        folder: where to; it is made.
        info: the source.
        attributes: the classes of each attribute, which make columns.

    Raises:
        SinkError: the folder cannot be made.
    """

    quit_requested = False

    def __init__(
        self, folder: Path, info: SourceInfo, attributes: Mapping[str, Sequence[str]]
    ) -> None:
        self.name = f"snapshots ({folder.name})"
        self.output = folder
        self._people = PeopleLedger(info)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for picture in folder.glob("track-*.jpg"):
                if picture.stem.removeprefix("track-").isdecimal():
                    picture.unlink()
        except OSError as error:
            raise SinkError(f"{folder} cannot be made: {error.strerror}") from error
        self._table = TableFile(folder / TRACKS, {"picture": "string", **track_columns(attributes)})

    def __repr__(self) -> str:
        return f"Snapshots({self.output})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """The pictures of those whose track has ended.

        Raises:
            SinkError: one cannot be written.
        """
        gone = self._people.add(
            annotated.frame, annotated.tracks, lambda: annotated.shown, blur=annotated.blur
        )
        self._save(gone)

    def close(self, *, complete: bool) -> None:
        """The pictures of those who were there to the last.

        Raises:
            SinkError: one cannot be written.
        """
        try:
            self._save(self._people.leave())
        except SinkError:
            self._table.close(complete=False)
            raise
        self._table.close(complete=complete)

    def _save(self, people: Sequence[Person]) -> None:
        for person in people:
            name = f"track-{person.track_id:04}.jpg"
            if person.best.cut_out is not None:
                write_picture(self.output / name, person.best.cut_out)
                self._table.append([{"picture": name, **track_row(person)}])
