"""Several files one after another: each is done, whatever becomes of the others."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes import FailingSink, log_lines, numbered, times_s, track_lines, write_clip, write_numbers
from typer.testing import CliRunner, Result

from models.errors import ModelError
from stream.cli.app import app
from stream.errors import ConfigError
from stream.settings import Config
from stream.settings.schema import DetectionSection, EngineSection
from stream.several.listing import list_sources
from stream.several.naming import name_outputs
from stream.several.sequence import run_each
from stream.sinks import Outputs
from stream.sinks.pictures.picture_file import write_picture

_OUT = Path("out")
_WAIT_S = 60.0


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("sequence") / "clip.mp4", 3)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where the program is started: clips, one that only looks like one, a picture."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.mp4", "x/b.mp4", "y/b.mp4", "clips/1.mp4", "clips/2.mp4", "clips/10.mp4"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(clip.read_bytes())
    Path("text.mp4").write_text("not a video at all")
    write_picture(tmp_path / "one.png", numbered(1))
    return tmp_path


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["run", *arguments, "--no-show"])


def _names(folder: Path = _OUT) -> list[str]:
    """Every file in a folder and below."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_one_after_another_each_with_its_outputs() -> None:
    done = _run("a.mp4", "x/b.mp4", "clips/*.mp4", "--save", "out/", "--log", "out/")
    assert done.exit_code == 0, done.stderr
    videos = ["1.mp4", "10.mp4", "2.mp4", "a.mp4", "b.mp4"]
    assert _names() == sorted([*videos, *(f"{name}.jsonl" for name in videos)])
    for name in videos:
        assert len(times_s(_OUT / name)) == 3
        assert len(log_lines(_OUT / f"{name}.jsonl")) == 4
        assert [each["track"] for each in track_lines(_OUT / f"{name}.jsonl")] == [1]
    lines = done.stderr.splitlines()
    begins = ["a.mp4", "x/b.mp4", "clips/1.mp4", "clips/2.mp4", "clips/10.mp4", "5 sources"]
    assert [line.partition(": ")[0] for line in lines] == begins
    assert "5 people" in lines[-1]
    assert done.stdout == ""


def test_one_that_fails_is_named_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    done = _run("missing.mp4", "a.mp4", "text.mp4", "y/b.mp4", "--log", "out")
    assert done.exit_code == 1
    assert _names() == ["a.mp4.jsonl", "b.mp4.jsonl"]
    missing, text = caplog.messages
    assert missing.startswith("missing.mp4: no such file")
    assert text.startswith("text.mp4 is not a video")
    caplog.clear()
    first, second, total = done.stderr.splitlines()
    assert (first.partition(": ")[0], second.partition(": ")[0]) == ("a.mp4", "y/b.mp4")
    assert total.startswith("4 sources, 2 failed: ")


def test_the_summary_is_one_document_with_all_sources(caplog: pytest.LogCaptureFixture) -> None:
    done = _run("a.mp4", "missing.mp4", "x/b.mp4", "y/b.mp4", "--log", "out/", "--json-summary")
    assert done.exit_code == 1
    summary = json.loads(done.stdout)
    assert (summary["frames"], summary["faces"], summary["people"]) == (9, 9, 3)
    logs = ["out/a.mp4.jsonl", "out/x/b.mp4.jsonl", "out/y/b.mp4.jsonl"]
    assert summary["outputs"] == logs
    each = summary["sources"]
    assert [one["source"] for one in each] == ["a.mp4", "missing.mp4", "x/b.mp4", "y/b.mp4"]
    assert [one["frames"] for one in each] == [3, 0, 3, 3]
    assert [one["outputs"] for one in each] == [logs[:1], [], logs[1:2], logs[2:]]
    assert summary["failures"] == each[1]["failures"] != []
    assert caplog.messages == summary["failures"]
    caplog.clear()
    assert done.stderr == ""


def test_in_a_folder_the_outputs_of_one_source_are_named_after_it_too() -> None:
    done = _run("a.mp4", "--save", "out/", "--log", "out/")
    assert done.exit_code == 0, done.stderr
    assert _names() == ["a.mp4", "a.mp4.jsonl"]
    assert _run("x/b.mp4", "--save", "out", "--sheet", "none/").exit_code == 0
    assert _names() == ["a.mp4", "a.mp4.jsonl", "b.mp4"]
    assert _names(Path("none")) == ["b.mp4.png"]


def test_a_folder_that_is_made_for_nothing_goes_again(folder: Path) -> None:
    before = _names(folder)
    assert _run("missing.mp4", "--save", "out/").exit_code == 2
    assert (_OUT.exists(), _names(folder)) == (False, before)


def test_the_summary_of_one_source_has_no_list() -> None:
    assert "sources" not in json.loads(_run("a.mp4", "--json-summary").stdout)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("a.mp4 x/b.mp4 --save o.mp4", "--save o.mp4 is one file, and there are 2 sources"),
        ("a.mp4 x/b.mp4 --save .", "would overwrite a.mp4, which is read"),
        ("x/b.mp4 y/b.mp4 --save . --overwrite", "would overwrite x/b.mp4, which is read"),
        ("a.mp4 x/b.mp4 --save clips/1.mp4", "clips/1.mp4 is one file"),
        ("a.mp4 clips/1.mp4 --log taken", "taken/1.mp4.jsonl exists"),
        ("a.mp4 x/b.mp4 --save out --set recorder.codec=mpeg2", "recorder.codec"),
        ("a.mp4 x/b.mp4 --model none --save out", "none is not a folder"),
        ("a.mp4 0 x/b.mp4", "camera 0 may have no end, and a.mp4 is a file"),
        ("clips --save out", "for its videos give 'clips/*.mp4'"),
        ("clips/*.avi", "clips/*.avi: no file has such a name"),
    ],
)
def test_what_is_asked_wrongly_is_said_before_anything_is_done(
    arguments: str, message: str, folder: Path
) -> None:
    Path("taken").mkdir()
    Path("taken/1.mp4.jsonl").write_text("precious")
    before = _names(folder)
    done = _run(*arguments.split())
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert _names(folder) == before
    assert not _OUT.exists()


def test_pictures_among_videos() -> None:
    done = _run("one.png", "a.mp4", "--save", "out", "--log", "out", "--set", "outputs.log=csv")
    assert done.exit_code == 0, done.stderr
    tables = [f"{name}{end}" for name in ("a.mp4", "pictures") for end in (".csv", ".tracks.csv")]
    tables.append("a.mp4.persons.csv")
    copies = ["pictures/faces.csv", "pictures/one.png", "pictures/one.png.csv"]
    assert _names() == sorted(["a.mp4", *tables, *copies])


def test_a_run_that_is_interrupted_completes_what_it_has_and_begins_no_other() -> None:
    sources = list_sources(["a.mp4", "x/b.mp4"])
    outputs = name_outputs(Outputs(log=_OUT), sources, Config())
    stoppers = [FailingSink(fail_at=2, error=KeyboardInterrupt())]
    totals = run_each(sources, outputs, Config(), watchers=lambda _: stoppers)
    assert (totals.interrupted, totals.frames, len(totals.summaries)) == (True, 2, 1)
    assert totals.line().startswith("1 of 2 sources: ")
    assert _names() == ["a.mp4.jsonl"]
    assert len(log_lines(_OUT / "a.mp4.jsonl")) == 3


def test_a_model_that_cannot_be_loaded_is_said_once_and_nothing_is_left(folder: Path) -> None:
    sources = list_sources(["a.mp4", "x/b.mp4"])
    outputs = name_outputs(Outputs(save=_OUT), sources, Config())
    config = Config(engine=EngineSection(model=str(folder)))
    with pytest.raises(ModelError, match="not a model folder"):
        run_each(sources, outputs, config)
    config = Config(detection=DetectionSection(threshold=2.0))  # found when the engine is loaded
    with pytest.raises(ConfigError, match="the detector centerface takes"):
        run_each(sources, outputs, config)
    assert not _OUT.exists()


def test_a_signal_ends_all(folder: Path) -> None:
    write_numbers(folder / "a.mp4", 2000)
    words = ["run", "a.mp4", "x/b.mp4", "--no-show", "--save", "out", "--set"]
    run = _started([*words, "detection.frame_skip=0"])
    try:
        _wait_for(_OUT / "a.part.mp4", run)
        os.kill(run.pid, signal.SIGINT)
        _, stderr = run.communicate(timeout=_WAIT_S)
    finally:
        run.kill()
        run.communicate()
    assert run.returncode == 128 + signal.SIGINT
    assert _names() == ["a.mp4"]
    assert len(times_s(_OUT / "a.mp4")) > 0
    assert stderr.splitlines()[-1].startswith("1 of 2 sources: ")


def test_what_reads_the_lines_of_all_leaves_and_none_follows(folder: Path) -> None:
    write_clip(folder / "a.mp4", 100)
    run = _started(["run", "a.mp4", "x/b.mp4", "--no-show", "--events", "--save", "out"])
    try:
        assert run.stdout is not None and run.stderr is not None
        json.loads(run.stdout.readline())
        run.stdout.close()
        stderr = run.stderr.read()
        assert run.wait(timeout=_WAIT_S) == 0
    finally:
        run.kill()
        run.wait()
        for pipe in (run.stdout, run.stderr):
            if pipe is not None:
                pipe.close()
    assert _names() == ["a.mp4"]
    assert stderr.splitlines()[-1].startswith("1 of 2 sources: ")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a screen")
def test_that_there_is_no_screen_is_said_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    sources = list_sources(["a.mp4", "x/b.mp4", "y/b.mp4"])
    totals = run_each(sources, [Outputs(show=True)] * 3, Config())
    assert totals.frames == 9
    assert caplog.messages == ["no screen to show the window on: going on without"]
    caplog.clear()


def _started(words: Sequence[str]) -> "subprocess.Popen[str]":
    program = [sys.executable, "-m", "stream", *words]
    return subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _wait_for(path: Path, run: "subprocess.Popen[str]") -> None:
    """Waits until a file has content."""
    until_s = time.monotonic() + _WAIT_S
    while not (path.exists() and path.stat().st_size > 0):
        assert run.poll() is None, "the run has ended"
        assert time.monotonic() < until_s, f"{path} does not appear"
        time.sleep(0.02)
