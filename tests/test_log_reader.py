"""Logs from elsewhere: a day long, cut short, damaged or made to do harm."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import write_numbers
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from peak_memory import run_measured

from stream.errors import SourceError
from stream.sinks.data.log_reader import LogReader

_ROOT = Path(__file__).parents[1]
_MAX_MEMORY_MB = 500
_SIZE = [96, 64]


def _header(**changes: Any) -> dict[str, Any]:
    attributes = {"gender": ["Female", "Male"]}
    return {"schema": "face-stream/1", "size": _SIZE, "attributes": attributes} | changes


def _face(**changes: Any) -> dict[str, Any]:
    label = {"label": "Female", "confidence": 0.7, "probabilities": {"Female": 0.7, "Male": 0.3}}
    face = {"track": 7, "box": [10, 10, 50.5, 50], "score": 1, "labels": {"gender": label}}
    return face | changes


def _frame(*faces: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"frame": 0, "time_s": 0, "faces": list(faces)} | changes


def _lines(*entries: dict[str, Any]) -> str:
    return "".join(json.dumps(entry) + "\n" for entry in entries)


def _with_label(**changes: Any) -> dict[str, Any]:
    label = {"label": None, "confidence": 0.5, "probabilities": {"Female": 0.5, "Male": 0.5}}
    return _frame(_face(labels={"gender": label | changes}))


def _reader(folder: Path, text: str | bytes) -> LogReader:
    path = folder / "out.jsonl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return LogReader(path)


def test_frames_and_tracks_come_back_in_order(tmp_path: Path) -> None:
    text = _lines(_header(), _frame(_face()), {"track": 7, "frames": 1}, {"later": "version"})
    entries = list(_reader(tmp_path, text).entries())
    assert [each.get("frame") for each in entries] == [0, None, None]
    assert entries[0]["faces"][0]["box"] == (10, 10, 50.5, 50)
    assert entries[1]["track"] == 7


@pytest.mark.parametrize(("version", "is_read"), [(1, True), (2, True), (3, False)])
def test_both_versions_are_read_and_no_later_one(
    version: int, is_read: bool, tmp_path: Path
) -> None:
    text = _lines(_header(schema=f"face-stream/{version}"), _frame(_face()))
    if is_read:
        assert len(list(_reader(tmp_path, text).entries())) == 1
        return
    with pytest.raises(SourceError, match=r"is not a log of face-stream/2"):
        _reader(tmp_path, text)


def test_a_log_of_a_day_is_valid(tmp_path: Path) -> None:
    frames = (_frame(_face(), frame=number, time_s=number * 4.0) for number in range(21_600))
    reader = _reader(tmp_path, _lines(_header(), *frames))
    assert sum(1 for _ in reader.entries()) == 21_600


@pytest.mark.parametrize("cut", range(1, len(_lines(_frame(_face())))))
def test_a_last_line_that_is_cut_short_is_passed_over(cut: int, tmp_path: Path) -> None:
    text = _lines(_header(), _frame(_face())) + _lines(_frame(_face(), frame=1))[:cut]
    whole = cut == len(_lines(_frame(_face(), frame=1))) - 1
    assert len(list(_reader(tmp_path, text).entries())) == 1 + whole


_NUMBER_OUT_OF_RANGE = 10**30
_DAMAGES: dict[str, str | bytes] = {
    "NaN": _lines(_frame(_face(box=[0, 0, float("nan"), 9]))),
    "infinite": _lines(_frame(_face(box=[0, 0, float("inf"), 9]))),
    "infinite by digits": _lines(_frame(_face())).replace("50.5", "1e999"),
    "huge box": _lines(_frame(_face(box=[-1e9, -1e9, 1e9, 1e9]))),
    "box upside down": _lines(_frame(_face(box=[50, 50, 10, 10]))),
    "box of three": _lines(_frame(_face(box=[0, 0, 9]))),
    "box of text": _lines(_frame(_face(box=["0", "0", "9", "9"]))),
    "score NaN": _lines(_frame(_face(score=float("nan")))),
    "score text": _lines(_frame(_face(score="1"))),
    "track text": _lines(_frame(_face(track="7"))),
    "track true": _lines(_frame(_face(track=True))),
    "track below 0": _lines(_frame(_face(track=-1))),
    "track huge": _lines(_frame(_face(track=_NUMBER_OUT_OF_RANGE))),
    "track of a list": _lines({"track": [1]}),
    "person of a face below 0": _lines(_frame(_face(person=-1))),
    "person text": _lines({"person": "1", "tracks": [1]}),
    "person without tracks": _lines({"person": 1, "tracks": []}),
    "tracks of nobody": _lines({"tracks": [1, 2]}),
    "tracks text": _lines({"person": 1, "tracks": ["1"]}),
    "class of a person unknown": _lines(
        {"person": 1, "tracks": [1], "labels": {"gender": {"probabilities": {"Other": 1}}}}
    ),
    "missed half": _lines(_frame(_face(missed=0.5))),
    "quality 2": _lines(_frame(_face(quality=2))),
    "frame huge": _lines(_frame(frame=_NUMBER_OUT_OF_RANGE)),
    "frame null": _lines(_frame(frame=None)),
    "time NaN": _lines(_frame(time_s=float("nan"))),
    "time huge": _lines(_frame(time_s=1e300)),
    "time goes back": _lines(_frame(frame=1, time_s=-1)),
    "frame goes back": _lines(_frame(frame=0, time_s=1)),
    "size of nothing": _lines(_frame(frame=1, size=[0, -1])),
    "size huge": _lines(_frame(frame=1, size=[10**7, 10**7])),
    "time missing": _lines({"frame": 0, "faces": []}),
    "faces missing": _lines({"frame": 0, "time_s": 0}),
    "faces of an object": _lines(_frame(faces={"a": 1})),
    "probability NaN": _lines(_with_label(probabilities={"Female": float("nan"), "Male": 1})),
    "probability 5": _lines(_with_label(probabilities={"Female": 5, "Male": 0})),
    "probabilities 0": _lines(_with_label(probabilities={"Female": 0, "Male": 0})),
    "probabilities list": _lines(_with_label(probabilities=[0.5, 0.5])),
    "probabilities none": _lines(_with_label(probabilities={})),
    "class unknown": _lines(_with_label(probabilities={"Other": 1})),
    "attribute unknown": _lines(_frame(_face(labels={"race": {"probabilities": {"a": 1}}}))),
    "half a character": _lines(_with_label(label="Fe\ud800male")),
    "list": "[1]\n",
    "number": "7\n",
    "no JSON": "hello\n",
    "no JSON at the end": "hello",
    "not UTF-8": b'{"frame": 0, "time_s": 0, "faces": [], "file": "\xff"}\n',
    "NUL": b"\0" * 1000 + b"\n",
    "long line": '{"x": "' + "x" * (16 << 20) + '"}\n',
    "long line at the end": '{"x": "' + "x" * (16 << 20),
    "too many faces": _lines(_frame(*[_face(labels={})] * 10_001)),
    "too many lists": '{"x": [' + "[]," * 2_000_000 + "0]}\n",
    "too many values": '{"x": [' + "0," * 4_000_000 + "0]}\n",
    "deep lists": "[" * 100_000 + "\n",
    "deep lists at the end": "[" * 100_000 + "]" * 100_000,
    "deep objects": '{"a":' * 100_000 + "1" + "}" * 100_000 + "\n",
    "number of digits": '{"frame": ' + "9" * (15 << 20) + "}\n",
}


@pytest.mark.parametrize("name", _DAMAGES)
def test_a_damage_anywhere_is_named_with_its_line(name: str, tmp_path: Path) -> None:
    damage = _DAMAGES[name]
    before = _lines(_header(), _frame(_face())).encode()
    content = before + (damage if isinstance(damage, bytes) else damage.encode())
    with pytest.raises(SourceError, match=r"out\.jsonl is damaged in line 3: ") as caught:
        _reader(tmp_path, content)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "change",
    [
        {"size": [96]},
        {"size": [0, 64]},
        {"size": ["96", "64"]},
        {"size": [10**9, 10**9]},
        {"fps": float("nan")},
        {"fps": -1},
        {"attributes": []},
        {"attributes": {"gender": "Female"}},
        {"attributes": {"gender": [1, 2]}},
        {"attributes": {"a": [str(number) for number in range(1001)]}},
        {"attributes": {str(number): ["a", "b"] for number in range(501)}},
        {"attributes": {"gender": ["x" * 1000, "y"]}},
        {"attributes": {"gender": ["confidence", "y"]}},
    ],
    ids=lambda change: str(change)[:40],
)
def test_a_wrong_header_is_named(change: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="damaged in line 1: "):
        _reader(tmp_path, _lines(_header(**change)))


def test_a_thousand_classes_and_ten_thousand_faces_are_read(tmp_path: Path) -> None:
    classes = {"a": [str(number) for number in range(1000)]}
    faces = [_face(labels={}, track=number) for number in range(10_000)]
    text = _lines(_header(attributes=classes), _frame(*faces))
    (entry,) = _reader(tmp_path, text).entries()
    assert len(entry["faces"]) == 10_000


@pytest.mark.skipif(sys.platform != "linux", reason="has other devices")
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_regular_file_is_not_waited_for(
    make: Callable[[Path], object], tmp_path: Path
) -> None:
    make(tmp_path / "out.jsonl")
    with pytest.raises(SourceError, match="a pipe or a device, not a regular file"):
        LogReader(tmp_path / "out.jsonl")


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_table_is_no_log_to_be_rendered(name: str, tmp_path: Path) -> None:
    content = {"out.csv": b"frame,time_s\n0,0\n", "out.parquet": b"PAR1" + bytes(1000)}[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=r"is not a log of .*: give a \.jsonl"):
        LogReader(tmp_path / name)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux states it")
@pytest.mark.parametrize(
    "name", ["huge box", "long line", "too many faces", "too many lists", "deep lists", "sparse"]
)
def test_render_refuses_it_in_one_line_and_little_memory(name: str, tmp_path: Path) -> None:
    video = write_numbers(tmp_path / "numbers.mp4", 4)
    log = tmp_path / "out.jsonl"
    if name == "sparse":
        _sparse(log)
    else:
        log.write_text(_lines(_header(), _frame(_face())) + str(_DAMAGES[name]))
    command = ["render", str(video), str(log), "--no-show", "--save", str(tmp_path / "again.mp4")]
    program = run_measured(["-m", "stream", *command], _ROOT)
    assert program.returncode == 2, program.stderr
    assert program.stderr.count("\n") == 1
    assert program.peak_mb < _MAX_MEMORY_MB
    assert not (tmp_path / "again.mp4").exists()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
_KEYS = ("frame", "time_s", "faces", "track", "box", "score", "labels", "schema", "size")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    entry=st.dictionaries(st.sampled_from(_KEYS), _JSON),
    face=st.dictionaries(st.sampled_from(_KEYS), _JSON),
    tail=st.binary(max_size=50),
)
@example(entry={"time_s": float("inf")}, face={"box": [float("nan")] * 4}, tail=b"\xff")
def test_no_log_is_a_traceback(
    entry: dict[str, Any], face: dict[str, Any], tail: bytes, tmp_path: Path
) -> None:
    text = _lines(_header(), _frame(_face() | face), entry)
    for content in (text.encode() + tail, _lines(_header() | entry).encode() + tail, tail):
        try:
            for _ in _reader(tmp_path, content).entries():
                pass
        except SourceError as error:
            assert "\n" not in str(error)
