"""What a killed run could save, made into whole files that end with the same frame."""

import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import av
import pytest
from fakes import (
    SIZE_WH,
    frame,
    log_lines,
    numbered,
    person,
    times_s,
    track,
    track_lines,
    write_numbers,
)
from typer.testing import CliRunner

from models.program.locks import locked
from stream.cli.app import app
from stream.drawing.overlay import Overlay
from stream.errors import ConfigError, SourceError
from stream.frames import SourceInfo
from stream.recovery.recover import recover
from stream.settings.schema import RecorderSection
from stream.sinks import AnnotatedFrame
from stream.sinks.data.json_log import JsonLog
from stream.sinks.data.tables import TableLog, TrackTable
from stream.sinks.video.recorder import Recorder
from stream.sinks.video.video_file import VideoFile
from stream.sources import open_source

_ENDINGS = (".mp4", ".mkv", ".mov", ".webm")
_FRAMES = 40
_VIDEO_FRAMES = 25


def _info(start_s: float = 0.0) -> SourceInfo:
    return SourceInfo("numbers", "video", SIZE_WH, 25.0, start_s=start_s)


def _leave(folder: Path, ending: str, log: str = ".jsonl", start_s: float = 0.0) -> Path:
    """What a run leaves that was killed: a log of 40 frames, and a video of the first 25."""
    folder.mkdir(exist_ok=True)
    name = folder / f"out{log}"
    sinks = (
        [JsonLog(name, _info(), "default")]
        if log == ".jsonl"
        else [TableLog(name, {}), TrackTable(folder / f"out.tracks{log}", {})]
    )
    recorder = Recorder(folder / f"out{ending}", _info(start_s), RecorderSection())
    for number in range(_FRAMES):
        shown = replace(frame(number), time_s=start_s + number / 25)
        ended = [replace(person(number), last_s=shown.time_s)] if number % 5 == 0 else []
        annotated = AnnotatedFrame(shown, [track()], Overlay(), ended=ended)
        for sink in sinks:
            sink.write(annotated)
        if number < _VIDEO_FRAMES:
            recorder.write(annotated)
    for sink in (*sinks, recorder):
        sink.close(complete=False)
    return folder / f"out.part{ending}"


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("start_s", [0.0, 61.48])
@pytest.mark.parametrize("ending", _ENDINGS)
def test_video_and_log_end_with_the_same_frame(ending: str, start_s: float, tmp_path: Path) -> None:
    recovered = recover(_leave(tmp_path, ending, start_s=start_s))
    assert (recovered.frames, len(recovered.files)) == (_VIDEO_FRAMES, 2)
    assert _names(tmp_path) == sorted([f"out{ending}", "out.jsonl"])
    assert len(times_s(tmp_path / f"out{ending}")) == _VIDEO_FRAMES
    header, *entries = log_lines(tmp_path / "out.jsonl")
    assert header["schema"] == "face-stream/2"
    assert [each["frame"] for each in entries] == list(range(_VIDEO_FRAMES))
    tracks = track_lines(tmp_path / "out.jsonl")
    assert [each["track"] for each in tracks] == [0, 5, 10, 15, 20]


def test_what_only_a_decoder_is_there_of_is_copied(tmp_path: Path) -> None:
    settings = RecorderSection(codec="av1", preset="ultrafast")
    partial = tmp_path / "film.part.mkv"
    with VideoFile(partial, SourceInfo("numbers", "video", SIZE_WH, 25.0), settings) as video:
        for number in range(20):
            video.add(numbered(number), number / 25)
    assert recover(partial).frames == 20


def test_tables_end_with_the_same_frame(tmp_path: Path) -> None:
    recover(_leave(tmp_path, ".mp4", ".csv"))
    assert _names(tmp_path) == ["out.csv", "out.mp4", "out.tracks.csv"]
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 1 + _VIDEO_FRAMES
    assert len((tmp_path / "out.tracks.csv").read_text().splitlines()) == 1 + 5


def test_a_log_of_another_name_is_named(tmp_path: Path) -> None:
    partial = _leave(tmp_path, ".mp4")
    log = (tmp_path / "out.part.jsonl").rename(tmp_path / "log.part.jsonl")
    assert recover(partial, log).files == (tmp_path / "out.mp4", tmp_path / "log.jsonl")
    assert sum("frame" in each for each in log_lines(tmp_path / "log.jsonl")) == _VIDEO_FRAMES


def test_the_log_of_one_of_several_sources_is_found(tmp_path: Path) -> None:
    partial = _leave(tmp_path, ".mp4")
    (tmp_path / "out.part.jsonl").rename(tmp_path / "out.mp4.part.jsonl")
    assert recover(partial).files == (tmp_path / "out.mp4", tmp_path / "out.mp4.jsonl")
    assert _names(tmp_path) == ["out.mp4", "out.mp4.jsonl"]


@pytest.mark.parametrize("rest", ['{"frame": 40, "time', '{"frame": 40, "time_s": 1.6}', "\xff\n"])
def test_a_log_alone_ends_with_its_last_whole_line(rest: str, tmp_path: Path) -> None:
    _leave(tmp_path, ".mp4").unlink()
    with (tmp_path / "out.part.jsonl").open("a", encoding="latin-1") as log:
        log.write(rest)
    assert recover(tmp_path / "out.part.jsonl").frames == 0
    assert _names(tmp_path) == ["out.jsonl"]
    assert sum("frame" in each for each in log_lines(tmp_path / "out.jsonl")) == _FRAMES


@pytest.mark.parametrize("ending", _ENDINGS)
def test_a_video_whose_last_fragment_is_cut_off(ending: str, tmp_path: Path) -> None:
    partial = _leave(tmp_path, ending)
    data = _fragmented(tmp_path / f"whole{ending}")
    partial.write_bytes(data[: len(data) * 3 // 4])
    frames = recover(partial).frames
    assert 10 < frames < 100
    with av.open(str(tmp_path / f"out{ending}")) as video:
        assert sum(1 for _ in video.decode(video=0)) == frames
    logged = sum("frame" in each for each in log_lines(tmp_path / "out.jsonl"))
    assert logged == min(frames, _FRAMES)


def _fragmented(path: Path) -> bytes:
    """A video as it stands on the disk while it is written."""
    video = VideoFile(path, _info(), RecorderSection())
    with video:
        for number in range(100):
            video.add(frame(number).image, number / 25)
        data = path.read_bytes()
    path.unlink()
    return data


def test_sound_is_recovered_too(shared_data: Path, tmp_path: Path) -> None:
    source = open_source(str(shared_data / "field" / "base.mp4"))
    recorder = Recorder(tmp_path / "out.mp4", source.info, RecorderSection())
    for each in source.frames():
        recorder.write(AnnotatedFrame(each, [], Overlay()))
    source.close()
    recorder.close(complete=False)
    recover(tmp_path / "out.part.mp4")
    with av.open(str(tmp_path / "out.mp4")) as video:
        types = {each.type for each in video.streams}
    assert types == {"video", "audio"}


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("out.mp4", "give a file named NAME.part"),
        ("out.part.parquet", "give a file named NAME.part"),
        ("missing.part.mp4", "there is no such file"),
    ],
)
def test_what_cannot_be_recovered_is_refused(name: str, complaint: str, tmp_path: Path) -> None:
    for each in ("out.mp4", "out.part.parquet"):
        (tmp_path / each).touch()
    with pytest.raises(ConfigError, match=complaint):
        recover(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"not a video at all"])
def test_what_holds_no_picture_stays(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "out.part.mp4").write_bytes(content)
    with pytest.raises(SourceError):
        recover(tmp_path / "out.part.mp4")
    assert _names(tmp_path) == ["out.part.mp4"]


def test_a_run_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    partial = _leave(tmp_path, ".mp4")
    with locked(tmp_path / "out.mp4"), pytest.raises(ConfigError, match="by another run"):
        recover(partial)
    assert _names(tmp_path) == ["out.part.jsonl", "out.part.mp4"]


def test_nothing_is_overwritten_unless_asked_for(tmp_path: Path) -> None:
    partial = _leave(tmp_path, ".mp4")
    (tmp_path / "out.mp4").write_text("precious")
    with pytest.raises(ConfigError, match=r"out\.mp4 exists: move it away, or give --overwrite"):
        recover(partial)
    assert (tmp_path / "out.mp4").read_text() == "precious"
    assert recover(partial, overwrite=True).frames == _VIDEO_FRAMES


def test_the_command_says_what_it_made(tmp_path: Path) -> None:
    partial = _leave(tmp_path, ".mp4")
    done = CliRunner().invoke(app, ["recover", str(partial)])
    assert done.exit_code == 0
    files = f"{tmp_path / 'out.mp4'}, {tmp_path / 'out.jsonl'}"
    assert done.stderr == f"Recovered {files} ({_VIDEO_FRAMES} frames)\n"
    again = CliRunner().invoke(app, ["recover", str(partial)])
    assert (again.exit_code, again.stderr.count("\n")) == (2, 1)


_KILLS = 6
_MAX_DELAY_S = 1.0


@pytest.mark.parametrize("fps", [2.0, 25.0])
def test_killed_at_random_moments_every_file_opens_and_a_second_is_lost(
    fps: float, tmp_path: Path
) -> None:
    clip = write_numbers(tmp_path / "clip.mp4", 3000, fps)
    moments = random.Random(17)
    for number in range(_KILLS):
        out, log = tmp_path / f"out{_ENDINGS[number % 4]}", tmp_path / "out.part.jsonl"
        words = f"run {clip} --save {out} --log out.jsonl --no-show"
        run = subprocess.Popen(
            [sys.executable, "-m", "stream", *words.split()],
            cwd=tmp_path,
            env={"PYTHONPATH": str(Path(__file__).parents[1])},
            stderr=subprocess.DEVNULL,
        )
        while run.poll() is None and not (log.exists() and log.stat().st_size > 200):
            time.sleep(0.01)
        time.sleep(moments.uniform(0, _MAX_DELAY_S))
        run.kill()
        run.wait()
        partial = out.with_name(f"out.part{out.suffix}")
        logged = sum(b'{"frame"' in line for line in log.read_bytes().splitlines())
        recorded = len(times_s(partial)) if partial.exists() else 0
        assert (logged - recorded) / fps <= 1 + 1 / fps
        log.unlink()
        partial.unlink(missing_ok=True)
