"""The log as tables: of each face of each frame, and beside it of tracks and of persons."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stream.errors import SinkError
from stream.frames import Frame
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.data.json_log import json_line
from stream.sinks.data.table_file import Columns, TableFile
from stream.tracks import Label, Track

HEADER_NOTE = "face-stream"
"""Key of the metadata under which a Parquet log has the header of a log in JSON Lines."""

BOX_COLUMNS: Columns = {
    "left": "float32",
    "top": "float32",
    "right": "float32",
    "bottom": "float32",
}
"""A box, px of the frame."""

_FACE_COLUMNS: Columns = {
    "frame": "int64",
    "time_s": "float64",
    "file": "string",
    "track": "int64",
    "person": "int64",
    **BOX_COLUMNS,
    "score": "float32",
    "missed": "int32",
    "quality": "float32",
    "frame_width": "int32",
    "frame_height": "int32",
}
"""What every row of faces has; labels follow."""

_SIGHT_COLUMNS: Columns = {
    "first_s": "float64",
    "last_s": "float64",
    "frames": "int64",
    "best_frame": "int64",
    "best_s": "float64",
    "file": "string",
    **BOX_COLUMNS,
    "quality": "float32",
}
"""When a track or a person was seen; the box and the quality are those of the best view. Labels
follow.
"""

_TRACK_COLUMNS: Columns = {"track": "int64", "person": "int64", **_SIGHT_COLUMNS}
"""What every row of tracks has."""

_PERSON_COLUMNS: Columns = {
    "person": "int64",
    "tracks": "string",
    "seconds": "float64",
    **_SIGHT_COLUMNS,
}
"""What every row of persons has; the ids of its tracks have spaces between them."""


class TableLog:
    """A table of every face of every frame.

    Args:
        path: ends in `.csv` or `.parquet`.
        attributes: the classes of each attribute, which make columns.
        header: what a log in JSON Lines begins with; Parquet has it in its metadata. Without one
            there is none.

    Raises:
        SinkError: the file cannot be made.
    """

    quit_requested = False

    def __init__(
        self,
        path: Path,
        attributes: Mapping[str, Sequence[str]],
        header: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = f"log ({path.name})"
        self.output = path
        self._header = header
        self._is_blurred = False
        self._table = TableFile(path, face_columns(attributes))

    def __repr__(self) -> str:
        return f"TableLog({self.output})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Adds a row for each face of the frame.

        Raises:
            SinkError: the disk refuses.
        """
        self._is_blurred |= annotated.blur
        self._table.append([face_row(annotated.frame, track) for track in annotated.tracks])

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Closes the file; one that is not complete keeps its partial name, if it has a frame.

        Raises:
            SinkError: the disk refuses.
        """
        if self._header is None:
            self._table.close(complete=complete)
            return
        header = {**self._header, **({"blur": True} if self._is_blurred else {})}
        self._table.close(complete=complete, notes={HEADER_NOTE: json_line(header)})


class TrackTable:
    """A table of tracks, a row for each as soon as it has ended.

    Args:
        path: ends in `.csv` or `.parquet`.
        attributes: the classes of each attribute, which make columns.

    Raises:
        SinkError: the file cannot be made.
    """

    quit_requested = False

    def __init__(self, path: Path, attributes: Mapping[str, Sequence[str]]) -> None:
        self.name = f"tracks ({path.name})"
        self.output = path
        self._table = TableFile(path, track_columns(attributes))

    def __repr__(self) -> str:
        return f"TrackTable({self.output})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Adds a row for each track that ended with the frame.

        Raises:
            SinkError: the disk refuses.
        """
        self._table.append([track_row(person) for person in annotated.ended])

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Adds the tracks that lasted to the end, and closes the file.

        Raises:
            SinkError: the disk refuses.
        """
        try:
            if present:
                self._table.append([track_row(person) for person in present])
        except SinkError:
            self._table.close(complete=False)
            raise
        self._table.close(complete=complete)


def tracks_path(log: Path) -> Path:
    """The table of tracks beside a table of faces: `out.csv` has `out.tracks.csv`."""
    return log.with_name(f"{log.stem}.tracks{log.suffix}")


def persons_path(log: Path) -> Path:
    """The table of persons beside a table of faces: `out.csv` has `out.persons.csv`."""
    return log.with_name(f"{log.stem}.persons{log.suffix}")


def face_columns(attributes: Mapping[str, Sequence[str]]) -> Columns:
    """Place and time; then, by attribute, label, confidence and probabilities."""
    return {**_FACE_COLUMNS, **_label_columns(attributes)}


def track_columns(attributes: Mapping[str, Sequence[str]]) -> Columns:
    """When it was seen, its best view; then its last labels, as those of a face."""
    return {**_TRACK_COLUMNS, **_label_columns(attributes)}


def person_columns(attributes: Mapping[str, Sequence[str]]) -> Columns:
    """Its tracks, when and how long it was seen, its best view; then its labels."""
    return {**_PERSON_COLUMNS, **_label_columns(attributes)}


def face_row(frame: Frame, track: Track) -> dict[str, Any]:
    """One face of one frame; where unsure a label is missing, of a small face all cells of it."""
    width, height = frame.size_wh
    return {
        "frame": frame.index,
        "time_s": _time_s(frame.time_s, frame.path),
        "file": None if frame.path is None else str(frame.path),
        "track": track.track_id,
        "person": track.person_id,
        **_edges(track.box_xyxy.tolist()),
        "score": round(track.score, 4),
        "missed": track.missed_frames,
        "quality": round(track.quality, 4),
        "frame_width": width,
        "frame_height": height,
        **_label_cells(track.labels),
    }


def track_row(person: Person) -> dict[str, Any]:
    """One track; its box is that of its best view."""
    return {"track": person.track_id, "person": person.person_id, **_sight_cells(person)}


def person_row(person: Person) -> dict[str, Any]:
    """One person; its box is that of its best view."""
    return {
        "person": person.person_id,
        "tracks": " ".join(map(str, person.tracks)),
        "seconds": None if person.best.path is not None else round(person.seconds, 3),
        **_sight_cells(person),
    }


def _sight_cells(person: Person) -> dict[str, Any]:
    """When a track or a person was seen, its best view, its labels."""
    best = person.best
    return {
        "first_s": _time_s(person.first_s, best.path),
        "last_s": _time_s(person.last_s, best.path),
        "frames": person.frames,
        "best_frame": best.frame,
        "best_s": _time_s(best.time_s, best.path),
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


def _time_s(time_s: float, path: Path | None) -> float | None:
    """A time as the tables have it; a picture has a file and no time."""
    return round(time_s, 6) if path is None else None


def _edges(box_xyxy: Sequence[float]) -> dict[str, float]:
    return dict(zip(BOX_COLUMNS, (round(edge, 1) for edge in box_xyxy), strict=True))
