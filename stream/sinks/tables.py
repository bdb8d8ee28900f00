"""The data behind the picture as a table, one row a face: CSV or Parquet."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from stream.annotator import Track
from stream.errors import SinkError
from stream.frames import Frame
from stream.sinks.contract import Annotated, partial_path

_ROWS_A_GROUP = 20_000  # of a Parquet file: memory stays small, reading stays fast

_PLACE = {
    "frame": pa.int64(),
    "time_s": pa.float64(),
    "file": pa.string(),
    "track": pa.int64(),
    "left": pa.float32(),
    "top": pa.float32(),
    "right": pa.float32(),
    "bottom": pa.float32(),
    "score": pa.float32(),
    "missed": pa.int32(),
    "quality": pa.float32(),
}


class TableWriter(Protocol):
    """Appends rows to a file."""

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Raises OSError where the disk refuses."""

    def close(self) -> None:
        """Finishes the file."""


class TableLog:
    """Writes beside the name asked for, which the file takes once it is complete.

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
        self.partial_path = partial_path(path)
        self._frames = 0
        schema = table_schema(attributes)
        writer = _CsvWriter if path.suffix.lower() == ".csv" else _ParquetWriter
        try:
            self._writer: TableWriter = writer(self.partial_path, schema)
        except OSError as error:
            raise SinkError(f"{path} cannot be made: {error.strerror}") from error

    def __repr__(self) -> str:
        return f"TableLog({self.output})"

    def write(self, annotated: Annotated) -> None:
        """A row for each face of the frame.

        Raises:
            SinkError: the disk refuses.
        """
        try:
            self._writer.write([face_row(annotated.frame, track) for track in annotated.tracks])
            self._frames += 1
        except OSError as error:
            raise SinkError(f"{self.output} cannot be written: {error.strerror}") from error

    def close(self, *, complete: bool) -> None:
        """Closes the file; one that is not complete keeps its partial name, if it has a frame.

        Raises:
            SinkError: the disk refuses.
        """
        try:
            self._writer.close()
            if complete:
                self.partial_path.replace(self.output)
            elif not self._frames:
                self.partial_path.unlink(missing_ok=True)
        except OSError as error:
            raise SinkError(f"{self.output} cannot be written: {error.strerror}") from error


def table_schema(attributes: Mapping[str, Sequence[str]]) -> pa.Schema:
    """The columns: place and time, then label, confidence and probabilities by attribute."""
    fields = dict(_PLACE)
    for attribute, classes in attributes.items():
        fields[attribute] = pa.string()
        fields[f"{attribute}_confidence"] = pa.float32()
        fields.update({f"{attribute}_{name}": pa.float32() for name in classes})
    return pa.schema(list(fields.items()))


def face_row(frame: Frame, track: Track) -> dict[str, Any]:
    """One face of one frame; a label is missing where unsure, all of them where none is given."""
    left, top, right, bottom = (round(float(edge), 1) for edge in track.box_xyxy)
    row: dict[str, Any] = {
        "frame": frame.index,
        "time_s": round(frame.time_s, 6),
        "file": None if frame.path is None else str(frame.path),
        "track": track.track_id,
        "left": left,
        "top": top,
        "right": right,
        "bottom": bottom,
        "score": round(track.score, 4),
        "missed": track.missed_frames,
        "quality": round(track.quality, 4),
    }
    for attribute, label in track.labels.items():
        row[attribute] = label.text
        row[f"{attribute}_confidence"] = round(label.confidence, 4)
        for name, value in label.probabilities.items():
            row[f"{attribute}_{name}"] = round(value, 4)
    return row


class _CsvWriter:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file = path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        self._table = csv.DictWriter(self._file, schema.names, restval="", lineterminator="\n")
        self._table.writeheader()

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._table.writerows(rows)

    def close(self) -> None:
        self._file.close()


class _ParquetWriter:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema)
        self._rows: list[Mapping[str, Any]] = []

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows.extend(rows)
        if len(self._rows) >= _ROWS_A_GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []
