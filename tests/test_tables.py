"""The log as a table: one row a face, CSV and Parquet alike."""

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from fakes import frame, label, track

from stream.errors import SinkError
from stream.overlay import Overlay
from stream.sinks import Annotated
from stream.sinks.tables import TableLog, table_schema

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
    log.write(Annotated(frame(0), [], Overlay()))
    log.write(Annotated(frame(1), tracks, Overlay()))
    log.close(complete=True)


def test_the_columns_are_places_and_then_what_may_be_said() -> None:
    assert table_schema(_ATTRIBUTES).names == [
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


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="No such file or directory"):
        TableLog(tmp_path / "none" / "out.csv", _ATTRIBUTES)
