"""Reports of tables: the same as of JSON Lines, and hostile ones named in one line."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from fakes import frame, track

from stream.drawing.overlay import Overlay
from stream.errors import SourceError
from stream.frames import SourceInfo
from stream.people import Settlement
from stream.report.corrections import Corrections
from stream.report.report import make_report
from stream.report.screen_time import Limits
from stream.sinks.contract import Sink
from stream.sinks.data.json_log import JsonLog, log_header
from stream.sinks.data.person_table import PersonTable
from stream.sinks.data.tables import (
    HEADER_NOTE,
    TableLog,
    TrackTable,
    persons_path,
    tracks_path,
)
from stream.sinks.fan_out import Sinks
from stream.sinks.frame_assembler import FrameAssembler
from stream.tracks import Label, Track

_SIZE_WH = (128, 64)
_RACES = {"race": ["Black", "East Asian", "Southeast Asian"]}
_TREE = {"race": {"Asian": ["East Asian", "Southeast Asian"]}}
_CHANCES = {"Black": 0.35, "East Asian": 0.31, "Southeast Asian": 0.34}
_INFO = SourceInfo("film.mp4", "video", _SIZE_WH, fps=12.5)


def _tracks(number: int) -> list[Track]:
    """Two tracks of one person, and one that is too small for a label."""
    asian = Label("Asian", 0.65, _CHANCES, finest="Southeast Asian")
    known = track(1 if number < 10 else 2, (10, 10, 40, 50), {"race": asian})
    return [known, *([track(3, (60, 10, 75, 30), {})] if number % 2 else [])]


def _logs(folder: Path) -> tuple[Path, Path]:
    """The same run as JSON Lines and as Parquet; all its frames have faces."""
    lines, table = folder / "a.jsonl", folder / "b.parquet"
    header = log_header(_INFO, "default", _RACES, blur=False, tree=_TREE)
    sinks: list[Sink] = [
        JsonLog(lines, _INFO, "default", _RACES, tree=_TREE),
        TableLog(table, _RACES, header),
        TrackTable(tracks_path(table), _RACES),
        PersonTable(persons_path(table), _RACES),
    ]
    settlement = Settlement({1: 1, 2: 1, 3: 3}, {})
    with Sinks(sinks, FrameAssembler(Overlay(), _INFO, settle=lambda: settlement)) as out:
        for number in range(20):
            out.write(frame(number, _SIZE_WH, 12.5), _tracks(number))
    return lines, table


def _report(path: Path) -> dict[str, Any]:
    return make_report([path], Corrections(), Limits())


def test_parquet_comes_to_what_json_lines_come_to_but_for_the_name(tmp_path: Path) -> None:
    lines, table = _logs(tmp_path)
    of_lines, of_table = _report(lines), _report(table)
    for report in (of_lines, of_table):
        assert report["files"][0]["source"] == "film.mp4"
        assert report["correction"]["is_named_by_logs"]
        (race,) = report["overall"]["video"]["attributes"].values()
        persons = {group["label"]: group["persons"] for group in race["groups"]}
        assert persons == {"Black": 0, "East Asian": 0, "Southeast Asian": 1, "too small": 1}
        for each in (*report["files"], *report["persons"]):
            each["log"] = "the log"
    assert of_table == of_lines


def _put(name: str, *cells: Any) -> Callable[[pa.Table], pa.Table]:
    """A table whose first rows have other cells in a column."""

    def changed(table: pa.Table) -> pa.Table:
        values = [*cells, *table[name].to_pylist()[len(cells) :]]
        return table.set_column(table.schema.get_field_index(name), name, pa.array(values))

    return changed


def _noted(note: bytes) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.replace_schema_metadata({HEADER_NOTE: note})


_FACES: dict[str, tuple[Callable[[pa.Table], pa.Table], str]] = {
    "quality": (_put("quality", 1.5), "a cell of quality is not from 0 to 1"),
    "missed": (_put("missed", -1), "missed is negative"),
    "size": (_put("frame_width", 0), "a frame has no size"),
    "box": (_put("top", 63.0), "a box ends before it begins"),
    "time": (_put("time_s", 5.0), "its frames are not in their order"),
    "no time": (_put("time_s", None), "a cell of time_s is empty"),
    "half a frame": (_put("frame", 0.5), "truncated"),
    "twice": (lambda table: table.append_column("track", table["track"]), "'track' twice"),
    "classes": (lambda table: table.drop_columns(["race_Black"]), "no column 'race_Black'"),
    "no note": (_noted(b"\xff\x00"), "its header is damaged"),
    "version": (_noted(b'{"schema": "face-stream/9", "size": [1, 1]}'), "its header is damaged"),
    "rate": (
        _noted(b'{"schema": "face-stream/2", "size": [1, 1], "fps": 1e-300}'),
        "its header is damaged: fps",
    ),
}

_PERSONS: dict[str, tuple[Callable[[pa.Table], pa.Table], str]] = {
    "no number": (_put("tracks", "1 x"), "'x' is no number of a track"),
    "too large": (_put("tracks", str(1 << 70)), "is no number of a track"),
    "none": (_put("tracks", None), "a person has no tracks"),
    "probability": (_put("race_Black", -1.0), "a probability of 'race' is not from 0 to 1"),
    "not finite": (_put("race_Black", float("nan")), "a probability of 'race' is not from 0 to 1"),
    "text": (_put("race_Black", *["high"] * 2), "Failed to parse string: 'high'"),
    "another": (lambda table: pa.table({"a": [1]}), "it has no column 'tracks'"),
}


def _replaced(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    with pq.ParquetFile(path) as file:
        notes = file.metadata.metadata or {}
        table = file.read().replace_schema_metadata(
            {key: value for key, value in notes.items() if key == HEADER_NOTE.encode()}
        )
    pq.write_table(change(table), path)


@pytest.mark.parametrize("name", _FACES)
def test_a_damaged_table_of_faces_is_named(name: str, tmp_path: Path) -> None:
    change, reason = _FACES[name]
    _, table = _logs(tmp_path)
    _replaced(table, change)
    _assert_named(table, "b.parquet", reason)


@pytest.mark.parametrize("name", _PERSONS)
def test_a_damaged_table_of_persons_is_named(name: str, tmp_path: Path) -> None:
    change, reason = _PERSONS[name]
    _, table = _logs(tmp_path)
    _replaced(persons_path(table), change)
    _assert_named(table, "b.persons.parquet", reason)


def _assert_named(table: Path, name: str, reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        _report(table)
    assert name in str(caught.value) and reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_columns_of_other_types_are_taken_where_their_values_fit(tmp_path: Path) -> None:
    _, table = _logs(tmp_path)
    before = _report(table)
    _replaced(table, lambda faces: _as(faces, "frame", pa.float64(), ["track", "missed"]))
    assert _report(table) == before


def _as(table: pa.Table, name: str, kind: pa.DataType, texts: Sequence[str]) -> pa.Table:
    """A table as other programs write it anew: a column of another type, others as text."""
    kinds = {name: kind, **dict.fromkeys(texts, pa.string())}
    fields = [pa.field(each.name, kinds.get(each.name, each.type)) for each in table.schema]
    return table.cast(pa.schema(fields, table.schema.metadata))


def test_csv_counts_a_word_for_several_by_the_likeliest_class_of_all(tmp_path: Path) -> None:
    _, table = _logs(tmp_path)
    for path in (table, persons_path(table), tracks_path(table)):
        pa_csv.write_csv(pq.read_table(path), path.with_suffix(".csv"))
    report = _report(table.with_suffix(".csv"))
    (race,) = report["overall"]["video"]["attributes"].values()
    assert {each["label"]: each["persons"] for each in race["groups"]}["Black"] == 1
    assert not report["correction"]["is_named_by_logs"]


def test_csv_keeps_names_that_a_user_chose(tmp_path: Path) -> None:
    """Such as others write for a missing cell, or one that begins as the name of another label."""
    classes = {"hat": ["NA", "null"], "hat_colour": ["red", "blue"]}
    labels = {
        "hat": Label("NA", 0.9, {"NA": 0.9, "null": 0.1}),
        "hat_colour": Label("blue", 0.8, {"red": 0.2, "blue": 0.8}),
    }
    table = tmp_path / "a.csv"
    with Sinks([TableLog(table, classes)], FrameAssembler(Overlay(), _INFO)) as out:
        out.write(frame(0, _SIZE_WH, 12.5), [track(1, (10, 10, 40, 50), labels)])
    attributes = _report(table)["overall"]["video"]["attributes"]
    persons = {
        name: {group["label"]: group["persons"] for group in each["groups"]}
        for name, each in attributes.items()
    }
    assert persons == {"hat": {"NA": 1, "null": 0}, "hat_colour": {"red": 0, "blue": 1}}
