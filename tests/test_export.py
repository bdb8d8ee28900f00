"""`face-stream export`: the right frames, marked faces in three forms, and back into training."""

import csv
import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fakes import SIZE_WH, fan_out, frame, number_of, track, write_numbers
from training_helpers import face_picture
from typer.testing import CliRunner

from stream.cli.app import app
from stream.controls import Controls
from stream.drawing.overlay import Overlay
from stream.errors import ConfigError, SourceError
from stream.export.export import FORMS, export
from stream.export.logs import open_log
from stream.frames import SourceInfo
from stream.people import Settlement
from stream.settings.schema import RecorderSection
from stream.sinks import Sinks
from stream.sinks.contract import Sink
from stream.sinks.data.json_log import JsonLog, log_header
from stream.sinks.data.log_reader import LogReader
from stream.sinks.data.person_table import PersonTable
from stream.sinks.data.tables import TableLog, persons_path
from stream.sinks.frame_assembler import FrameAssembler
from stream.sinks.video.video_file import VideoFile
from stream.sources.video import VideoSource
from stream.tracks import Label, Track
from training.commands.app import app as train_app
from training.datasets import Samples, read_dataset
from training.features.table_files import read_table

_ATTRIBUTES = {"gender": ("Female", "Male"), "race": ("Black", "Latino_Hispanic", "White")}
_FPS = 10.0
_FORMATS = pytest.mark.parametrize("ending", ["jsonl", "parquet"])


def _labels(gender: str | None, race: str | None) -> dict[str, Label]:
    labels = {}
    for (name, classes), text in zip(_ATTRIBUTES.items(), (gender, race), strict=True):
        labels[name] = Label(text, 0.8, dict.fromkeys(classes, 1 / len(classes)))
    return labels


_TWO = [
    track(1, (10, 10, 40, 50), _labels("Female", "White")),
    track(2, (50.5, 12.5, 120, 60), _labels("Male", None)),
]


def _log(
    path: Path,
    tracks: Callable[[int], Sequence[Track]] = lambda number: _TWO,
    *,
    count: int = 30,
    size_wh: tuple[int, int] = SIZE_WH,
    controls: Controls | None = None,
    blur: bool = False,
    kind: Any = "video",
) -> Path:
    """A log of a clip of so many frames."""
    info = SourceInfo("clip.mp4", kind, size_wh, fps=_FPS)
    with fan_out(_sinks(path, info, blur), Overlay(), info, controls) as sinks:
        for number in range(count):
            each = frame(number, size_wh, _FPS)
            if kind == "pictures":
                each = replace(each, path=Path(f"{number}.png"))
            sinks.write(each, tracks(number))
    return path


def _sinks(path: Path, info: SourceInfo, blur: bool) -> list[Sink]:
    if path.suffix == ".jsonl":
        return [JsonLog(path, info, "default", _ATTRIBUTES, blur=blur)]
    return [
        TableLog(path, _ATTRIBUTES, log_header(info, "default", _ATTRIBUTES, blur=blur, tree={}))
    ]


def _clip(folder: Path, count: int = 30) -> str:
    path = folder / "clip.mp4"
    return str(path if path.exists() else write_numbers(path, count, _FPS))


def _numbers(folder: Path) -> list[int]:
    """What the pictures of an export are of, checked against their names."""
    numbers = []
    for path in sorted((folder / "pictures").iterdir()):
        picture = cv2.imread(str(path))
        assert picture is not None
        numbers.append(number_of(picture.astype(np.uint8)))
        assert path.name == f"clip-{numbers[-1]:06}.jpg"
    return numbers


@pytest.mark.parametrize(
    ("every_s", "numbers"),
    [(1.0, [0, 10, 20]), (0.45, [0, 5, 9, 14, 18, 23, 27]), (0.01, list(range(30))), (9.0, [0])],
)
def test_of_each_time_the_first_frame_is_taken(
    every_s: float, numbers: list[int], tmp_path: Path
) -> None:
    log = _log(tmp_path / "o.jsonl")
    made = export(log, _clip(tmp_path), tmp_path / "out", "csv", every_s)
    assert _numbers(tmp_path / "out") == numbers
    assert (made.pictures, made.faces) == (len(numbers), 2 * len(numbers))


def test_frames_without_a_face_that_is_seen_are_left_out(tmp_path: Path) -> None:
    missed = replace(_TWO[0], missed_frames=2)
    outside = track(3, (-50, 0, -10, 40))
    faces: dict[int, Sequence[Track]] = {10: [missed, _TWO[1], outside], 20: [missed], 25: _TWO}
    log = _log(tmp_path / "o.jsonl", lambda number: faces.get(number, []))
    made = export(log, _clip(tmp_path), tmp_path / "out", "csv")
    assert _numbers(tmp_path / "out") == [10, 25]
    assert made.faces == 3


def test_a_long_way_to_the_next_frame_is_sought_and_lands_on_it(tmp_path: Path) -> None:
    """Of two hundred frames three are wanted; between them the video is opened anew."""
    count = 240
    here = {0, 119, 239}
    log = _log(tmp_path / "o.jsonl", lambda n: _TWO if n in here else [], count=count)
    opened: list[float] = []

    class Watched(VideoSource):
        def frames_from(self, time_s: float) -> Any:
            opened.append(time_s)
            return super().frames_from(time_s)

    from stream.export.frames import WantedFrames, picked_entries

    with_seek = Watched(_clip(tmp_path, count))
    frames = WantedFrames(with_seek)
    entries = list(picked_entries(open_log(log), 0.05))
    assert [number_of(frames.at(each["time_s"]).image) for each in entries] == sorted(here)
    with_seek.close()
    assert opened == [11.9, 23.9]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_read_back_with_a_changed_label(form: str, tmp_path: Path) -> None:
    """A person says that the second face of the second picture is one of a Latina."""
    log = _log(tmp_path / "o.jsonl")
    out = tmp_path / "out"
    made = export(log, _clip(tmp_path), out, form)
    assert made.file.parent == out and made.file.is_file()
    _CORRECT[form](out)
    samples = read_dataset(out)
    assert samples.marked and not samples.aligned
    assert len(samples) == 6
    boxes = {"#xywh=10,10,30,40", "#xywh=50,12,46,48"}
    assert {name[name.index("#") :] for name in samples.files} == boxes
    row = samples.files.index("pictures/clip-000010.jpg#xywh=50,12,46,48")
    assert _row(samples, row) == ("Female", "Latino_Hispanic", "clip 2")
    others = [_row(samples, each) for each in range(6) if each != row]
    assert (
        sorted(others, key=str)
        == [("Female", "White", "clip 1")] * 3 + [("Male", None, "clip 2")] * 2
    )


def _row(samples: Samples, index: int) -> tuple[str | None, ...]:
    return (
        samples.labels["gender"][index],
        samples.labels["race"][index],
        samples.identities[index],
    )


def _rows(out: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((out / "annotations.csv").read_text().splitlines()))


def _correct_csv(out: Path) -> None:
    """As a spreadsheet would write it, in a country of decimal commas."""
    rows = _rows(out)
    rows[3] |= {"gender": "Female", "race": "Latino_Hispanic"}
    lines = [";".join(rows[0])]
    for row in rows:
        edges = {name: row[name].replace(".", ",") for name in ("left", "top", "right", "bottom")}
        lines.append(";".join((row | edges).values()))
    (out / "annotations.csv").write_text("\ufeff" + "\n".join(lines))


def _correct_coco(out: Path) -> None:
    """As CVAT would write it, with attributes of its own."""
    content = json.loads((out / "annotations.json").read_text())
    fourth = content["annotations"][3]["attributes"]
    fourth |= {"gender": "Female", "race": "Latino_Hispanic", "occluded": False, "rotation": 0.0}
    (out / "annotations.json").write_text(json.dumps(content))


def _correct_label_studio(out: Path) -> None:
    """As Label Studio exports it: what was predicted, corrected and submitted."""
    tasks = json.loads((out / "tasks.json").read_text())
    for number, task in enumerate(tasks):
        result = task["predictions"][0]["result"]
        if number == 1:
            second = next(
                each for each in result if each.get("value", {}).get("choices") == ["Male"]
            )
            second["value"]["choices"] = ["Female"]
            result.append(second | {"from_name": "race", "value": {"choices": ["Latino_Hispanic"]}})
        updated = "2026-03-01T10:00:00Z"
        task |= {"id": number, "annotations": [{"result": result, "updated_at": updated}]}
    (out / "project-1-at-2026-03-01.json").write_text(json.dumps(tasks))


_CORRECT: Mapping[str, Callable[[Path], None]] = {
    "csv": _correct_csv,
    "coco": _correct_coco,
    "labelstudio": _correct_label_studio,
}


def test_label_studio_is_asked_for_each_class_of_each_attribute(tmp_path: Path) -> None:
    export(_log(tmp_path / "o.jsonl"), _clip(tmp_path), tmp_path / "my out", "labelstudio")
    view = ET.parse(tmp_path / "my out" / "interface.xml").getroot()
    asked = {each.get("name"): [one.get("value") for one in each] for each in view.iter("Choices")}
    assert asked == {name: list(classes) for name, classes in _ATTRIBUTES.items()}
    tasks = json.loads((tmp_path / "my out" / "tasks.json").read_text())
    image = tasks[0]["data"]["image"]
    assert image == "/data/local-files/?d=my%20out/pictures/clip-000000.jpg"
    controls = {each.get("name") for each in view.iter() if each.get("toName")}
    result = tasks[0]["predictions"][0]["result"]
    assert {each["from_name"] for each in result} <= controls
    first, *_ = result
    assert first["value"].pop("rectanglelabels") == [
        each.get("value") for each in view.iter("Label")
    ]
    place = {"x": 100 * 10 / 96, "y": 100 * 10 / 64, "width": 31.25, "height": 62.5}
    assert first["value"] == pytest.approx(place | {"rotation": 0})
    assert [each["id"] for each in result] == ["face1"] * 3 + ["face2"] * 2


def test_coco_has_what_its_readers_need(tmp_path: Path) -> None:
    export(_log(tmp_path / "o.jsonl"), _clip(tmp_path), tmp_path / "out", "coco")
    content = json.loads((tmp_path / "out" / "annotations.json").read_text())
    assert [each["id"] for each in content["annotations"]] == [1, 2, 3, 4, 5, 6]
    image = content["images"][1]
    assert (image["width"], image["height"]) == SIZE_WH
    assert (tmp_path / "out" / image["file_name"]).is_file()
    second = content["annotations"][3]
    assert (second["image_id"], second["category_id"]) == (image["id"], 1)
    assert second["bbox"] == [50.5, 12.5, 45.5, 47.5]  # cut off where the picture ends
    assert second["area"] == pytest.approx(45.5 * 47.5, abs=0.1)


def test_a_log_in_parquet_gives_what_one_in_json_lines_gives(tmp_path: Path) -> None:
    missed = replace(_TWO[0], missed_frames=2)
    faces: dict[int, Sequence[Track]] = {3: [missed], 4: _TWO, 11: [_TWO[1]], 25: [missed, *_TWO]}
    for form, ending in product(FORMS, ("jsonl", "parquet")):
        log = _log(tmp_path / f"o.{ending}", lambda number: faces.get(number, []))
        export(log, _clip(tmp_path), tmp_path / ending / form / "out", form)
    for form in FORMS:
        one, other = (tmp_path / ending / form / "out" for ending in ("jsonl", "parquet"))
        names = [each.relative_to(one) for each in one.rglob("*") if each.is_file()]
        assert len(names) >= 4
        assert all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


@_FORMATS
def test_faces_of_one_person_have_one_identity(ending: str, tmp_path: Path) -> None:
    """The second track is of the first person, which is known only at the end."""
    log, info = tmp_path / f"o.{ending}", SourceInfo("clip.mp4", "video", SIZE_WH, fps=_FPS)
    known = [track(number, (10, 10, 40, 50), _labels("Male", None)) for number in (1, 2, 7)]
    sinks = _sinks(log, info, blur=False)
    if ending == "parquet":
        sinks.append(PersonTable(persons_path(log), _ATTRIBUTES))
    settlement = Settlement({1: 1, 2: 1, 7: 7}, {})
    with Sinks(sinks, FrameAssembler(Overlay(), info, settle=lambda: settlement)) as out:
        for number in range(30):
            out.write(frame(number, SIZE_WH, _FPS), [known[number // 10]])
    export(log, _clip(tmp_path), tmp_path / "out", "csv")
    assert [row["identity"] for row in _rows(tmp_path / "out")] == ["clip 1", "clip 1", "clip 7"]


def test_a_table_that_does_not_say_whether_it_is_of_blurred_faces(tmp_path: Path) -> None:
    info = SourceInfo("clip.mp4", "video", SIZE_WH, fps=_FPS)
    for name in ("o.parquet", "o.csv"):
        with fan_out([TableLog(tmp_path / name, _ATTRIBUTES)], Overlay(), info) as sinks:
            sinks.write(frame(0, SIZE_WH, _FPS), _TWO)
        with pytest.raises(
            (ConfigError, SourceError), match="does not say whether faces were blurred"
        ):
            export(tmp_path / name, _clip(tmp_path), tmp_path / "out", "csv")
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "damage",
    [
        {"left": math.nan},
        {"right": -5.0},
        {"score": math.inf},
        {"frame": -1},
        {"track": None},
        {"time_s": 1e300},
        {"frame_width": 0},
        {"gender_confidence": 7.0},
        {"person": None},
    ],
)
def test_a_damaged_table_is_refused(damage: dict[str, Any], tmp_path: Path) -> None:
    log = _log(tmp_path / "o.parquet", count=3)
    table = _noted_table(log)
    rows = table.to_pylist()
    rows[2] |= damage
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), log)
    with pytest.raises(SourceError, match=r"is not a log that can be exported: (?!it does not)"):
        export(log, _clip(tmp_path), tmp_path / "out", "csv", 0.1)
    assert not (tmp_path / "out").exists()


def _noted_table(log: Path) -> pa.Table:
    """The table, with what its file says of it."""
    notes = pq.read_metadata(log).metadata
    return pq.read_table(log).replace_schema_metadata({"face-stream": notes[b"face-stream"]})


def test_a_table_of_other_columns_is_refused(tmp_path: Path) -> None:
    log = _log(tmp_path / "o.parquet", count=3)
    table = _noted_table(log)
    for other, message in (
        (table.drop_columns(["race"]), "its column race is missing, not string"),
        (table.set_column(0, "frame", table["score"]), "its column frame is float, not int64"),
    ):
        pq.write_table(other.replace_schema_metadata(table.schema.metadata), log)
        with pytest.raises(SourceError, match=message):
            export(log, _clip(tmp_path), tmp_path / "out", "csv")
    log.write_bytes(b"PAR1 none")
    with pytest.raises(SourceError, match="is not a log that can be exported"):
        export(log, _clip(tmp_path), tmp_path / "out", "csv")


@_FORMATS
def test_a_run_with_blurred_faces_is_not_exported(ending: str, tmp_path: Path) -> None:
    log = _log(tmp_path / f"o.{ending}", blur=True, controls=Controls(blur=True))
    with pytest.raises(ConfigError, match="faces were blurred in the run that wrote"):
        export(log, _clip(tmp_path), tmp_path / "out", "csv")
    assert not (tmp_path / "out").exists()


@_FORMATS
def test_nor_one_in_which_a_key_blurred_them_on_the_way(ending: str, tmp_path: Path) -> None:
    controls = Controls()

    def tracks(number: int) -> Sequence[Track]:
        controls.blur = number in (17, 18)
        return _TWO

    log = _log(tmp_path / f"o.{ending}", tracks, controls=controls)
    with pytest.raises((ConfigError, SourceError), match="faces were blurred in the run"):
        export(log, _clip(tmp_path), tmp_path / "out", "csv")
    assert not (tmp_path / "out").exists()


def test_a_run_says_in_its_log_that_it_blurs(tmp_path: Path) -> None:
    words = ["run", _clip(tmp_path), "--no-show", "--log", str(tmp_path / "o.jsonl"), "--blur"]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert LogReader(tmp_path / "o.jsonl").header.blur
    words = ["export", str(tmp_path / "o.jsonl"), _clip(tmp_path), "--to", "csv"]
    refused = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "out")])
    assert refused.exit_code == 2
    assert refused.stderr.count("\n") == 1 and "without --blur" in refused.stderr


def test_a_video_that_the_log_is_not_of_is_refused(tmp_path: Path) -> None:
    clip = _clip(tmp_path)
    other = _log(tmp_path / "other.jsonl", size_wh=(192, 128))
    with pytest.raises(SourceError, match=r"frames of \[192, 128\] px, these have \[96, 64\]"):
        export(other, clip, tmp_path / "out", "csv")
    longer = _log(tmp_path / "longer.jsonl", count=50)
    with pytest.raises(SourceError, match=r"clip\.mp4 has no frame at 3 s: give the video"):
        export(longer, clip, tmp_path / "out2", "csv")
    assert not (tmp_path / "out2" / "annotations.csv").exists()


@pytest.mark.parametrize(
    ("tracks", "kind", "message"),
    [
        (lambda number: [], "video", "has no face in any frame"),
        (lambda number: _TWO, "pictures", "was written of pictures"),
    ],
)
def test_a_log_of_which_nothing_can_be_exported(
    tracks: Callable[[int], Sequence[Track]], kind: str, message: str, tmp_path: Path
) -> None:
    log = _log(tmp_path / "o.jsonl", tracks, kind=kind)
    with pytest.raises(SourceError, match=message):
        export(log, _clip(tmp_path), tmp_path / "out", "csv")
    assert not (tmp_path / "out").exists()


def test_what_people_have_corrected_is_never_overwritten(tmp_path: Path) -> None:
    log, out = _log(tmp_path / "o.jsonl"), tmp_path / "deep" / "out"
    export(log, _clip(tmp_path), out, "csv")
    (out / "annotations.csv").write_text("corrected")
    with pytest.raises(ConfigError, match="is not empty: name a new folder"):
        export(log, _clip(tmp_path), out, "coco")
    assert sorted(each.name for each in out.iterdir()) == ["annotations.csv", "pictures"]
    assert (out / "annotations.csv").read_text() == "corrected"
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="is a file: name a folder"):
        export(log, _clip(tmp_path), tmp_path / "file", "coco")


def test_corrected_faces_become_features(tmp_path: Path) -> None:
    """Two faces in each frame, labelled apart, found again each for itself."""
    wh = (400, 200)
    pictures = [np.hstack([face_picture(n), face_picture(n + 40)]) for n in range(10)]
    info = SourceInfo("clip", "video", wh, _FPS)
    with VideoFile(tmp_path / "clip.mp4", info, RecorderSection(quality=10)) as video:
        for number, picture in enumerate(pictures):
            video.add(np.ascontiguousarray(picture), number / _FPS)
    two = [
        track(1, (45, 30, 155, 180), _labels("Female", "White")),
        track(2, (245, 30, 355, 180), _labels("Male", "Black")),
    ]
    log = _log(tmp_path / "o.jsonl", lambda number: two, count=10, size_wh=wh)
    out, table = tmp_path / "out", tmp_path / "features.parquet"
    words = ["export", str(log), str(tmp_path / "clip.mp4"), "--to", "csv", "--every", "0.1"]
    made = CliRunner().invoke(app, [*words, "--out", str(out)])
    assert made.exit_code == 0, made.stderr
    assert f"10 pictures with 20 faces → {out / 'annotations.csv'}" in made.stderr
    rows = _rows(out)
    rows[5]["gender"] = "Female"  # of the third picture the right face
    with (out / "annotations.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    words = ["features", str(out), "--out", str(table), "--no-mirror", "--hold-out", "0.5"]
    done = CliRunner().invoke(train_app, words)
    assert done.exit_code == 0, done.output
    features = read_table(table)
    features = features[features.as_found]
    assert len(features) == 20
    right = ["#xywh=245" in name for name in features.files]
    genders = features.labels["gender"]
    assert [gender for gender, is_right in zip(genders, right, strict=True) if not is_right] == [
        "Female"
    ] * 10
    assert sorted(g for g, is_right in zip(genders, right, strict=True) if is_right) == [
        "Female",
        *["Male"] * 9,
    ]
