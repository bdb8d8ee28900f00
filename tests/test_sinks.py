"""What every sink answers to, and each of them; recorder and window have more of their own."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import av
import cv2
import numpy as np
import pytest
from fakes import (
    SIZE_WH,
    FailingSink,
    RecordingSink,
    fan_out,
    frame,
    label,
    log_lines,
    numbered,
    person,
    times_s,
    track,
    track_lines,
)
from rich.console import Console

from models.faces import Image
from stream.cli.progress import ProgressBar
from stream.controls import RunReport
from stream.drawing.overlay import Overlay
from stream.errors import ConfigError, SinkError
from stream.frames import Frame, SourceInfo
from stream.people import Person, Settlement
from stream.settings import Config
from stream.settings.schema import EngineSection, OverlaySection, RecorderSection
from stream.sinks import AnnotatedFrame, Outputs, Sink, Sinks, open_sinks
from stream.sinks.claims import claim_outputs
from stream.sinks.data.json_log import JsonLog
from stream.sinks.data.person_table import PersonTable
from stream.sinks.data.tables import TableLog, TrackTable, face_columns
from stream.sinks.frame_assembler import FrameAssembler
from stream.sinks.paths import partial_path
from stream.sinks.pictures.folder import PictureFolder
from stream.sinks.pictures.sheet import Sheet
from stream.sinks.pictures.single_picture import SinglePicture
from stream.sinks.pictures.snapshots import Snapshots
from stream.sinks.subtitles.sink import Subtitles
from stream.sinks.video.recorder import Recorder
from stream.sources import open_source
from stream.tracks import Label

_INFO = SourceInfo("numbers", "video", SIZE_WH, 25.0, 10)
_FULL = Path("/dev/full")

Open: TypeAlias = Callable[[Path], Sink]

_ATTRIBUTES = {"gender": ("Female", "Male")}

_SINKS: dict[str, Open] = {
    "log": lambda folder: JsonLog(folder / "out.jsonl", _INFO, "default"),
    "tracks": lambda folder: TrackTable(folder / "out.csv", _ATTRIBUTES),
    "csv": lambda folder: TableLog(folder / "out.csv", _ATTRIBUTES),
    "parquet": lambda folder: TableLog(folder / "out.parquet", _ATTRIBUTES),
    "recorder": lambda folder: Recorder(folder / "out.mp4", _INFO, RecorderSection()),
    "pictures": lambda folder: PictureFolder(folder / "out", None, _ATTRIBUTES),
    "snapshots": lambda folder: Snapshots(folder / "out", _ATTRIBUTES),
    "picture": lambda folder: SinglePicture(folder / "out.png"),
    "sheet": lambda folder: Sheet(folder / "out.png", _INFO),
    "subtitles": lambda folder: Subtitles(folder / "out.ass", _INFO, OverlaySection()),
    "progress": lambda folder: ProgressBar(_INFO, Console(file=io.StringIO())),
}

_FILES = ("log", "csv", "parquet", "tracks", "recorder", "picture", "sheet", "subtitles")
_FULL_AT = [
    ("log", "out.part.jsonl"),
    ("csv", "out.part.csv"),
    ("parquet", "out.part.parquet"),
    ("tracks", "out.part.csv"),
    ("recorder", "out.part.mp4"),
    ("pictures", "out/.2.png.part"),
    ("pictures", "out/.2.png.csv.part"),
    ("pictures", "out/faces.part.csv"),
    ("snapshots", "out/.person-0001.jpg.part"),
    ("snapshots", "out/persons.part.csv"),
    ("picture", ".out.png.part"),
    ("sheet", ".out.png.part"),
    ("subtitles", "out.part.ass"),
]


@pytest.fixture(params=_SINKS)
def open_sink(request: pytest.FixtureRequest) -> Open:
    return _SINKS[request.param]


def _annotated(number: int = 0, suffix: str = ".png") -> AnnotatedFrame:
    plain = frame(number)
    whole = Frame(plain.image, number, plain.time_s, 0.0, Path(f"from/{number}{suffix}"))
    return AnnotatedFrame(whole, [track(labels={"gender": label()})], Overlay())


@pytest.mark.parametrize("count", [0, 1, 10])
@pytest.mark.parametrize("complete", [True, False])
def test_a_sink_takes_frames_and_is_closed(
    open_sink: Open, count: int, complete: bool, tmp_path: Path
) -> None:
    sink = open_sink(tmp_path)
    assert sink.name
    assert repr(sink).startswith(type(sink).__name__)
    for number in range(count):
        sink.write(_annotated(number))
        assert sink.quit_requested is False
    sink.close(complete=complete)
    if not complete and sink.output is not None and sink.output.is_file():
        pytest.fail("what is not complete has its final name")


@pytest.mark.parametrize("name", _FILES)
def test_a_file_has_its_final_name_only_when_it_is_complete(name: str, tmp_path: Path) -> None:
    sink = _SINKS[name](tmp_path)
    sink.write(_annotated())
    assert sink.output is not None
    assert not sink.output.exists()
    sink.close(complete=True)
    assert list(tmp_path.iterdir()) == [sink.output]


@pytest.mark.parametrize("name", _FILES)
def test_a_file_without_a_frame_is_not_left_unfinished(name: str, tmp_path: Path) -> None:
    sink = _SINKS[name](tmp_path)
    sink.close(complete=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", _FILES)
def test_a_file_that_is_not_complete_keeps_its_partial_name(name: str, tmp_path: Path) -> None:
    sink = _SINKS[name](tmp_path)
    sink.write(_annotated())
    sink.close(complete=False)
    (left,) = tmp_path.iterdir()
    assert left.stem == "out.part"


@pytest.mark.skipif(not _FULL.exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize(("name", "place"), _FULL_AT)
def test_a_full_disk_is_named_by_each_of_them(name: str, place: str, tmp_path: Path) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).symlink_to(_FULL)

    def work() -> None:
        sink = _SINKS[name](tmp_path)
        try:
            for number in range(40):
                sink.write(_annotated(number))
        except SinkError:
            with suppress(SinkError):
                sink.close([person()], complete=False)
            raise
        sink.close([person()], complete=True)

    with pytest.raises(SinkError, match="No space left on device"):
        work()
    left = [each for each in tmp_path.rglob("*") if each.resolve() == _FULL]
    assert not [each for each in left if ".part" not in each.name]


@pytest.mark.parametrize("name", _FILES)
def test_a_final_name_that_cannot_be_taken_is_an_error(name: str, tmp_path: Path) -> None:
    sink = _SINKS[name](tmp_path)
    sink.write(_annotated())
    assert sink.output is not None
    (sink.output / "in the way").mkdir(parents=True)
    with pytest.raises(SinkError, match="Is a directory"):
        sink.close(complete=True)


# --- the log ---


def test_the_log_line_by_line(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "out.jsonl", _INFO, "default", _ATTRIBUTES)
    sure = {"gender": label("Female", 0.97123), "race": label(None, 0.41)}
    log.write(AnnotatedFrame(frame(0), [], Overlay()))
    log.write(AnnotatedFrame(frame(12), [track(3, (1.04, 2, 30.96, 40), sure)], Overlay()))
    log.close(complete=True)
    assert log_lines(tmp_path / "out.jsonl") == [
        {
            "schema": "face-stream/2",
            "source": "numbers",
            "size": [96, 64],
            "fps": 25.0,
            "model": "default",
            "attributes": {"gender": ["Female", "Male"]},
        },
        {"frame": 0, "time_s": 0.0, "faces": []},
        {
            "frame": 12,
            "time_s": 0.48,
            "faces": [
                {
                    "track": 3,
                    "person": 3,
                    "box": [1.0, 2.0, 31.0, 40.0],
                    "score": 1.0,
                    "missed": 0,
                    "quality": 1.0,
                    "labels": {
                        "gender": {
                            "label": "Female",
                            "confidence": 0.9712,
                            "probabilities": {"Female": 0.9712, "Male": 0.0288},
                        },
                        "race": {
                            "label": None,
                            "confidence": 0.41,
                            "probabilities": {"Female": 0.41, "Male": 0.59},
                        },
                    },
                }
            ],
        },
    ]


def test_the_log_of_a_whole_track(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "out.jsonl", _INFO, "default", _ATTRIBUTES)
    with fan_out([log], Overlay(), _INFO) as sinks:
        for number in (0, 3):
            sinks.write(frame(number), _annotated(number).tracks)
        assert track_lines(partial_path(tmp_path / "out.jsonl")) == []
    assert track_lines(tmp_path / "out.jsonl") == [
        {
            "track": 1,
            "person": 1,
            "first_s": 0.0,
            "last_s": 0.12,
            "frames": 2,
            "best": {
                "frame": 0,
                "time_s": 0.0,
                "box": [20.0, 10.0, 60.0, 50.0],
                "quality": 1.0,
            },
            "labels": {
                "gender": {
                    "label": "Female",
                    "confidence": 0.9,
                    "probabilities": {"Female": 0.9, "Male": 0.1},
                }
            },
        }
    ]


def test_persons_are_the_last_rows_before_the_accounts(tmp_path: Path) -> None:
    """Also as a table, which is there once all frames are."""
    log = JsonLog(tmp_path / "out.jsonl", _INFO, "default", _ATTRIBUTES, RunReport())
    table = PersonTable(tmp_path / "out.persons.csv", _ATTRIBUTES)
    settled = Settlement({1: 1, 2: 1}, {1: {"gender": label("Male", 0.75)}})
    frames = FrameAssembler(Overlay(), _INFO, settle=lambda: settled)
    with Sinks([log, table], frames) as sinks:
        for number, track_id in ((0, 1), (1, 1), (50, 2)):
            sinks.write(frame(number), [track(track_id, labels={"gender": label()})])
        assert not table.output.exists()
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    *_, one, other, person, end = map(json.loads, lines)
    assert (one["track"], one["person"], other["track"], other["person"]) == (1, 1, 2, 2)
    assert list(person) == ["person", "tracks", "first_s", "last_s", "seconds", "labels", "best"]
    assert (person["person"], person["tracks"]) == (1, [1, 2])
    assert (person["first_s"], person["last_s"]) == (0.0, 2.0)
    assert person["seconds"] == 2.04  # a frame is shown until the next one
    assert person["labels"]["gender"]["label"] == "Male"
    assert list(end) == ["end"]
    (row,) = csv.DictReader((tmp_path / "out.persons.csv").read_text().splitlines())
    assert (row["person"], row["tracks"], row["seconds"]) == ("1", "1 2", "2.04")
    assert (row["frames"], row["gender"], row["gender_confidence"]) == ("3", "Male", "0.75")


def test_the_log_says_when_the_best_view_of_a_track_was(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "out.jsonl", _INFO, "default")
    with fan_out([log], Overlay(), _INFO) as sinks:
        for number, quality in ((10, 0.25), (11, 0.75), (12, 0.5)):
            sinks.write(
                frame(number), [replace(track(7, (number, 2, 3 * number, 4)), quality=quality)]
            )
    (whole,) = track_lines(tmp_path / "out.jsonl")
    assert (whole["first_s"], whole["last_s"]) == (0.4, 0.48)
    box = [11.0, 2.0, 33.0, 4.0]
    assert whole["best"] == {"frame": 11, "time_s": 0.44, "box": box, "quality": 0.75}


def test_the_log_of_pictures_names_their_files_and_no_times(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "out.jsonl", _INFO, "default")
    with fan_out([log], Overlay(), replace(_INFO, kind="pictures")) as sinks:
        sinks.write(_annotated(7).frame, _annotated(7).tracks)
    entry, whole = log_lines(tmp_path / "out.jsonl")[1], track_lines(tmp_path / "out.jsonl")[0]
    assert list(entry) == ["frame", "file", "faces"]
    assert entry["file"] == "from/7.png"
    assert list(whole) == ["track", "person", "frames", "best", "labels"]
    assert list(whole["best"]) == ["frame", "file", "box", "quality"]


def test_the_log_says_which_size_the_boxes_of_a_frame_are_in(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "out.jsonl", _INFO, "default")
    for number, size_wh in enumerate([SIZE_WH, (192, 128), SIZE_WH]):
        log.write(AnnotatedFrame(frame(number, size_wh), [track()], Overlay()))
    log.close(complete=True)
    header, *entries = log_lines(tmp_path / "out.jsonl")
    assert header["size"] == [*SIZE_WH]
    assert [entry.get("size") for entry in entries] == [None, [192, 128], None]


def test_the_table_says_which_size_the_boxes_of_a_frame_are_in(tmp_path: Path) -> None:
    table = TableLog(tmp_path / "out.csv", {})
    for number, size_wh in enumerate([SIZE_WH, (192, 128)]):
        table.write(AnnotatedFrame(frame(number, size_wh), [track()], Overlay()))
    table.close(complete=True)
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    sizes = [(int(row["frame_width"]), int(row["frame_height"])) for row in rows]
    assert sizes == [SIZE_WH, (192, 128)]


def test_what_is_logged_can_be_read_at_once(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "out.jsonl", _INFO, "default")
    log.write(_annotated(0))
    assert len(log_lines(partial_path(tmp_path / "out.jsonl"))) == 2
    log.close(complete=True)


@pytest.mark.parametrize("name", ["Zoë 日本.mp4", "caf\udce9.mp4", 'a"b\n.mp4'])
def test_any_name_of_a_source_can_be_logged(name: str, tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "out.jsonl", SourceInfo(name, "video", SIZE_WH), "default")
    log.close(complete=True)
    (line,) = (tmp_path / "out.jsonl").read_bytes().splitlines()
    assert json.loads(line)["source"] == name


def test_a_log_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"none/out\.jsonl cannot be made: No such file"):
        JsonLog(tmp_path / "none" / "out.jsonl", _INFO, "default")


@pytest.mark.skipif(not _FULL.exists(), reason="there is no /dev/full here")
def test_a_log_on_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "out.part.jsonl").symlink_to(_FULL)
    with pytest.raises(SinkError, match="cannot be written: No space left on device"):
        JsonLog(tmp_path / "out.jsonl", _INFO, "default")
    assert list(tmp_path.iterdir()) == []


# --- pictures ---


def test_pictures_and_their_tables(tmp_path: Path) -> None:
    sink = PictureFolder(tmp_path / "new" / "out", None, _ATTRIBUTES)
    annotated = _annotated(3)
    sink.write(annotated)
    sink.close(complete=True)
    out = tmp_path / "new" / "out"
    assert sorted(path.name for path in out.iterdir()) == ["3.png", "3.png.csv", "faces.csv"]
    np.testing.assert_array_equal(cv2.imread(str(out / "3.png")), annotated.picture)
    (row,) = csv.DictReader((out / "3.png.csv").read_text(encoding="utf-8").splitlines())
    assert row == {
        "frame": "3",
        "time_s": "",
        "file": "3.png",
        "track": "1",
        "person": "1",
        "left": "20.0",
        "top": "10.0",
        "right": "60.0",
        "bottom": "50.0",
        "score": "1.0",
        "missed": "0",
        "quality": "1.0",
        "frame_width": "96",
        "frame_height": "64",
        "gender": "Female",
        "gender_confidence": "0.9",
        "gender_Female": "0.9",
        "gender_Male": "0.1",
    }


def test_tables_of_pictures_have_the_columns_of_the_log(tmp_path: Path) -> None:
    sinks: list[Sink] = [
        PictureFolder(tmp_path / "copies", None, _ATTRIBUTES),
        TableLog(tmp_path / "log.csv", _ATTRIBUTES),
        TrackTable(tmp_path / "log.tracks.csv", _ATTRIBUTES),
    ]
    with fan_out(sinks, Overlay(), replace(_INFO, kind="pictures")) as opened:
        for number in range(2):
            opened.write(_annotated(number).frame, _annotated(number).tracks)
    faces, log, beside = (
        list(csv.DictReader(path.read_text().splitlines()))
        for path in (
            tmp_path / "copies/faces.csv",
            tmp_path / "log.csv",
            tmp_path / "copies/1.png.csv",
        )
    )
    assert [list(row) for row in faces] == [list(row) for row in log]
    assert [row | {"file": ""} for row in faces] == [row | {"file": ""} for row in log]
    assert beside == faces[1:]
    assert [row["time_s"] for row in log] == ["", ""]
    tracks = list(csv.DictReader((tmp_path / "log.tracks.csv").read_text().splitlines()))
    assert {(row["first_s"], row["last_s"], row["best_s"]) for row in tracks} == {("", "", "")}


def test_one_table_of_all_pictures(tmp_path: Path) -> None:
    sink = PictureFolder(tmp_path, Path("from"), _ATTRIBUTES)
    for name, people in (("a/1.png", 2), ("2.png", 0), ("b/1.png", 1)):
        whole = Frame(numbered(0), 0, 0.0, 0.0, Path("from") / name)
        tracks = [track(each, labels={"gender": label()}) for each in range(people)]
        sink.write(AnnotatedFrame(whole, tracks, Overlay()))
    sink.close(complete=True)
    rows = list(csv.reader((tmp_path / "faces.csv").read_text(encoding="utf-8").splitlines()))
    beside = list(csv.reader((tmp_path / "a/1.png.csv").read_text(encoding="utf-8").splitlines()))
    assert [row[2] for row in rows] == ["file", *(str(Path(n, "1.png")) for n in "aab")]
    assert rows[:3] == beside


def test_a_table_of_several_faces(tmp_path: Path) -> None:
    flag = Label("Male", 0.7, {"not Male": 0.3, "Male": 0.7})
    people = [
        track(1, (1, 2, 3, 4), {"gender": label(None, 0.6), "Male": flag}),
        track(2, (5.4, 6.6, 7, 8)),  # too small to say
    ]
    sink = PictureFolder(tmp_path, None, {**_ATTRIBUTES, "Male": ("not Male", "Male")})
    sink.write(replace(_annotated(0), tracks=people))
    sink.close(complete=True)
    first, second = csv.DictReader((tmp_path / "0.png.csv").read_text().splitlines())
    labels = ["gender", "gender_confidence", "gender_Female", "gender_Male"]
    labels += ["Male", "Male_confidence", "Male_not Male", "Male_Male"]
    assert list(first)[-8:] == labels
    assert (first["gender"], first["Male"], first["gender_Male"]) == ("", "Male", "0.4")
    assert {second[name] for name in labels} == {""}
    assert [second[name] for name in ("left", "top", "right", "bottom")] == [
        *("5.4", "6.6", "7.0", "8.0")
    ]


def test_a_table_of_nobody(tmp_path: Path) -> None:
    sink = PictureFolder(tmp_path, None, _ATTRIBUTES)
    sink.write(replace(_annotated(0), tracks=[]))
    sink.close(complete=True)
    header = ",".join(face_columns(_ATTRIBUTES)) + "\n"
    assert (tmp_path / "0.png.csv").read_text() == (tmp_path / "faces.csv").read_text() == header


@contextmanager
def _pictures(folder: Path, root: Path | None = None) -> Iterator[PictureFolder]:
    sink = PictureFolder(folder, root, _ATTRIBUTES)
    try:
        yield sink
    finally:
        sink.close(complete=False)


def test_subfolders_are_kept(tmp_path: Path) -> None:
    image = numbered(0)
    with _pictures(tmp_path, Path("from")) as sink:
        for name in ("a/1.png", "b/1.png", "1.PNG"):
            sink.write(
                AnnotatedFrame(Frame(image, 0, 0.0, 0.0, Path("from") / name), [], Overlay())
            )
            assert (tmp_path / name).is_file()
            assert (tmp_path / f"{name}.csv").is_file()


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".png", ".bmp", ".tif", ".webp", ".ppm"])
def test_each_kind_of_picture_can_be_written(suffix: str, tmp_path: Path) -> None:
    with _pictures(tmp_path) as sink:
        sink.write(_annotated(5, suffix))
    assert cv2.imread(str(tmp_path / f"5{suffix}")).shape == (64, 96, 3)


@pytest.mark.parametrize("suffix", ["", ".xyz", ".heic", ".HIF"])
def test_the_copy_of_a_kind_that_cannot_be_written_is_a_jpeg(suffix: str, tmp_path: Path) -> None:
    with _pictures(tmp_path) as sink:
        sink.write(_annotated(5, suffix))
    assert cv2.imread(str(tmp_path / f"5{suffix}.jpg")).shape == (64, 96, 3)
    assert (tmp_path / f"5{suffix}.jpg.csv").is_file()


@pytest.mark.parametrize("suffix", [".jfif", ".MPO", ".jpe"])
def test_other_names_of_jpegs(suffix: str, tmp_path: Path) -> None:
    with _pictures(tmp_path) as sink:
        sink.write(_annotated(5, suffix))
    assert (tmp_path / f"5{suffix}").read_bytes().startswith(b"\xff\xd8\xff")


def test_a_picture_never_takes_the_place_of_its_source(tmp_path: Path) -> None:
    source = tmp_path / "1.png"
    cv2.imwrite(str(source), numbered(0))
    before = source.read_bytes()
    annotated = AnnotatedFrame(Frame(numbered(0), 0, 0.0, 0.0, source), [], Overlay())
    with _pictures(tmp_path) as sink, pytest.raises(SinkError, match="is the input"):
        sink.write(annotated)
    assert source.read_bytes() == before


def test_frames_of_a_video_are_no_pictures(tmp_path: Path) -> None:
    with _pictures(tmp_path) as sink, pytest.raises(SinkError, match="name a video file instead"):
        sink.write(AnnotatedFrame(frame(0), [], Overlay()))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot be made: "):
        PictureFolder(tmp_path / "file" / "out", None, _ATTRIBUTES)


def test_a_place_in_the_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "0.png" / "in the way").mkdir(parents=True)
    said = r"0\.png cannot be written: Is a directory"
    with _pictures(tmp_path) as sink, pytest.raises(SinkError, match=said):
        sink.write(_annotated(0))
    assert [path.name for path in tmp_path.iterdir()] == ["0.png"]


# --- several as one ---


def test_every_sink_gets_every_frame_and_the_picture_is_drawn_once() -> None:
    one, two = RecordingSink("one"), RecordingSink("two")
    with fan_out([one, two], Overlay(), _INFO) as sinks:
        assert repr(sinks) == "Sinks(one, two)"
        for number in range(3):
            sinks.write(frame(number), [])
    assert one.indices == two.indices == [0, 1, 2]
    assert one.closed == two.closed == [True]
    assert sinks.report.failures == []
    annotated = AnnotatedFrame(frame(0), [track()], Overlay())
    assert annotated.picture is annotated.picture


def test_a_sink_that_fails_is_named_closed_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    good, bad = RecordingSink("good"), FailingSink("bad", fail_at=1)
    with fan_out([bad, good], Overlay(), _INFO) as sinks:
        for number in range(4):
            sinks.write(frame(number), [])
    assert bad.indices == [0]
    assert bad.closed == [False]
    assert good.indices == [0, 1, 2, 3]
    assert good.closed == [True]
    assert sinks.report.failures == ["bad: no paper left"]
    assert caplog.messages == ["bad failed: no paper left"]
    caplog.clear()


def test_all_failures_are_kept_each_once(caplog: pytest.LogCaptureFixture) -> None:
    bad = [
        FailingSink("one", fail_at=0, fail_on_close=True),
        FailingSink("two", fail_on_close=True),
        FailingSink("three", fail_at=2),
    ]
    good = RecordingSink()
    with fan_out([*bad, good], Overlay(), _INFO) as sinks:
        for number in range(3):
            sinks.write(frame(number), [])
    assert sinks.report.failures == [f"{name}: no paper left" for name in ("one", "three", "two")]
    assert [sink.closed for sink in bad] == [[False], [True], [False]]
    assert good.closed == [True]
    assert len(caplog.records) == 3
    caplog.clear()


@pytest.mark.parametrize(
    ("error", "complete"), [(KeyboardInterrupt(), True), (ValueError(), False), (None, True)]
)
def test_how_it_ends_says_whether_outputs_are_complete(
    error: BaseException | None, complete: bool
) -> None:
    sink = RecordingSink()
    try:
        with fan_out([sink], Overlay(), _INFO) as sinks:
            sinks.write(frame(0), [])
            if error is not None:
                raise error
    except (KeyboardInterrupt, ValueError) as caught:
        assert caught is error
    assert sink.closed == [complete]


def test_when_all_that_was_asked_for_has_failed_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    bad = [FailingSink("one", fail_at=1), FailingSink("two", fail_at=2)]
    watcher = RecordingSink("watcher")
    with fan_out(bad, Overlay(), _INFO, watchers=[watcher]) as sinks:
        asked = []
        for number in range(3):
            sinks.write(frame(number), [])
            asked.append(sinks.all_failed)
        assert not sinks.quit_requested  # other sources of the run may have outputs that work
    assert asked == [False, False, True]
    assert watcher.closed == [True]
    assert caplog.messages[-1] == "nothing is left to be written or shown: stopped"
    caplog.clear()


def test_where_nothing_was_asked_for_nothing_can_fail() -> None:
    with fan_out([], Overlay(), _INFO, watchers=[RecordingSink()]) as sinks:
        sinks.write(frame(0), [])
        assert not sinks.all_failed


def test_anybody_may_ask_for_the_end() -> None:
    with fan_out([RecordingSink(), RecordingSink(quit_after=2)], Overlay(), _INFO) as sinks:
        sinks.write(frame(0), [])
        assert not sinks.quit_requested
        sinks.write(frame(1), [])
        assert sinks.quit_requested


def test_people_are_handed_over_once_to_every_sink_when_their_tracks_end() -> None:
    one, two = RecordingSink("one"), RecordingSink("two")
    with fan_out([one, two], Overlay(), replace(_INFO, fps=1.0)) as sinks:
        for number in range(9):  # five seconds of one frame each are waited for a face to return
            sinks.write(frame(number), [track(2), *([track(1)] if number < 2 else [])])
    assert one.ended == two.ended == [1]
    assert one.present == two.present == [2]


def test_a_sink_that_fails_is_closed_with_the_people_present_then(
    caplog: pytest.LogCaptureFixture,
) -> None:
    good, bad = RecordingSink("good"), FailingSink("bad", fail_at=1)
    with fan_out([bad, good], Overlay(), _INFO) as sinks:
        for number in range(4):
            sinks.write(frame(number), [track(number)])
    assert (bad.present, good.present) == ([0, 1], [0, 1, 2, 3])
    caplog.clear()


def test_a_sink_that_ctrl_c_kept_a_frame_from_knows_nothing_of_its_people() -> None:
    """Nor does a person who ended with that frame get lost."""
    before, after = RecordingSink("before"), RecordingSink("after")
    stopper = FailingSink("stopper", fail_at=6, error=KeyboardInterrupt())
    info = replace(_INFO, fps=1.0)
    sinks = fan_out([before, stopper], Overlay(), info, summary=after)
    with pytest.raises(KeyboardInterrupt), sinks:
        for number in range(7):
            sinks.write(frame(number), [track(1)] if number == 0 else [])
    assert (before.ended, before.present) == ([1], [])
    assert (after.ended, after.present) == ([], [1])


def test_the_summary_gets_each_frame_last_and_is_no_reason_to_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    summary, bad = RecordingSink("summary"), FailingSink("bad", fail_at=1)
    with fan_out([bad], Overlay(), _INFO, watchers=[RecordingSink()], summary=summary) as sinks:
        assert repr(sinks) == "Sinks(recording, bad, summary)"
        sinks.write(frame(0), [])
        assert not sinks.all_failed
        sinks.write(frame(1), [])
        assert sinks.all_failed
    assert summary.indices == [0, 1]
    caplog.clear()


@pytest.mark.parametrize("wanted", [True, False])
def test_faces_are_cropped_only_where_a_sink_needs_it(wanted: bool) -> None:
    crops = []

    class Keeping(RecordingSink):
        def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
            crops.extend(each.best.crop is not None for each in present)

    asked = []

    def pixels() -> Image:
        asked.append(1)
        return numbered(0)

    with fan_out([Keeping()], Overlay(), _INFO, face_crops=wanted) as sinks:
        coded = av.VideoFrame(*SIZE_WH, "yuv420p")
        sinks.write(Frame(pixels, 0, 0.0, 0.0, coded=coded), [track()])
    assert crops == [wanted]
    assert len(asked) == wanted


@pytest.mark.skipif(not _FULL.exists(), reason="there is no /dev/full here")
def test_a_full_disk_stops_the_recorder_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "out.part.mp4").symlink_to(_FULL)
    outputs = Outputs(save=tmp_path / "out.mp4", log=tmp_path / "out.jsonl")
    watcher = RecordingSink()
    with open_sinks(Config(), _INFO, outputs, [watcher]) as sinks:
        for number in range(200):
            sinks.write(frame(number), [])
    assert sinks.report.failures == ["recorder (out.mp4): No space left on device"]
    assert "No space left on device" in caplog.text
    caplog.clear()
    assert watcher.indices == list(range(200))
    assert len(log_lines(tmp_path / "out.jsonl")) == 201
    assert sinks.report.outputs == [tmp_path / "out.jsonl"]


# --- opening ---


def test_what_is_complete_is_listed(tmp_path: Path) -> None:
    outputs = Outputs(save=tmp_path / "out.mkv", log=tmp_path / "out.jsonl")
    with open_sinks(Config(), _INFO, outputs) as sinks:
        sinks.write(frame(0), [])
    assert set(sinks.report.outputs) == {outputs.save, outputs.log}
    assert len(times_s(tmp_path / "out.mkv")) == 1


def test_nothing_asked_for_is_no_sink() -> None:
    with open_sinks(Config(), _INFO, Outputs()) as sinks:
        sinks.write(frame(0), [])
    assert repr(sinks) == "Sinks()"


def test_if_one_cannot_be_opened_all_are_closed_and_leave_nothing(tmp_path: Path) -> None:
    other = RecordingSink()
    (tmp_path / "out.part.mp4").mkdir()
    outputs = Outputs(save=tmp_path / "out.mp4", log=tmp_path / "out.jsonl")
    with pytest.raises(SinkError, match=r"out\.part\.mp4 cannot be made"):
        open_sinks(Config(), _INFO, outputs, [other])
    assert other.closed == [False]
    assert [path.name for path in tmp_path.iterdir()] == ["out.part.mp4"]


@pytest.mark.parametrize(
    ("uri", "names"),
    [
        ("in", ["a/1.png", "b/1.png"]),
        ("in/*/1.png", ["a/1.png", "b/1.png"]),
        ("in/**/*.png", ["a/1.png", "b/1.png"]),
        ("in/a/*.png", ["1.png"]),
        ("in/a/1.png", ["1.png"]),
    ],
)
def test_copies_stand_as_their_pictures_do(
    uri: str, names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for place in ("a", "b"):
        (tmp_path / "in" / place).mkdir(parents=True)
        cv2.imwrite(f"in/{place}/1.png", numbered(0))
    source = open_source(uri)
    with open_sinks(Config(), source.info, Outputs(save=Path("out"))) as sinks:
        for each in source.frames():
            sinks.write(each, [])
    assert sinks.report.failures == []
    assert sorted(str(path.relative_to("out")) for path in Path("out").rglob("*.png")) == names


def test_a_folder_may_have_a_dot_in_its_name(tmp_path: Path) -> None:
    info = SourceInfo(str(tmp_path), "pictures", SIZE_WH)
    with claim_outputs(Outputs(save=tmp_path / "results.v2"), info):
        pass
    with (
        pytest.raises(ConfigError, match="go into a folder"),
        claim_outputs(Outputs(save=tmp_path / "results.mkv"), info),
    ):
        pass


# --- the progress bar ---


def _bar(uri: str = "numbers") -> tuple[ProgressBar, io.StringIO]:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120, markup=False)
    return ProgressBar(SourceInfo(uri, "video", SIZE_WH, 25.0, 10), console), screen


def test_the_bar_says_how_far_it_is() -> None:
    bar, screen = _bar()
    for number in range(10):
        bar.write(_annotated(number))
    bar.close(complete=True)
    assert "10/10" in screen.getvalue()
    assert "1 face " in screen.getvalue()
    assert "numbers" in screen.getvalue()


def test_a_bar_that_never_began_leaves_the_terminal_alone() -> None:
    bar, screen = _bar()
    bar.close(complete=False)
    assert screen.getvalue() == ""


@pytest.mark.parametrize("name", ["[/red].mp4", "[bold]x.mp4", "very long" * 20])
def test_any_name_can_stand_before_the_bar(name: str) -> None:
    bar, screen = _bar(name)
    bar.write(_annotated())
    bar.close(complete=True)
    assert name[-10:] in screen.getvalue()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a bug")])
def test_whatever_one_raises_on_closing_the_others_are_closed(error: BaseException) -> None:
    first = FailingSink(fail_on_close=True, error=error)
    second = RecordingSink()
    with pytest.raises(type(error)), fan_out([first, second], Overlay(), _INFO) as sinks:
        sinks.write(frame(0), [])
    assert second.closed == [True]


def test_what_a_killed_run_could_save_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out.part.mp4").write_bytes(b"the last minute")
    outputs = Outputs(save=tmp_path / "out.mp4")
    with (
        pytest.raises(ConfigError, match=r"complete it with face-stream recover .*t\.part\.mp4"),
        claim_outputs(outputs, _INFO),
    ):
        pass
    with claim_outputs(replace(outputs, overwrite=True), _INFO):
        pass


def test_the_table_of_tracks_beside_a_table_of_faces_is_not_overwritten(tmp_path: Path) -> None:
    for ending in (".csv", ".parquet"):
        (tmp_path / f"out.tracks{ending}").touch()
        with (
            pytest.raises(ConfigError, match=rf"out\.tracks{ending} exists"),
            claim_outputs(Outputs(log=tmp_path / f"out{ending}"), _INFO),
        ):
            pass
    (tmp_path / "out.tracks.jsonl").touch()
    with claim_outputs(Outputs(log=tmp_path / "out.jsonl"), _INFO):
        pass  # it has them in itself


@pytest.mark.parametrize("option", ["save", "log", "snapshots", "sheet", "subtitles"])
def test_a_folder_that_nothing_may_be_written_into(option: str) -> None:
    folder = Path("/proc/sys")
    if not folder.is_dir() or os.access(folder, os.W_OK):
        pytest.skip("there is no folder here that is closed to everybody")
    ending = {
        "save": ".mp4",
        "log": ".jsonl",
        "snapshots": "",
        "sheet": ".png",
        "subtitles": ".srt",
    }[option]
    outputs = Outputs(**{option: folder / f"out{ending}"})
    with (
        pytest.raises(ConfigError, match=r"nothing may be written into /proc/sys; choose another"),
        claim_outputs(outputs, _INFO),
    ):
        pass


@pytest.mark.parametrize(("save", "warns"), [("out", True), (None, False)])
def test_a_class_that_the_font_cannot_write_is_warned_of_once(
    tmp_path: Path, save: str | None, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    info = SourceInfo("pictures", "pictures", SIZE_WH)
    outputs = Outputs(save=None if save is None else tmp_path / save)
    classes = {"gender": ("महिला", "Male"), "race": ("White", "Latino_Hispanic")}
    with open_sinks(Config(), info, outputs, attributes=classes):
        warnings = caplog.messages
    said = "the font of the pictures lacks letters of महिला and shows ? there; "
    assert warnings == [f"{said}the log has the names"] * warns


@pytest.mark.parametrize("colours", ["person", "gender", "race", "#102030"])
def test_colours_of_what_labels_are_of_are_taken(tmp_path: Path, colours: str) -> None:
    config = Config(overlay=OverlaySection(colours=colours))
    classes = {"gender": ("Female", "Male"), "race": ("White", "Black")}
    with open_sinks(config, _INFO, Outputs(log=tmp_path / "out.jsonl"), attributes=classes):
        pass


def test_colours_of_an_attribute_that_labels_are_not_of_are_refused(tmp_path: Path) -> None:
    config = Config(overlay=OverlaySection(colours="gendr"))
    classes = {"gender": ("Female", "Male"), "race": ("White", "Black")}
    outputs = Outputs(log=tmp_path / "out.jsonl")
    with pytest.raises(ConfigError, match=r"overlay.colours: labels are of gender, race, not 'gen"):
        open_sinks(config, _INFO, outputs, attributes=classes)
    assert not list(tmp_path.iterdir())


def test_without_its_model_a_log_is_drawn_with_names_shortened_otherwise_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = Config(engine=EngineSection(model=str(tmp_path / "gone")))
    with open_sinks(config, _INFO, Outputs(save=tmp_path / "out.mp4")):
        pass
    (said,) = caplog.messages
    assert "gone is not a folder" in said
    assert said.endswith("in crowds classes are shortened to their first letters")
