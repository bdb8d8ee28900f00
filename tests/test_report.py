"""What logs add up to: the right value of each figure on small logs, and hostile ones."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from stream.errors import ConfigError, SourceError
from stream.report.corrections import Corrections
from stream.report.finding import find_logs
from stream.report.report import make_report
from stream.report.screen_time import Limits
from stream.report.wording import cautions
from stream.sinks.data.tables import face_columns, track_columns

_CLASSES = {"gender": ["Female", "Male"]}
_HEADER = {
    "schema": "face-stream/1",
    "source": "clip.mp4",
    "size": [100, 100],
    "fps": 10.0,
    "model": "somebody's",
    "attributes": _CLASSES,
}


def _labels(female: float, label: str | None) -> dict[str, Any]:
    probabilities = {"Female": female, "Male": round(1 - female, 4)}
    return {"gender": {"label": label, "confidence": 0.9, "probabilities": probabilities}}


_HER, _HIM, _UNSURE = _labels(0.9, "Female"), _labels(0.2, "Male"), _labels(0.5, None)


def _face(track: int, side: float = 20.0, **changes: Any) -> dict[str, Any]:
    box = [0.0, 0.0, side, side]
    face = {"track": track, "box": box, "score": 0.9, "missed": 0, "quality": 0.8, "labels": {}}
    return {**face, **changes}


def _frame(index: int, *faces: Mapping[str, Any], time_s: float | None = None) -> dict[str, Any]:
    return {"frame": index, "time_s": index / 10 if time_s is None else time_s, "faces": [*faces]}


def _track(track: int, labels: Mapping[str, Any]) -> dict[str, Any]:
    return {"track": track, "first_s": 0.0, "last_s": 1.0, "frames": 1, "labels": labels}


def _write(folder: Path, *entries: Mapping[str, Any], name: str = "clip.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(each) + "\n" for each in (_HEADER, *entries)))
    return path


def _report(*paths: Path, limits: Limits | None = None) -> dict[str, Any]:
    return make_report(find_logs(paths), Corrections(), limits or Limits())


def _groups(report: Mapping[str, Any], kind: str = "video") -> dict[str, dict[str, Any]]:
    groups = report["overall"][kind]["attributes"]["gender"]["groups"]
    return {group["label"]: group for group in groups}


def _two_in_ten_frames(folder: Path) -> Path:
    """She in frames 0 to 9, he, larger, in 5 to 9, nobody in 10 to 19."""
    both = [_frame(i, _face(1), *([_face(2, side=40.0)] if i >= 5 else [])) for i in range(10)]
    nobody = [_frame(i) for i in range(10, 20)]
    return _write(folder, *both, *nobody, _track(1, _HER), _track(2, _HIM))


def test_screen_time_is_of_the_times_of_the_frames(tmp_path: Path) -> None:
    report = _report(_two_in_ten_frames(tmp_path))
    overall, groups = report["overall"]["video"], _groups(report)
    assert (overall["persons"], overall["total_s"], overall["in_sight_s"]) == (2, 2.0, 1.0)
    her, him = groups["Female"], groups["Male"]
    assert (her["in_sight_s"], her["face_s"], her["largest_s"]) == (1.0, 1.0, 0.5)
    assert (him["in_sight_s"], him["face_s"], him["largest_s"]) == (0.5, 0.5, 0.5)
    assert her["face_share"] == pytest.approx(2 / 3, abs=1e-4)
    assert her["area_share"] == pytest.approx(0.04 / (0.04 + 0.08), abs=1e-4)
    assert her["persons_share"] == her["likeliest_share"] == 0.5


def test_two_of_one_class_at_once_are_in_sight_once(tmp_path: Path) -> None:
    frames = [_frame(i, _face(1), _face(2)) for i in range(10)]
    path = _write(tmp_path, *frames, _track(1, _HER), _track(2, _HER))
    her = _groups(_report(path))["Female"]
    assert (her["persons"], her["in_sight_s"], her["face_s"]) == (2, 1.0, 2.0)


def test_unsure_and_too_small_are_kept_apart(tmp_path: Path) -> None:
    frames = [_frame(i, _face(1), _face(2), _face(3)) for i in range(10)]
    tracks = [_track(1, _HER), _track(2, _UNSURE), _track(3, {})]
    groups = _groups(_report(_write(tmp_path, *frames, *tracks)))
    assert {name: each["persons"] for name, each in groups.items()} == {
        "Female": 1,
        "Male": 0,
        "unsure": 1,
        "too small": 1,
    }


_RACES = {"race": ["Black", "East Asian", "Southeast Asian"]}
_CHANCES = {"Black": 0.35, "East Asian": 0.31, "Southeast Asian": 0.34}


def _asian(suffix: str, folder: Path) -> Path:
    """A log of one person for whom the model has a word for two of three classes."""
    path = folder / f"clip.{suffix}"
    if suffix == "jsonl":
        chances = {"probabilities": _CHANCES, "finest": "Southeast Asian"}
        label = {"race": {"label": "Asian", "confidence": 0.65, **chances}}
        lines = [{**_HEADER, "attributes": _RACES}, _frame(0, _face(1)), _track(1, label)]
        path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    else:
        row = {"frame": 0, "time_s": 0.0, "track": 1, "left": 0.0, "right": 9.0, "missed": 0}
        row |= {"race": "Asian", "race_confidence": 0.65, "quality": 0.5}
        row |= {f"race_{name}": chance for name, chance in _CHANCES.items()}
        _save(path, [row], face_columns(_RACES))
    return path


@pytest.mark.parametrize(
    ("suffix", "counts_as"),
    [("jsonl", "Southeast Asian"), ("parquet", "Black"), ("csv", "Black")],  # no note: of all
)
def test_a_word_for_several_classes_is_no_class(
    suffix: str, counts_as: str, tmp_path: Path
) -> None:
    report = _report(_asian(suffix, tmp_path))
    race = report["overall"]["video"]["attributes"]["race"]
    counts = {group["label"]: group["persons"] for group in race["groups"]}
    assert counts == {name: int(name == counts_as) for name in _CHANCES}
    assert race["by_likeliest"] == 1
    assert [person["labels"] for person in report["persons"]] == [{"race": "Asian"}]
    assert any("1 person labelled by a word for several" in line for line in cautions(report))


def test_any_number_of_words_adds_no_group(tmp_path: Path) -> None:
    tracks = [_track(n, _labels(0.9, f"word {n}")) for n in range(2000)]
    frames = [_frame(0, *(_face(n) for n in range(2000)))]
    groups = _groups(_report(_write(tmp_path, *frames, *tracks)))
    assert {name: each["persons"] for name, each in groups.items()} == {"Female": 2000, "Male": 0}


def test_a_face_that_is_lost_is_not_in_sight(tmp_path: Path) -> None:
    frames = [_frame(i, _face(1, missed=max(i - 4, 0))) for i in range(10)]
    assert _groups(_report(_write(tmp_path, *frames, _track(1, _HER))))["Female"]["face_s"] == 0.5


def test_a_gap_of_a_live_source_counts_as_one_frame(tmp_path: Path) -> None:
    frames = [_frame(0, _face(1)), _frame(1, _face(1)), _frame(2, _face(1), time_s=60.0)]
    assert _groups(_report(_write(tmp_path, *frames, _track(1, _HER))))["Female"]["face_s"] == 0.3


def test_persons_join_tracks(tmp_path: Path) -> None:
    frames = [_frame(0, _face(1)), _frame(1, _face(2)), _frame(2, _face(3))]
    tracks = [{**_track(n, _HIM), "person": n} for n in (1, 2, 3)]
    person = {"person": 1, "tracks": [1, 3], "first_s": 0.0, "last_s": 0.2, "labels": _HER}
    header = {**_HEADER, "schema": "face-stream/2"}
    path = tmp_path / "clip.jsonl"
    lines = [header, *frames, *tracks, person, {**person, "person": 2, "tracks": [2]}]
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    report = _report(path)
    assert report["overall"]["video"]["persons"] == 2
    assert _groups(report)["Female"]["persons"] == 2
    assert sorted(each["face_s"] for each in report["persons"]) == [0.1, 0.2]


def test_a_track_without_a_closing_row_has_its_last_labels(tmp_path: Path) -> None:
    path = _write(tmp_path, _frame(0, _face(1, labels=_HIM)), _frame(1, _face(1, labels=_HER)))
    whole = path.read_text()
    path.write_text(whole + '{"frame": 2, "time_s": 0.2, "fa')
    report = _report(path)
    assert _groups(report)["Female"]["persons"] == 1
    assert report["files"][0]["is_cut_short"]


def test_limits_leave_out_and_say_how_much(tmp_path: Path) -> None:
    path = _two_in_ten_frames(tmp_path)
    wide = _report(path, limits=Limits(min_width_px=30))
    assert wide["overall"]["video"]["persons"] == 1
    assert wide["overall"]["video"]["left_out_s"] == 1.0
    assert wide["parameters"]["min_width_px"] == 30
    none = _report(path, limits=Limits(min_quality=0.9))
    assert none["overall"]["video"]["persons"] == 0


def test_pictures_are_counted_not_timed(tmp_path: Path) -> None:
    pictures = [
        {"frame": i, "file": f"{i}.jpg", "faces": [_face(2 * i), _face(2 * i + 1)]}
        for i in range(3)
    ]
    tracks = [{"track": n, "frames": 1, "labels": _HER if n else _HIM} for n in range(6)]
    report = _report(_write(tmp_path, *pictures, *tracks), _two_in_ten_frames(_folder(tmp_path)))
    her = _groups(report, "pictures")["Female"]
    assert (her["persons"], her["in_sight_s"]) == (5, 3)
    assert report["overall"]["pictures"]["in_sight_s"] == 3
    assert report["overall"]["video"]["persons"] == 2  # not added to one another


def _folder(parent: Path) -> Path:
    folder = parent / "video"
    folder.mkdir()
    return folder


def _tables(folder: Path, suffix: str, with_tracks: bool) -> Path:
    """The log of `_two_in_ten_frames` as tables, which have no rows of frames without faces."""
    her = {"gender": "Female", "gender_confidence": 0.9, "gender_Female": 0.9, "gender_Male": 0.1}
    him = {"gender": "Male", "gender_confidence": 0.8, "gender_Female": 0.2, "gender_Male": 0.8}
    rows = []
    for i in [*range(10), *range(20, 25)]:
        both = [(1, 20.0, her), *([(2, 40.0, him)] if 5 <= i < 20 else [])]
        rows += [
            {"frame": i, "time_s": i / 10, "track": track, "left": 0.0, "top": 0.0, "missed": 0}
            | {"right": side, "bottom": side, "quality": 0.8, "score": 0.9}
            | {"frame_width": 100, "frame_height": 100, **labels}
            for track, side, labels in both
        ]
    path = folder / f"clip.{suffix}"
    _save(path, rows, face_columns(_CLASSES))
    if with_tracks:
        ended = [{"track": 1, "quality": 0.8, **her}, {"track": 2, "quality": 0.8, **him}]
        _save(folder / f"clip.tracks.{suffix}", ended, track_columns(_CLASSES))
    return path


def _save(path: Path, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    schema = pa.schema([(name, getattr(pa, kind)()) for name, kind in columns.items()])
    table = pa.Table.from_pylist(list(rows), schema)
    if path.suffix == ".csv":
        pa_csv.write_csv(table, path)
    else:
        pq.write_table(table, path)


@pytest.mark.parametrize("with_tracks", [True, False])
@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_tables_come_to_the_same(suffix: str, with_tracks: bool, tmp_path: Path) -> None:
    path = _tables(tmp_path, suffix, with_tracks)
    groups = _groups(_report(path))
    her, him = groups["Female"], groups["Male"]
    assert (her["face_s"], him["face_s"]) == (1.5, 0.5)  # of frame 9 one interval, not a second
    assert (her["largest_s"], him["largest_s"]) == (1.0, 0.5)
    assert her["persons"] == him["persons"] == 1
    assert her["area_share"] == pytest.approx(0.06 / 0.14, abs=1e-4)


def test_parts_that_are_read_one_by_one_come_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _two_in_ten_frames(tmp_path)
    whole = _report(path)
    monkeypatch.setattr("stream.report.json_logs._ROWS", 3)
    parts = _report(path)
    assert parts["overall"] == whole["overall"] and parts["persons"] == whole["persons"]


def test_attributes_are_crossed(tmp_path: Path) -> None:
    classes = {**_CLASSES, "age": ["young", "old"]}
    old = {"label": "old", "confidence": 0.9, "probabilities": {"young": 0.1, "old": 0.9}}
    header = {**_HEADER, "attributes": classes}
    lines = [header, _frame(0, _face(1), _face(2)), _track(1, {**_HER, "age": old})]
    path = tmp_path / "clip.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in [*lines, _track(2, _HIM)]))
    (crossing,) = _report(path)["overall"]["video"]["crossings"]
    assert crossing["attributes"] == ["gender", "age"]
    assert {tuple(each["labels"]): each["persons"] for each in crossing["groups"]} == {
        ("Female", "old"): 1,
        ("Male", "too small"): 1,
    }


def test_attributes_beyond_the_eighth_are_not_crossed(tmp_path: Path) -> None:
    classes = {f"trait {n}": ["a", "b"] for n in range(40)}
    sure = {"label": "a", "confidence": 0.9, "probabilities": {"a": 0.9, "b": 0.1}}
    lines = [{**_HEADER, "attributes": classes}, _frame(0, _face(1))]
    path = tmp_path / "clip.jsonl"
    lines.append(_track(1, dict.fromkeys(classes, sure)))
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    report = _report(path)
    overall = report["overall"]["video"]
    assert len(overall["attributes"]) == 40 and len(overall["crossings"]) == 8 * 7 / 2
    assert any("of 40 attributes the first 8 are crossed" in line for line in cautions(report))


def test_a_timeline_widens_its_bins_and_loses_nothing(tmp_path: Path) -> None:
    frames = [_frame(i, _face(1), time_s=float(i)) for i in range(500)]
    path = _write(tmp_path, *frames, _track(1, _HER))
    timeline = _report(path)["files"][0]["timelines"]["gender"]
    assert timeline["bin_s"] == 8.0 and len(timeline["face_s"]["Female"]) == 63
    assert sum(timeline["face_s"]["Female"]) == pytest.approx(499.1)


def test_raw_shares_say_why_they_are_not_corrected(tmp_path: Path) -> None:
    report = _report(_two_in_ten_frames(tmp_path))
    assert "--model" in report["correction"]["raw"]["gender"]
    assert "corrected" not in _groups(report)["Female"]


def test_logs_of_the_model_that_ships_are_corrected(tmp_path: Path) -> None:
    frames = [_frame(0, *(_face(n, side=70.0) for n in range(40)))]
    tracks = [_track(n, _HER if n < 25 else _HIM) for n in range(40)]
    path = tmp_path / "clip.jsonl"
    lines = [{**_HEADER, "model": "default"}, *frames, *tracks]
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    report = _report(path)
    her, him = _groups(report)["Female"], _groups(report)["Male"]
    share = her["corrected"]["persons_share"]
    assert share["low"] < share["value"] < share["high"]
    assert share["value"] + him["corrected"]["persons_share"]["value"] == pytest.approx(1, abs=1e-3)
    assert report["correction"]["tests"]["gender"]["views"]


def test_a_folder_has_each_source_once_and_no_tables_beside_logs(tmp_path: Path) -> None:
    _two_in_ten_frames(tmp_path)
    _tables(tmp_path, "parquet", with_tracks=True)
    for name in ("summary.parquet", "persons.parquet", "features.parquet"):
        pq.write_table(pa.table({"a": [1]}), tmp_path / name)
    (tmp_path / ".hidden.jsonl").write_text("")
    (tmp_path / "clip.part.jsonl").write_text("")
    assert find_logs([tmp_path, tmp_path / "clip.jsonl"]) == [tmp_path / "clip.jsonl"]


def test_what_is_no_log_is_refused_by_name(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.jsonl", _written(tmp_path / "a.txt", b"")):
        with pytest.raises(ConfigError, match=str(path)):
            find_logs([path])


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _line(**changes: Any) -> bytes:
    return (json.dumps(_HEADER) + "\n" + json.dumps({**_frame(0, _face(1)), **changes})).encode()


_HOSTILE = {
    "empty.jsonl": b"",
    "binary.jsonl": bytes(range(256)) * 10,
    "version.jsonl": json.dumps({**_HEADER, "schema": "face-stream/9"}).encode(),
    "nan.jsonl": _line(time_s=float("nan")),
    "huge.jsonl": _line(time_s=1e300),
    "box.jsonl": _line(faces=[_face(1, box=[5.0, 0.0, 1.0, 1.0])]),
    "number.jsonl": _line(frame=-1),
    "two.jsonl": _line() + b"\n" + json.dumps(_HEADER).encode() + b"\n",
    "mixed.jsonl": _line() + b'\n{"frame": 1, "file": "a.jpg", "faces": []}\n',
    "rate.jsonl": json.dumps({**_HEADER, "fps": 1e-300}).encode() + b"\n",
    "empty.parquet": b"",
    "binary.parquet": b"PAR1" + bytes(range(256)) + b"PAR1",
    "empty.csv": b"",
    "binary.csv": bytes(range(256)),
    "columns.csv": b"a,b\n1,2\n",
    "nan.csv": b"frame,track,left,right,missed,time_s,quality\n0,1,0,nan,0,0,0\n",
    "text.csv": b"frame,track,left,right,missed,time_s\n0,one,0,5,0,0\n",
    "order.csv": b"frame,track,left,right,missed,time_s\n5,1,0,5,0,0\n4,1,0,5,0,0\n",
    "ragged.csv": b"frame,track,left,right,missed,time_s\n5,1\n",
}


@pytest.mark.parametrize("name", _HOSTILE)
def test_a_damaged_log_is_named_and_the_others_are_counted(name: str, tmp_path: Path) -> None:
    bad = _written(tmp_path / name, _HOSTILE[name])
    with pytest.raises(SourceError, match=name):
        _report(bad)
    report = _report(bad, _two_in_ten_frames(_folder(tmp_path)))
    assert report["overall"]["video"]["persons"] == 2
    (left_out,) = report["left_out"]
    assert left_out["log"] == str(bad) and "\n" not in left_out["reason"]


def test_negative_times_are_times(tmp_path: Path) -> None:
    frames = [_frame(i, _face(1), time_s=i / 10 - 5) for i in range(10)]
    assert _groups(_report(_write(tmp_path, *frames, _track(1, _HER))))["Female"]["face_s"] == 1.0


def test_other_classes_are_not_added(tmp_path: Path) -> None:
    first = _two_in_ten_frames(tmp_path)
    header = {**_HEADER, "attributes": {"gender": ["man", "woman"]}}
    second = _written(tmp_path / "other.jsonl", json.dumps(header).encode() + b"\n")
    (left_out,) = _report(first, second)["left_out"]
    assert "has other classes of gender" in left_out["reason"]


def test_many_persons_take_little(tmp_path: Path) -> None:
    path = tmp_path / "clip.jsonl"
    with path.open("w") as file:
        file.write(json.dumps(_HEADER) + "\n")
        for i in range(100):
            faces = [_face(i * 100 + n, labels={}) for n in range(100)]
            file.write(json.dumps(_frame(i, *faces)) + "\n")
    report = _report(path)
    assert report["overall"]["video"]["persons"] == 10_000
    assert len(report["persons"]) == 100
