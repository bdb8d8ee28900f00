"""A log in Parquet, the form that a batch writes, as the entries that JSON Lines would have."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from models.classification.label_names import CONFIDENCE
from models.safe_files import UnfitFileError, open_regular
from stream.errors import SourceError
from stream.sinks.data.log_lines import LogEntry, LogHeader, checked_entry
from stream.sinks.data.table_file import Columns
from stream.sinks.data.tables import (
    BOX_COLUMNS,
    HEADER_NOTE,
    face_columns,
    person_columns,
    persons_path,
)

_ROWS = 20_000
"""Rows that are read at a time; more take more memory."""

_PLACE = ("frame", "time_s", "file", "track", "person", "score", "missed")
"""Columns that are read of each face beside its box and its labels."""


class ParquetLog:
    """A log as a table of faces, with its table of persons beside it where there is one.

    Args:
        path: the table.

    Raises:
        SourceError: it is not a log of this program, or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _table(path) as file:
            self.header = self._header(file)
            labels = [
                column
                for name in self.header.attributes
                for column in (name, f"{name}_{CONFIDENCE}")
            ]
            self._columns = [*_PLACE, *BOX_COLUMNS, "frame_width", "frame_height", *labels]
            columns = face_columns(self.header.attributes)
            _check_columns(file, {name: columns[name] for name in self._columns})
            known = dict(_known_persons(file))
        beside = persons_path(path)
        if beside.exists():
            with _table(beside) as file:
                known.update(_final_persons(file))
        self.persons: Mapping[int, int] = known

    def __repr__(self) -> str:
        return f"ParquetLog({self._path})"

    def __str__(self) -> str:
        return str(self._path)

    def entries(self) -> Iterator[LogEntry]:
        """Its frames that have faces."""
        with _table(self._path) as file:
            before = -1
            for number, rows in groupby(_rows(file, self._columns), itemgetter("frame")):
                entry = self._entry(list(rows))
                if number <= before:
                    raise ValueError("its frames are not in their order")
                before = number
                yield entry

    def _header(self, file: pq.ParquetFile) -> LogHeader:
        """What a log in JSON Lines begins with."""
        note = (file.metadata.metadata or {}).get(HEADER_NOTE.encode())
        if note is None:
            raise ValueError(
                "it does not say whether faces were blurred; annotate the video anew with --log"
            )
        return LogHeader.model_validate_json(note)

    def _entry(self, rows: list[dict[str, Any]]) -> LogEntry:
        """The rows of one frame as a line has them; float32 is rounded as there."""
        first = rows[0]
        is_picture = first["time_s"] is None
        place = {"file": first["file"]} if is_picture else {"time_s": first["time_s"]}
        size = first["frame_width"], first["frame_height"]
        faces = list(map(self._face, rows))
        return checked_entry({"frame": first["frame"], **place, "size": size, "faces": faces})

    def _face(self, row: Mapping[str, Any]) -> dict[str, Any]:
        labels = {
            name: {"label": row[name], "confidence": round(confidence, 4), "probabilities": {}}
            for name in self.header.attributes
            if (confidence := row[f"{name}_{CONFIDENCE}"]) is not None
        }
        box = tuple(round(row[name], 1) for name in BOX_COLUMNS)
        own = {name: row[name] for name in ("track", "person", "missed")}
        return {**own, "score": round(row["score"], 4), "box": box, "labels": labels}


@contextmanager
def _table(path: Path) -> Iterator[pq.ParquetFile]:
    """A table, open; whatever one that is none, or damaged, makes Arrow say is translated."""
    try:
        with open_regular(path) as opened, pq.ParquetFile(opened) as file:
            yield file
    except UnfitFileError as error:
        raise SourceError(f"{path} {error}") from error
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError, TypeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise SourceError(f"{path} is not a log that can be exported: {reason}") from error


def _rows(file: pq.ParquetFile, columns: list[str]) -> Iterator[dict[str, Any]]:
    for batch in file.iter_batches(_ROWS, columns=columns):
        yield from batch.to_pylist()


def _check_columns(file: pq.ParquetFile, columns: Columns) -> None:
    """Raises ValueError where a column is missing or of another type."""
    kinds = {field.name: field.type for field in file.schema_arrow}
    for name, kind in columns.items():
        if kinds.get(name) != getattr(pa, kind)():
            raise ValueError(f"its column {name} is {kinds.get(name, 'missing')}, not {kind}")


def _known_persons(file: pq.ParquetFile) -> Iterator[tuple[int, int]]:
    """By track, the person that each row has; the last one of a track counts."""
    for batch in file.iter_batches(_ROWS, columns=["track", "person"]):
        yield from zip(*(batch[name].to_pylist() for name in ("track", "person")), strict=True)


def _final_persons(file: pq.ParquetFile) -> Iterator[tuple[int, int]]:
    """By track, its person as the table of persons has it."""
    columns = {name: person_columns({})[name] for name in ("person", "tracks")}
    _check_columns(file, columns)
    for row in _rows(file, list(columns)):
        for track in row["tracks"].split():
            yield int(track), row["person"]
