"""The data behind the picture as tables: one row a face, and beside it one row a track."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stream.errors import SinkError
from stream.frames import Frame, SourceInfo
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.data.table_file import Columns, TableFile
from stream.sinks.people_ledger import PeopleLedger
from stream.tracks import Label, Track

_BOX: Columns = {"left": "float32", "top": "float32", "right": "float32", "bottom": "float32"}
_FACE: Columns = {
    "frame": "int64",
    "time_s": "float64",
    "file": "string",
    "track": "int64",
    **_BOX,
    "score": "float32",
    "missed": "int32",
    "quality": "float32",
}
_TRACK: Columns = {
    "track": "int64",
    "first_s": "float64",
    "last_s": "float64",
    "frames": "int64",
    "best_frame": "int64",
    "best_s": "float64",
    "file": "string",
    **_BOX,
    "quality": "float32",
}


class TableLog:
    """Every face of every frame.

    Args:
        path: ends in `.csv` or `.parquet`.
        attributes: the classes of each attribute, which make columns.

    Raises:
        SinkError: the file cannot be made.
    """

    quit_requested = False

    def __init__(self, path: Path, attributes: Mapping[str, Sequence[str]]) -> None:
        self.name = f"log ({path.name})"
        self.output = path
        self._table = TableFile(path, face_columns(attributes))

    def __repr__(self) -> str:
        return f"TableLog({self.output})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """A row for each face of the frame.

        Raises:
            SinkError: the disk refuses.
        """
        self._table.append([face_row(annotated.frame, track) for track in annotated.tracks])

    def close(self, *, complete: bool) -> None:
        """Closes the file; one that is not complete keeps its partial name, if it has a frame.

        Raises:
            SinkError: the disk refuses.
        """
        self._table.close(complete=complete)


class TrackTable:
    """What every track came to, a row each as soon as it has ended.

    Args:
        path: ends in `.csv` or `.parquet`.
        info: the source.
        attributes: the classes of each attribute, which make columns.

    Raises:
        SinkError: the file cannot be made.
    """

    quit_requested = False

    def __init__(
        self, path: Path, info: SourceInfo, attributes: Mapping[str, Sequence[str]]
    ) -> None:
        self.name = f"tracks ({path.name})"
        self.output = path
        self._people = PeopleLedger(info)
        self._table = TableFile(path, track_columns(attributes))

    def __repr__(self) -> str:
        return f"TrackTable({self.output})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """A row for each track that has ended.

        Raises:
            SinkError: the disk refuses.
        """
        gone = self._people.add(annotated.frame, annotated.tracks)
        self._table.append([track_row(each) for each in gone])

    def close(self, *, complete: bool) -> None:
        """Adds those who were there to the last, and closes the file.

        Raises:
            SinkError: the disk refuses.
        """
        try:
            if rows := [track_row(each) for each in self._people.leave()]:
                self._table.append(rows)
        except SinkError:
            self._table.close(complete=False)
            raise
        self._table.close(complete=complete)


def tracks_path(log: Path) -> Path:
    """Where the tracks of a table of faces stand: `out.csv` has `out.tracks.csv` beside it."""
    return log.with_name(f"{log.stem}.tracks{log.suffix}")


def face_columns(attributes: Mapping[str, Sequence[str]]) -> Columns:
    """Place and time, then label, confidence and probabilities by attribute."""
    return {**_FACE, **_label_columns(attributes)}


def track_columns(attributes: Mapping[str, Sequence[str]]) -> Columns:
    """When it was seen, its best view, then the labels it came to, as those of a face."""
    return {**_TRACK, **_label_columns(attributes)}


def face_row(frame: Frame, track: Track) -> dict[str, Any]:
    """One face of one frame; a label is missing where unsure, all of them where none is given."""
    return {
        "frame": frame.index,
        "time_s": round(frame.time_s, 6),
        "file": None if frame.path is None else str(frame.path),
        "track": track.track_id,
        **_edges(track.box_xyxy.tolist()),
        "score": round(track.score, 4),
        "missed": track.missed_frames,
        "quality": round(track.quality, 4),
        **_label_cells(track.labels),
    }


def track_row(person: Person) -> dict[str, Any]:
    """One track; its box is that of its best view."""
    best = person.best
    return {
        "track": person.track_id,
        "first_s": round(person.first_s, 6),
        "last_s": round(person.last_s, 6),
        "frames": person.frames,
        "best_frame": best.frame,
        "best_s": round(best.time_s, 6),
        "file": None if best.path is None else str(best.path),
        **_edges(best.box_xyxy.tolist()),
        "quality": round(best.quality, 4),
        **_label_cells(person.labels),
    }


def _label_columns(attributes: Mapping[str, Sequence[str]]) -> Columns:
    columns: dict[str, Any] = {}
    for attribute, classes in attributes.items():
        columns[attribute] = "string"
        columns[f"{attribute}_confidence"] = "float32"
        columns.update({f"{attribute}_{name}": "float32" for name in classes})
    return columns


def _label_cells(labels: Mapping[str, Label]) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for attribute, label in labels.items():
        cells[attribute] = label.text
        cells[f"{attribute}_confidence"] = round(label.confidence, 4)
        for name, value in label.probabilities.items():
            cells[f"{attribute}_{name}"] = round(value, 4)
    return cells


def _edges(box_xyxy: Sequence[float]) -> dict[str, float]:
    return dict(zip(_BOX, (round(edge, 1) for edge in box_xyxy), strict=True))
