"""Logs as tables, Parquet or CSV, as persons and faces."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.classification.label_names import check_label_names
from stream.errors import SourceError
from stream.report.rows import Answer, FaceRows, LoggedPerson
from stream.report.table_files import (
    batches,
    classes_by_columns,
    column_names,
    header_of,
    readable,
)
from stream.sinks.data.tables import persons_path, tracks_path

_COLUMNS = (
    *("frame", "time_s", "track", "left", "top", "right", "bottom"),
    *("missed", "quality", "frame_width", "frame_height"),
)
"""Columns that are read of faces."""

_NEEDED = frozenset({"frame", "track", "left", "right", "missed"})
"""Columns without which a table is no log."""

_NOT_IN_ORDER = "its frames are not in their order"
"""What is wrong with a table whose frames go back."""

_MAX_NUMBER = 1 << 53
"""Largest number of a track or a person, as in JSON Lines."""

_Words = Mapping[str, Mapping[str, Sequence[str]]]
"""By attribute the words for several classes, with those classes."""


def is_log_table(path: Path) -> bool:
    """Whether a table that lies in a folder has the columns of a log."""
    try:
        with readable(path):
            return set(column_names(path)) >= _NEEDED
    except SourceError:
        return True  # a damaged one is named when it is read


class TableLog:
    """A log as a table of faces, with its tables of tracks and persons beside it where they are.

    Parquet says what it is of in its metadata; CSV does not.

    Raises:
        SourceError: it is not a log of this program, or damaged.
    """

    has_all_frames = False
    is_cut_short = False

    def __init__(self, path: Path) -> None:
        self.path = path
        with readable(path):
            self._columns = column_names(path)
            if missing := sorted(_NEEDED - set(self._columns)):
                raise SourceError(
                    f"{path} is not a log: it has no column {missing[0]}; give what --log wrote"
                )
            header = header_of(path)
            self.source = header.source if header else ""
            self.model: str | None = (header.model if header else "") or None
            self.fps = header.fps if header else None
            self._words: _Words = header.tree if header else {}
            self.attributes: Mapping[str, tuple[str, ...]] = (
                {name: tuple(classes) for name, classes in header.attributes.items()}
                if header
                else classes_by_columns(self._columns)
            )
            check_label_names(self.attributes.items())
            _check_columns(self._columns, _label_columns(self.attributes))
            self.is_pictures = self._is_of_pictures()

    def __repr__(self) -> str:
        return f"TableLog({self.path})"

    def persons(self) -> Iterator[LoggedPerson]:
        """Its persons: of its own rows the last of each track, then what stands beside it."""
        tracks, persons = tracks_path(self.path), persons_path(self.path)
        if not tracks.exists() and not persons.exists():
            yield from self._last_rows()
        for beside in (tracks, persons):
            if beside.exists():
                with readable(beside):
                    yield from self._entries(beside)

    def faces(self) -> Iterator[FaceRows]:
        """Its faces, part by part."""
        with readable(self.path):
            wanted = [name for name in _COLUMNS if name in self._columns]
            before = (0, -np.inf)
            for batch in batches(self.path, wanted, self.attributes):
                if len(batch):
                    rows = _rows(batch)
                    if rows.frame[0] < before[0] or rows.time_s[0] < before[1]:
                        raise ValueError(_NOT_IN_ORDER)
                    before = int(rows.frame[-1]), float(rows.time_s[-1])
                    yield rows

    def _is_of_pictures(self) -> bool:
        """Whether the first rows have no times, as those of pictures do."""
        if "time_s" not in self._columns:
            return True
        first = next(batches(self.path, ["time_s"], self.attributes), None)
        return first is not None and 0 < len(first) == first["time_s"].null_count

    def _last_rows(self) -> Iterator[LoggedPerson]:
        """The labels of each track in its last row, with labels if any has."""
        last: dict[int, dict[str, Any]] = {}
        with readable(self.path):
            wanted = ["track", *_label_columns(self.attributes)]
            for batch in batches(self.path, wanted, self.attributes):
                tracks = batch["track"].to_numpy(zero_copy_only=False)
                numbers, places = np.unique(tracks[::-1], return_index=True)
                rows = batch.take(pa.array(len(tracks) - 1 - places)).to_pylist()
                last.update(zip(numbers.tolist(), rows, strict=True))
            for number, row in last.items():
                yield LoggedPerson(_number(number), (_number(number),), self._answers(row))

    def _entries(self, path: Path) -> Iterator[LoggedPerson]:
        """The rows of a table of tracks or of persons."""
        names = column_names(path)
        is_of_tracks = path == tracks_path(self.path)
        _check_columns(names, ["track" if is_of_tracks else "tracks"])
        own = [name for name in ("track", "person", "tracks") if name in names]
        labels = [name for name in _label_columns(self.attributes) if name in names]
        for batch in batches(path, [*own, *labels], self.attributes):
            for row in batch.to_pylist():
                numbers = [row["track"]] if is_of_tracks else (row["tracks"] or "").split()
                tracks = tuple(map(_number, numbers))
                if not tracks:
                    raise ValueError("a person has no tracks")
                person = row.get("person")
                number = tracks[0] if person is None else _number(person)
                yield LoggedPerson(number, tracks, self._answers(row))

    def _answers(self, row: Mapping[str, Any]) -> dict[str, Answer]:
        """What a row says of each attribute; nothing where its cells are empty."""
        found: dict[str, Answer] = {}
        for name, classes in self.attributes.items():
            cells = {each: row.get(f"{name}_{each}") for each in classes}
            probabilities = {each: float(cell) for each, cell in cells.items() if cell is not None}
            if not all(0 <= each <= 1 for each in probabilities.values()):
                raise ValueError(f"a probability of {name!a} is not from 0 to 1")
            if probabilities:
                label = row.get(name) or None
                members = self._words.get(name, {}).get(label or "", ())
                finest = max(members, key=lambda each: probabilities.get(each, 0.0), default=None)
                found[name] = Answer(label, probabilities, finest)
        return found


def _label_columns(attributes: Mapping[str, Sequence[str]]) -> list[str]:
    return [
        column
        for name, classes in attributes.items()
        for column in (name, *(f"{name}_{each}" for each in classes))
    ]


def _check_columns(columns: Sequence[str], needed: Sequence[str]) -> None:
    """Raises ValueError where a column is missing."""
    known = set(columns)
    if missing := [name for name in needed if name not in known]:
        raise ValueError(f"it has no column {missing[0]!a}")


def _number(cell: Any) -> int:
    """The number of a track or a person.

    Raises:
        ValueError: it is none.
    """
    text = str(cell)
    if not (text.isascii() and text.isdigit() and len(text) < 17 and int(text) <= _MAX_NUMBER):
        raise ValueError(f"{text[:20]!a} is no number of a track or a person")
    return int(text)


def _rows(batch: pa.RecordBatch) -> FaceRows:
    cells = {name: batch[name] for name in batch.schema.names}
    count = len(batch)

    def column(name: str, kind: Any, missing: float = 0) -> NDArray[Any]:
        if name not in cells:
            return np.full(count, missing, dtype=kind)
        if name in _NEEDED and cells[name].null_count:
            raise ValueError(f"a cell of {name} is empty")
        filled = pc.fill_null(cells[name], missing)
        return filled.to_numpy(zero_copy_only=False).astype(kind)

    if "time_s" in cells and cells["time_s"].null_count not in (0, count):
        raise ValueError("a cell of time_s is empty")
    left, right = column("left", np.float64), column("right", np.float64)
    top, bottom = column("top", np.float64), column("bottom", np.float64)
    width, height = column("frame_width", np.float64, 1), column("frame_height", np.float64, 1)
    missed = column("missed", np.int64)
    inside = np.minimum(right, width) - np.maximum(left, 0)
    covered = inside.clip(0) * (np.minimum(bottom, height) - np.maximum(top, 0)).clip(0)
    rows = FaceRows(
        column("frame", np.int64),
        column("time_s", np.float64),
        column("track", np.int64),
        (right - left).astype(np.float32),
        (covered / (width * height).clip(1)).astype(np.float32),
        column("quality", np.float32),
        missed == 0,
    )
    if (bottom < top).any() or (width < 1).any() or (height < 1).any() or (missed < 0).any():
        raise ValueError("a box ends before it begins, a frame has no size, or missed is negative")
    _check(rows)
    return rows


def _check(rows: FaceRows) -> None:
    """Raises ValueError where a cell is no number that can be, or frames are out of order."""
    for name in ("time_s", "width_px", "area", "quality"):
        values = getattr(rows, name)
        if not np.isfinite(values).all() or np.abs(values).max(initial=0) > 1e10:
            raise ValueError(f"a cell of {name} is no number that can be")
    if (rows.quality < 0).any() or (rows.quality > 1).any():
        raise ValueError("a cell of quality is not from 0 to 1")
    if (rows.frame < 0).any() or (rows.track < 0).any():
        raise ValueError("a number of a frame or a track is negative")
    if (np.diff(rows.frame) < 0).any() or (np.diff(rows.time_s) < 0).any():
        raise ValueError(_NOT_IN_ORDER)
    if (rows.width_px < 0).any():
        raise ValueError("a box ends before it begins")
