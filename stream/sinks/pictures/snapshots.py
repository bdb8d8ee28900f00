"""The best view of each person as a picture of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from stream.errors import SinkError
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.data.table_file import Columns, TableFile
from stream.sinks.data.tables import person_columns, person_row
from stream.sinks.pictures.picture_file import write_picture

PERSONS_FILE = "persons.csv"
"""Name of the table of the people on the pictures, in the folder of the pictures."""


def picture_name(person_id: int) -> str:
    """The name of the picture of a person, or of a track that is not joined to another yet."""
    return f"person-{person_id:04}.jpg"


class Snapshots:
    """A folder of faces, `person-0001.jpg` and so on, and a table of what each is perceived as.

    A picture is written as soon as its track has ended, in the pixels of the source, with a margin
    around the face; blurred where faces are to be. Where tracks are joined into persons, each keeps
    the best picture of its tracks at the end. Pictures of an earlier run are removed with the first
    frame: they could be taken for people of this one, or for blurred.

    Args:
        folder: where to; it is made.
        attributes: the classes of each attribute, which make columns.
        has_persons: whether tracks are joined into persons at the end.

    Raises:
        SinkError: the folder cannot be made.
    """

    quit_requested = False

    def __init__(
        self,
        folder: Path,
        attributes: Mapping[str, Sequence[str]],
        *,
        has_persons: bool = False,
    ) -> None:
        self.name = f"snapshots ({folder.name})"
        self.output = folder
        self._begun = False
        self._has_persons = has_persons
        self._ranks: dict[int, tuple[float, float]] = {}  # by track that has a picture
        self._persons: Sequence[Person] = ()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"{folder} cannot be made: {error.strerror}") from error
        columns: Columns = {"picture": "string", **person_columns(attributes)}
        self._table = TableFile(folder / PERSONS_FILE, columns)

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

    def settle(self, persons: Sequence[Person]) -> None:
        """Takes the persons of the file, whose tracks have pictures."""
        self._persons = persons

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Writes the pictures of the people who are still present, and closes the table.

        Raises:
            SinkError: one cannot be written.
        """
        try:
            self._save(present)
            for person in self._persons:
                self._keep_best(person)
        except SinkError:
            self._table.close(complete=False)
            raise
        self._table.close(complete=complete)

    def _remove_earlier(self) -> None:
        try:
            for picture in self.output.glob("person-*.jpg"):
                if picture.stem.removeprefix("person-").isdecimal():
                    picture.unlink()
        except OSError as error:
            raise SinkError(f"{error.filename} cannot be removed: {error.strerror}") from error

    def _save(self, people: Sequence[Person]) -> None:
        for person in people:
            if person.best.crop is None:
                continue
            write_picture(self.output / picture_name(person.track_id), person.best.crop)
            if self._has_persons:
                self._ranks[person.track_id] = person.best.rank
            else:  # of a part of a file a track may know its person, but is not joined to it
                self._enter(replace(person, person_id=person.track_id))

    def _keep_best(self, person: Person) -> None:
        """Keeps the best of the pictures of a person's tracks, under the number of the person."""
        pictured = [track_id for track_id in person.tracks if track_id in self._ranks]
        if not pictured:
            return
        best = max(pictured, key=self._ranks.__getitem__)
        own = self.output / picture_name(person.person_id)
        try:
            if best != person.person_id:
                (self.output / picture_name(best)).replace(own)
            for track_id in pictured:
                if track_id not in (best, person.person_id):
                    (self.output / picture_name(track_id)).unlink(missing_ok=True)
        except OSError as error:
            raise SinkError(f"{own} cannot be written: {error.strerror}") from error
        self._enter(person)

    def _enter(self, person: Person) -> None:
        self._table.append([{"picture": picture_name(person.person_id), **person_row(person)}])
