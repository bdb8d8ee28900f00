"""The log as a table: one row a face, CSV and Parquet alike."""

import csv
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fakes import SIZE_WH, frame, label, track

from stream.drawing.overlay import Overlay
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.sinks import AnnotatedFrame
from stream.sinks.data.tables import TableLog, TrackTable, face_columns, tracks_path

_ATTRIBUTES = {"gender": ("Female", "Male")}
_PLACES = [
    "frame",
    "time_s",
    "file",
    "track",
    "left",
    "top",
    "right",
    "bottom",
    "score",
    "missed",
    "quality",
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
    info = SourceInfo("numbers", "video", SIZE_WH, 25.0)
    table = TrackTable(path, info, _ATTRIBUTES)
    for number in range(3):
        people = [track(1, labels={"gender": label(None, 0.55)})]
        table.write(AnnotatedFrame(frame(number), people, Overlay()))
    table.close(complete=True)
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


def test_a_row_of_csv_can_be_read_at_once(tmp_path: Path) -> None:
    log = TableLog(tmp_path / "out.csv", _ATTRIBUTES)
    log.write(AnnotatedFrame(frame(0), [track()], Overlay()))
    assert len(_rows(tmp_path / "out.part.csv")) == 1
    log.close(complete=True)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="No such file or directory"):
        TableLog(tmp_path / "none" / "out.csv", _ATTRIBUTES)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_table_that_a_full_disk_refuses_leaves_nothing(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"out.part{ending}").symlink_to("/dev/full")
    with pytest.raises(SinkError, match=r"cannot be made: No space left on device$"):
        TableLog(tmp_path / f"out{ending}", _ATTRIBUTES)
    assert list(tmp_path.iterdir()) == []
