"""The log as a table: one row a face, CSV and Parquet alike."""

import csv
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fakes import SIZE_WH, fan_out, frame, label, person, track

from models.program.cells import read_cell
from stream.drawing.overlay import Overlay
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.sinks import AnnotatedFrame, Sink
from stream.sinks.data.json_log import JsonLog
from stream.sinks.data.table_file import TableFile
from stream.sinks.data.tables import TableLog, TrackTable, face_columns, tracks_path
from stream.sinks.pictures.snapshots import Snapshots
from stream.tracks import Label

_ATTRIBUTES = {"gender": ("Female", "Male")}
_INFO = SourceInfo("numbers", "video", SIZE_WH, 25.0)
_PLACES = [
    "frame",
    "time_s",
    "file",
    "track",
    "person",
    "left",
    "top",
    "right",
    "bottom",
    "score",
    "missed",
    "quality",
    "frame_width",
    "frame_height",
]


def _write(path: Path) -> None:
    log = TableLog(path, _ATTRIBUTES)
    labels = [{"gender": label()}, {"gender": label(None, 0.55)}, {}]
    tracks = [track(number, labels=each) for number, each in enumerate(labels, start=1)]
    log.write(AnnotatedFrame(frame(0), [], Overlay()))
    log.write(AnnotatedFrame(frame(1), tracks, Overlay()))
    log.close(complete=True)


def test_the_columns_are_places_and_then_what_may_be_said() -> None:
    assert list(face_columns(_ATTRIBUTES)) == [
        *_PLACES,
        "gender",
        "gender_confidence",
        "gender_Female",
        "gender_Male",
    ]


def test_csv_has_a_row_a_face_and_nothing_where_nothing_is_said(tmp_path: Path) -> None:
    _write(tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["track"] for row in rows] == ["1", "2", "3"]
    assert {row["frame"] for row in rows} == {"1"}
    assert [row["gender"] for row in rows] == ["Female", "", ""]
    assert [row["gender_confidence"] for row in rows] == ["0.9", "0.55", ""]


def test_parquet_says_the_same_as_csv(tmp_path: Path) -> None:
    for name in ("out.csv", "out.parquet"):
        _write(tmp_path / name)
    table = pq.read_table(tmp_path / "out.parquet").to_pylist()
    with (tmp_path / "out.csv").open(encoding="utf-8") as lines:
        for typed, text in zip(table, csv.DictReader(lines), strict=True):
            for name, value in typed.items():
                if isinstance(value, float):
                    assert value == pytest.approx(float(text[name]), abs=1e-5)
                else:
                    assert text[name] == ("" if value is None else str(value))


def _rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    with path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_row_a_track(ending: str, tmp_path: Path) -> None:
    path = tracks_path(tmp_path / f"out{ending}")
    assert path.name == f"out.tracks{ending}"
    with fan_out([TrackTable(path, _ATTRIBUTES)], Overlay(), _INFO) as sinks:
        for number in range(3):
            sinks.write(frame(number), [track(1, labels={"gender": label(None, 0.55)})])
    (row,) = _rows(path)
    expected = {
        "track": 1,
        "first_s": 0,
        "last_s": 0.08,
        "frames": 3,
        "best_frame": 0,
        "best_s": 0,
        "left": 20,
        "top": 10,
        "right": 60,
        "bottom": 50,
        "quality": 1,
        "gender_confidence": 0.55,
        "gender_Female": 0.55,
        "gender_Male": 0.45,
    }
    assert {name: float(row[name]) for name in expected} == pytest.approx(expected, abs=1e-6)
    assert not row["gender"]
    assert not row["file"]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_the_best_view_has_a_frame_and_a_time_of_its_own(ending: str, tmp_path: Path) -> None:
    table = TrackTable(tmp_path / f"out{ending}", _ATTRIBUTES)
    with fan_out([table], Overlay(), _INFO) as sinks:
        for number, quality in ((10, 0.25), (11, 0.75), (12, 0.5)):
            seen = replace(track(7, (number, 2, 3 * number, 4)), score=0.125, quality=quality)
            sinks.write(frame(number), [seen])
    (row,) = _rows(tmp_path / f"out{ending}")
    expected = {
        "first_s": 0.4,
        "best_frame": 11,
        "best_s": 0.44,
        "last_s": 0.48,
        "left": 11,
        "top": 2,
        "right": 33,
        "bottom": 4,
        "quality": 0.75,
    }
    assert {name: float(row[name]) for name in expected} == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_each_cell_of_a_face_is_its_own(ending: str, tmp_path: Path) -> None:
    log = TableLog(tmp_path / f"out{ending}", _ATTRIBUTES)
    seen = replace(track(9, (1.26, 2, 3, 4)), score=0.125, missed_frames=3, quality=0.25)
    log.write(AnnotatedFrame(frame(5), [seen], Overlay()))
    log.close(complete=True)
    (row,) = _rows(tmp_path / f"out{ending}")
    expected = {
        "frame": 5,
        "time_s": 0.2,
        "track": 9,
        "left": 1.3,
        "top": 2,
        "right": 3,
        "bottom": 4,
        "score": 0.125,
        "missed": 3,
        "quality": 0.25,
    }
    assert {name: float(row[name]) for name in expected} == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_long_table_has_each_row_once_and_in_order(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{ending}"
    table = TableFile(path, {"number": "int64"})
    for first in range(0, 49_000, 7_000):  # in Parquet three groups, and some rows at the end
        table.append([{"number": number} for number in range(first, first + 7_000)])
    table.close(complete=True)
    assert [int(row["number"]) for row in _rows(path)] == [*range(49_000)]


def test_a_long_parquet_file_does_not_wait_in_memory(tmp_path: Path) -> None:
    table = TableFile(tmp_path / "out.parquet", {"number": "int64"})
    table.append([{"number": number} for number in range(30_000)])
    assert table.partial_path.stat().st_size > 30_000
    table.append([{"number": 30_000}])
    table.close(complete=True)
    assert pq.ParquetFile(tmp_path / "out.parquet").num_row_groups == 2


def test_a_row_of_csv_can_be_read_at_once(tmp_path: Path) -> None:
    log = TableLog(tmp_path / "out.csv", _ATTRIBUTES)
    log.write(AnnotatedFrame(frame(0), [track()], Overlay()))
    assert len(_rows(tmp_path / "out.part.csv")) == 1
    log.close(complete=True)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="No such file or directory"):
        TableLog(tmp_path / "none" / "out.csv", _ATTRIBUTES)


@contextmanager
def _reader_that_leaves(path: Path) -> Iterator[None]:
    """A FIFO that can be written into for so long: after that every write is refused."""
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield
    finally:
        os.close(reader)


def _is_open_for_writing(fifo: Path) -> bool:
    """Whoever has read all waits for more while somebody has it open, else is at its end."""
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        while os.read(reader, 65536):
            pass
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(reader)


@pytest.mark.parametrize("name", ["tracks", "log"])
def test_a_last_write_that_is_refused_closes_the_file(name: str, tmp_path: Path) -> None:
    ending = {"tracks": ".csv", "log": ".jsonl"}[name]
    path, partial = tmp_path / f"out{ending}", tmp_path / f"out.part{ending}"
    with _reader_that_leaves(partial):
        sink: Sink = (
            TrackTable(path, _ATTRIBUTES) if name == "tracks" else JsonLog(path, _INFO, "default")
        )
        sink.write(AnnotatedFrame(frame(0), [track(1)], Overlay()))
        assert _is_open_for_writing(partial)
    with pytest.raises(SinkError, match="cannot be written: Broken pipe"):
        sink.close([person()], complete=True)
    assert not _is_open_for_writing(partial)
    assert not path.exists()


def test_a_last_picture_that_is_refused_closes_the_table(tmp_path: Path) -> None:
    sink = Snapshots(tmp_path, _ATTRIBUTES)
    sink.write(AnnotatedFrame(frame(0), [track(1)], Overlay()))
    (tmp_path / "person-0001.jpg" / "in the way").mkdir(parents=True)
    with pytest.raises(SinkError, match=r"person-0001\.jpg cannot be written: Is a directory"):
        sink.close([person()], complete=True)
    assert [each.name for each in tmp_path.iterdir()] == ["person-0001.jpg"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_table_that_a_full_disk_refuses_leaves_nothing(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"out.part{ending}").symlink_to("/dev/full")
    with pytest.raises(SinkError, match=r"cannot be made: No space left on device$"):
        TableLog(tmp_path / f"out{ending}", _ATTRIBUTES)
    assert list(tmp_path.iterdir()) == []


def test_names_that_a_spreadsheet_would_calculate_are_text(tmp_path: Path) -> None:
    attributes = {"=cmd": ("@Female", "-Male")}
    label = Label("-Male", 0.75, {"@Female": 0.25, "-Male": 0.75})
    for ending in (".csv", ".parquet"):
        log = TableLog(tmp_path / f"out{ending}", attributes)
        picture = replace(frame(0), path=Path("+1.jpg"))
        log.write(AnnotatedFrame(picture, [track(1, labels={"=cmd": label})], Overlay()))
        log.close(complete=True)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as lines:
        names, cells = csv.reader(lines)
    assert not [each for each in names if each.startswith(("=", "+", "-", "@"))]
    row = dict(zip(map(read_cell, names), map(read_cell, cells), strict=True))
    assert (row["file"], row["=cmd"], row["=cmd_-Male"]) == ("+1.jpg", "-Male", "0.75")
    (whole,) = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert (whole["file"], whole["=cmd"]) == ("+1.jpg", "-Male")


@pytest.mark.skipif(sys.platform != "linux", reason="names are text there")
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_table_whose_name_is_not_utf_8(ending: str, tmp_path: Path) -> None:
    _write(tmp_path / f"caf\udce9{ending}")
    (made,) = tmp_path.iterdir()
    assert made.name == f"caf\udce9{ending}"
    assert made.stat().st_size > 0
