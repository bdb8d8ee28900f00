"""Subtitles: boxes that follow the faces, labels as text, times and letters in players."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from fakes import SIZE_WH, fan_out, frame, label, track, write_numbers
from typer.testing import CliRunner

from models.faces import Image
from stream.cli.app import app
from stream.drawing.overlay import Overlay
from stream.errors import ConfigError, SinkError
from stream.frames import SourceInfo
from stream.settings import Config
from stream.settings.schema import OverlaySection, RecorderSection
from stream.sinks.data.json_log import JsonLog
from stream.sinks.outputs import Outputs, requested_targets
from stream.sinks.subtitles.form import clock_text
from stream.sinks.subtitles.sink import Subtitles
from stream.tracks import Label, Track

_WH = (640, 360)
_INFO = SourceInfo("clip.mp4", "video", _WH, fps=25.0)
_LABELS = {"gender": label("Female", 0.9), "race": label(None, 0.4)}


class _Box(NamedTuple):
    """A box of a file of ASS: when it is shown, and where, px."""

    start_s: float
    end_s: float
    xyxy: tuple[int, int, int, int]


def _seconds(text: str) -> float:
    hours, minutes, seconds = text.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _written(
    path: Path,
    frames: Sequence[Sequence[Track]],
    settings: OverlaySection | None = None,
    *,
    info: SourceInfo = _INFO,
    fps: float = 25.0,
    names: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """The subtitles of tracks, given for each frame."""
    settings = settings or OverlaySection()
    overlay = Overlay(settings, names or {})
    with fan_out([Subtitles(path, info, settings)], overlay, info) as sinks:
        for number, tracks in enumerate(frames):
            sinks.write(frame(number, _WH, fps), tracks)
    return path.read_text(encoding="utf-8")


def _boxes(text: str) -> list[_Box]:
    found = re.findall(
        r"Dialogue: \d+,([\d:.]+),([\d:.]+),Box,.*?\\pos\((-?\d+),(-?\d+)\)"
        r".*?m 0 0 l (\d+) 0 \d+ (\d+)",
        text,
    )
    boxes = []
    for start, end, *place in found:
        left, top, width, height = map(int, place)
        xyxy = (left, top, left + width, top + height)
        boxes.append(_Box(_seconds(start), _seconds(end), xyxy))
    return boxes


def _walk(
    count: int, step_px: float, labels: Mapping[str, Label] | None = None
) -> list[list[Track]]:
    """A face of 100 px that moves by so much in each frame."""
    shifts = [number * step_px for number in range(count)]
    return [[track(1, (100 + x, 120, 200 + x, 240), labels)] for x in shifts]


def test_a_face_that_hardly_moves_is_one_event(tmp_path: Path) -> None:
    jitter = [[track(1, (100 + number % 3, 120, 200, 240))] for number in range(250)]
    (box,) = _boxes(_written(tmp_path / "o.ass", jitter))
    assert (box.start_s, box.end_s) == (0, 10)
    assert box.xyxy[0] in (100, 101, 102) and box.xyxy[1:] == (120, 200, 240)


@pytest.mark.parametrize("fps", [25.0, 29.97, 60.0])
def test_boxes_follow_their_faces(fps: float, tmp_path: Path) -> None:
    """In each frame just one box is shown, no farther from its face than a twentieth of it."""
    frames = _walk(100, 4.0)
    info = SourceInfo("clip.mp4", "video", _WH, fps=fps)
    boxes = _boxes(_written(tmp_path / "o.ass", frames, info=info, fps=fps))
    assert 40 <= len(boxes) <= 60
    for number, (face,) in enumerate(frames):
        (shown,) = [each for each in boxes if each.start_s <= number / fps < each.end_s]
        assert np.abs(np.array(shown.xyxy) - face.box_xyxy).max() <= 5


def test_frames_closer_than_a_hundredth_of_a_second_make_no_empty_events(tmp_path: Path) -> None:
    info = SourceInfo("clip.mp4", "video", _WH, fps=240.0)
    boxes = _boxes(_written(tmp_path / "o.ass", _walk(240, 30.0), info=info, fps=240.0))
    assert all(each.start_s < each.end_s for each in boxes)
    assert 90 <= len(boxes) <= 100


def test_a_face_that_leaves_and_comes_back_has_no_box_meanwhile(tmp_path: Path) -> None:
    here = [track(1, (100, 120, 200, 240))]
    boxes = _boxes(_written(tmp_path / "o.ass", [here, here, [], [], here]))
    assert [(each.start_s, each.end_s) for each in boxes] == [(0, 0.08), (0.16, 0.2)]


def test_the_header_states_the_resolution_and_that_labels_are_perceived(tmp_path: Path) -> None:
    text = _written(tmp_path / "o.ass", _walk(3, 0, _LABELS))
    assert "PlayResX: 640\nPlayResY: 360\n" in text
    labels = re.findall(r",Label,,0,0,0,,\{[^}]*\}(.*)", text)
    assert sorted(labels) == [
        r"Female 90%\N{\i1\1c&HBEBEBE&}race unsure{\i0\1c&H73EEFF&}".replace(
            "73EEFF", re.findall(r"1c&H(\w+)&\\p1", text)[0]
        ),
        "perceived gender and race",
    ]


def test_frames_of_another_size_count_in_px_of_the_first(tmp_path: Path) -> None:
    subtitles = Subtitles(tmp_path / "o.ass", _INFO, OverlaySection())
    with fan_out([subtitles], Overlay(), _INFO) as sinks:
        sinks.write(frame(0, (640, 360)), [track(1, (100, 120, 200, 240))])
        sinks.write(frame(1, (1280, 720)), [track(1, (200, 240, 400, 480))])
    (box,) = _boxes((tmp_path / "o.ass").read_text())
    assert box.xyxy == (100, 120, 200, 240)


def test_colours_are_those_of_the_overlay(tmp_path: Path) -> None:
    settings = OverlaySection(colours="#40c0ff", labels=False)  # of pictures, not of subtitles
    text = _written(tmp_path / "o.ass", _walk(2, 0, _LABELS), settings)
    assert r"\1c&HFFC040&\p1}m 0 0" in text


_HOSTILE = r"a{\b}\N\h & <i>b</i> --> {c}"


def test_no_player_obeys_the_name_of_a_class_in_ass(tmp_path: Path) -> None:
    labels = {"kind": Label(_HOSTILE, 0.9, {_HOSTILE: 0.9})}
    line = next(
        each
        for each in _written(tmp_path / "o.ass", _walk(2, 0, labels)).splitlines()
        if ",Label," in each and "90%" in each
    )
    shown = re.sub(r"^Dialogue.*?,,0,0,0,,\{[^{}]*\}", "", line)
    assert not re.search(r"(?<!\\)\{", shown)
    assert not re.search(r"\\[Nnhb]", shown)
    assert shown.replace("\u2060", "").replace(r"\{", "{") == f"{_HOSTILE} 90%"


@pytest.mark.parametrize("name", ["o.vtt", "o.srt"])
def test_no_player_obeys_the_name_of_a_class_in_cues(name: str, tmp_path: Path) -> None:
    labels = {"kind": Label(f"{_HOSTILE}\n\n\n", 0.9, {_HOSTILE: 0.9})}
    lines = _written(tmp_path / name, _walk(2, 0, labels)).splitlines()
    (shown,) = [each for each in lines if "90%" in each]
    assert not re.search(r"<\w|</|-->|\{\\", shown)
    assert sum("-->" in each for each in lines) == 1
    plain = shown.replace("\u2060", "").replace("&lt;", "<").replace("&gt;", ">")
    assert plain.replace("&amp;", "&") == rf"{_HOSTILE}\n\n\n 90%"


def test_a_cue_lasts_as_long_as_the_labels_and_says_how_sure_they_became(tmp_path: Path) -> None:
    sure = [{"gender": label("Female", chance)} for chance in (0.6, 0.7, 0.95)]
    frames = [[track(1, labels=each)] for each in sure] + [
        [track(1, labels={"gender": label(None, 0.4)})]
    ]
    assert _written(tmp_path / "o.srt", frames) == (
        "1\n00:00:00,000 --> 00:00:00,120\nperceived gender\nFemale 95%\n\n"
        "2\n00:00:00,120 --> 00:00:00,160\nperceived gender\ngender unsure\n\n"
    )
    text = _written(tmp_path / "o.vtt", frames, OverlaySection(confidence=False, legend=False))
    assert text.startswith("WEBVTT\n\nNOTE\n")
    assert text.endswith(
        "\n\n00:00:00.000 --> 00:00:00.120\nFemale\n\n"
        "00:00:00.120 --> 00:00:00.160\ngender unsure\n\n"
    )


def test_faces_have_lines_from_left_to_right_the_largest_of_a_crowd(tmp_path: Path) -> None:
    def face(number: int, left: int, width: int) -> Track:
        text = f"class {'abcdefg'[number]}"
        return track(number, (left, 0, left + width, 50), {"kind": Label(text, 0.9, {text: 0.9})})

    crowd = [face(number, 500 - 90 * number, 40 + number) for number in range(6)]
    crowd.append(track(9, (0, 0, 90, 90)))  # without a label
    text = _written(tmp_path / "o.srt", [crowd], OverlaySection(confidence=False))
    assert text.splitlines()[2:-1] == [
        "perceived kind",
        "class f",
        "class e",
        "class d",
        "class c",
        "and 2 more faces",
    ]


@pytest.mark.parametrize("name", ["o.ass", "o.vtt", "o.srt"])
def test_what_is_not_complete_keeps_its_partial_name(name: str, tmp_path: Path) -> None:
    subtitles = Subtitles(tmp_path / name, _INFO, OverlaySection())
    with pytest.raises(SinkError, match="stop"), fan_out([subtitles], Overlay(), _INFO) as sinks:
        sinks.write(frame(0, _WH), _walk(1, 0, _LABELS)[0])
        raise SinkError("stop")
    assert [each.name for each in tmp_path.iterdir()] == [f"o.part{name[1:]}"]
    text = (tmp_path / f"o.part{name[1:]}").read_text()
    assert "Female 90%" in text and "0:00:00" in text


def test_times_are_cut_never_rounded() -> None:
    assert clock_text(3599.9999, 2, ".", 1) == "0:59:59.99"
    assert clock_text(36000.07, 3, ",") == "10:00:00,070"
    assert [clock_text(number / 100, 2, ".")[-2:] for number in range(100)] == [
        f"{number:02}" for number in range(100)
    ]


@pytest.mark.parametrize(
    ("info", "recorder", "message"),
    [
        (SourceInfo("pictures", "pictures", _WH), RecorderSection(), "pictures have no times"),
        (SourceInfo("0", "camera", _WH), RecorderSection(segment_s=60), "recorder.segment_s"),
        (SourceInfo("0", "camera", _WH), RecorderSection(only_with_faces=True), "divide"),
    ],
)
def test_subtitles_are_of_one_video(
    info: SourceInfo, recorder: RecorderSection, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        requested_targets(Outputs(subtitles=tmp_path / "o.ass"), info, Config(recorder=recorder))


def test_of_a_live_source_times_count_from_the_first_frame(tmp_path: Path) -> None:
    info = SourceInfo("0", "camera", _WH, fps=25.0)
    subtitles = Subtitles(tmp_path / "o.ass", info, OverlaySection())
    with fan_out([subtitles], Overlay(), info) as sinks:
        for number in (100, 101):
            sinks.write(frame(number, _WH), [track()])
    (box,) = _boxes((tmp_path / "o.ass").read_text())
    assert (box.start_s, box.end_s) == (0, 0.08)


def test_a_log_becomes_subtitles_named_after_its_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`render` makes them of a log, in the folder and the form that are asked for."""
    monkeypatch.chdir(tmp_path)
    write_numbers(Path("clip.mp4"), 5)
    info = SourceInfo("clip.mp4", "video", SIZE_WH, fps=25.0)
    log = JsonLog(Path("o.jsonl"), info, "default", {"gender": ["Female", "Male"]})
    with fan_out([log], Overlay(), info) as sinks:
        for number in range(5):
            sinks.write(frame(number), [track(labels={"gender": label()})])
    words = "render clip.mp4 o.jsonl --no-show --subtitles out/ --set outputs.subtitles=srt"
    assert CliRunner().invoke(app, words.split()).exit_code == 0
    assert "00:00:00,000 --> 00:00:00,200" in Path("out/clip.mp4.srt").read_text()
    wrong = CliRunner().invoke(app, ["run", "clip.mp4", "--no-show", "--subtitles", "o.txt"])
    assert wrong.exit_code == 2
    assert "--subtitles o.txt: its name should end in one of .ass, .vtt, .srt" in wrong.stderr


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg, which draws subtitles")
def test_a_player_draws_the_boxes_where_the_faces_are(tmp_path: Path) -> None:
    """Frames drawn by libass: the line lies on the edge of each box, and its inside stays free."""
    frames = _walk(20, 6.0)
    settings = OverlaySection(colours="#00ff00")
    _written(tmp_path / "o.ass", frames, settings)
    for number, picture in _drawn_by_ffmpeg(tmp_path, 20).items():
        left, top, right, bottom = frames[number][0].box_xyxy.astype(int)
        green = picture[..., 1] > 150
        rows, columns = np.nonzero(green)
        drawn = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        assert np.abs(np.array(drawn) - (left, top, right, bottom)).max() <= 6
        assert not green[top + 12 : bottom - 12, left + 12 : right - 12].any()


def _drawn_by_ffmpeg(folder: Path, count: int) -> dict[int, Image]:
    """The frames of a black video with the subtitles of a folder, by number."""
    source = f"color=black:s={_WH[0]}x{_WH[1]}:r=25:d={count / 25}"
    words = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-vf", "ass=o.ass", "%d.png"]
    subprocess.run(words, cwd=folder, check=True, timeout=60)
    pictures = {number: cv2.imread(str(folder / f"{number + 1}.png")) for number in range(count)}
    return {number: picture for number, picture in pictures.items() if picture is not None}
