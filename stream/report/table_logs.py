"""Logs as tables, Parquet or CSV, as persons and faces: only the columns that are needed."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.label_names import CONFIDENCE, MAX_CLASSES, check_label_names
from models.safe_files import UnfitFileError, open_regular
from stream.errors import SourceError
from stream.report.rows import Answer, FaceRows, LoggedPerson
from stream.sinks.data.tables import face_columns, persons_path, tracks_path

_ROWS = 65_536
"""Rows that are read at a time; more take more memory."""

_COLUMNS = (
    *("frame", "time_s", "track", "left", "top", "right", "bottom"),
    *("missed", "quality", "frame_width", "frame_height"),
)
"""Columns that are read of faces."""

_MAX_COLUMNS = len(face_columns({})) + 4 * MAX_CLASSES
"""Columns of a table at most."""

_NOT_IN_ORDER = "its frames are not in their order"
"""What is wrong with a table whose frames go back."""

_CSV_BLOCK_BYTES = 4 << 20
"""Bytes of CSV that are read at a time; more take more memory."""

_HEADER_BYTES = 1 << 20
"""Length of the first line of CSV at most, bytes."""


_NEEDED = frozenset({"frame", "track", "left", "right", "missed"})
"""Columns without which a table is no log."""


def is_log_table(path: Path) -> bool:
    """Whether a table that lies in a folder has the columns of a log."""
    try:
        with _readable(path):
            return set(_column_names(path)) >= _NEEDED
    except SourceError:
        return True  # a damaged one is named when it is read


class TableLog:
    """A log as a table of faces, with its tables of tracks and persons beside it where they are.

    Raises:
        SourceError: it is not a log of this program, or damaged.
    """

    has_all_frames = False
    fps: float | None = None
    model: str | None = None
    source = ""
    is_cut_short = False

    def __init__(self, path: Path) -> None:
        self.path = path
        with _readable(path):
            self._columns = _column_names(path)
            if missing := sorted(_NEEDED - set(self._columns)):
                raise SourceError(
                    f"{path} is not a log: it has no column {missing[0]}; give what --log wrote"
                )
            self.attributes: Mapping[str, tuple[str, ...]] = _attributes(self._columns)
            check_label_names(self.attributes.items())
            self.is_pictures = _is_of_pictures(path, self._columns)

    def __repr__(self) -> str:
        return f"TableLog({self.path})"

    def persons(self) -> Iterator[LoggedPerson]:
        """Its persons: of its own rows the last of each track, then what stands beside it."""
        tracks, persons = tracks_path(self.path), persons_path(self.path)
        if not tracks.exists() and not persons.exists():
            yield from self._last_rows()
        for beside in (tracks, persons):
            if beside.exists():
                with _readable(beside):
                    yield from _entries(beside, self.attributes)

    def faces(self) -> Iterator[FaceRows]:
        """Its faces, part by part."""
        with _readable(self.path):
            wanted = [name for name in _COLUMNS if name in self._columns]
            before = 0
            for batch in _batches(self.path, wanted):
                if len(batch):
                    rows = _rows(batch)
                    if rows.frame[0] < before:
                        raise ValueError(_NOT_IN_ORDER)
                    before = int(rows.frame[-1])
                    yield rows

    def _last_rows(self) -> Iterator[LoggedPerson]:
        """The labels of each track in its last row, with labels if any has."""
        last: dict[int, dict[str, Any]] = {}
        with _readable(self.path):
            wanted = ["track", *_label_columns(self.attributes)]
            for batch in _batches(self.path, wanted):
                tracks = batch["track"].to_numpy(zero_copy_only=False)
                numbers, places = np.unique(tracks[::-1], return_index=True)
                rows = batch.take(pa.array(len(tracks) - 1 - places)).to_pylist()
                last.update(zip(numbers.tolist(), rows, strict=True))
        for number, row in last.items():
            yield LoggedPerson(int(number), (int(number),), _answers(row, self.attributes))


def _is_of_pictures(path: Path, columns: Sequence[str]) -> bool:
    """Whether the first rows have no times, as those of pictures do."""
    if "time_s" not in columns:
        return True
    first = next(_batches(path, ["time_s"]), None)
    return first is not None and 0 < len(first) == first["time_s"].null_count


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Translates whatever a file that is none, or a damaged one, makes Arrow say."""
    try:
        with open_regular(path):
            pass
        yield
    except UnfitFileError as error:
        raise SourceError(f"{path} {error}") from error
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError, TypeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise SourceError(f"{path} is not a log that can be read: {reason}") from error


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _column_names(path: Path) -> list[str]:
    if _is_csv(path):
        with path.open(encoding="utf-8", newline="") as file:
            names = next(csv.reader([file.readline(_HEADER_BYTES)]), [])
    else:
        names = list(pq.read_schema(path).names)
    if len(names) > _MAX_COLUMNS:
        raise ValueError(f"it has {len(names)} columns")
    return names


def _attributes(columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The classes of each attribute, by the names of the columns."""
    own = set(columns)
    names = [name for name in columns if f"{name}_{CONFIDENCE}" in own]
    return {
        name: tuple(
            each.removeprefix(f"{name}_")
            for each in columns
            if each.startswith(f"{name}_") and each != f"{name}_{CONFIDENCE}"
        )
        for name in names
    }


def _label_columns(attributes: Mapping[str, Sequence[str]]) -> list[str]:
    return [
        column
        for name, classes in attributes.items()
        for column in (name, *(f"{name}_{each}" for each in classes))
    ]


def _batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a table, part by part, of some columns."""
    if not _is_csv(path):
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(_ROWS, columns=list(columns))
        return
    types = {name: getattr(pa, kind)() for name, kind in face_columns({}).items()}
    texts = {name: types.get(name, pa.string()) for name in columns}
    options = pa_csv.ConvertOptions(
        include_columns=list(columns), column_types=texts, strings_can_be_null=True
    )
    blocks = pa_csv.ReadOptions(block_size=_CSV_BLOCK_BYTES, use_threads=False)
    with pa_csv.open_csv(path, read_options=blocks, convert_options=options) as reader:
        yield from reader


def _entries(path: Path, attributes: Mapping[str, Sequence[str]]) -> Iterator[LoggedPerson]:
    """The rows of a table of tracks or of persons."""
    names = _column_names(path)
    own = [name for name in ("track", "person", "tracks") if name in names]
    labels = [name for name in _label_columns(attributes) if name in names]
    for batch in _batches(path, [*own, *labels]):
        for row in batch.to_pylist():
            tracks = row.get("tracks")
            numbers = [row["track"]] if tracks is None else str(tracks).split()
            number = row.get("person")
            yield LoggedPerson(
                int(numbers[0] if number is None else number),
                tuple(map(int, numbers)),
                _answers(row, attributes),
            )


def _answers(row: Mapping[str, Any], attributes: Mapping[str, Sequence[str]]) -> dict[str, Answer]:
    """What a row says of each attribute; nothing where its cells are empty."""
    found: dict[str, Answer] = {}
    for name, classes in attributes.items():
        cells = {each: row.get(f"{name}_{each}") for each in classes}
        probabilities = {each: float(cell) for each, cell in cells.items() if cell is not None}
        if probabilities:
            found[name] = Answer(row.get(name) or None, probabilities)
    return found


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

    left, right = column("left", np.float64), column("right", np.float64)
    top, bottom = column("top", np.float64), column("bottom", np.float64)
    width, height = column("frame_width", np.float64, 1), column("frame_height", np.float64, 1)
    inside = np.minimum(right, width) - np.maximum(left, 0)
    covered = inside.clip(0) * (np.minimum(bottom, height) - np.maximum(top, 0)).clip(0)
    rows = FaceRows(
        column("frame", np.int64),
        column("time_s", np.float64),
        column("track", np.int64),
        (right - left).astype(np.float32),
        (covered / (width * height).clip(1)).astype(np.float32),
        column("quality", np.float32),
        column("missed", np.int64) == 0,
    )
    _check(rows)
    return rows


def _check(rows: FaceRows) -> None:
    """Raises ValueError where a cell is no number, or frames are out of order."""
    for name in ("time_s", "width_px", "area", "quality"):
        values = getattr(rows, name)
        if not np.isfinite(values).all() or np.abs(values).max(initial=0) > 1e10:
            raise ValueError(f"a cell of {name} is no number that can be")
    if (rows.frame < 0).any() or (rows.track < 0).any() or (np.diff(rows.frame) < 0).any():
        raise ValueError(_NOT_IN_ORDER)
    if (rows.width_px < 0).any():
        raise ValueError("a box ends before it begins")
