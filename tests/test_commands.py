"""The commands beside `run`: what is asked wrongly, their help, and what their import costs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import write_numbers
from typer.main import get_command
from typer.testing import CliRunner

from stream.cli.app import app

_NAMES = ("run", "render", "demo", "bench", "doctor", "config")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where the program is started: a clip, and files that are no such thing."""
    write_numbers(tmp_path / "clip.mp4", 3)
    (tmp_path / "text.jsonl").write_text("x\n")
    (tmp_path / "later.jsonl").write_text('{"schema": "face-stream/9"}\n')
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe")
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    (tmp_path / "pictures").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


_WRONG = [
    ("demo --no-show --folder nowhere", "there is no folder nowhere; make it first"),
    ("demo --no-show --folder text.jsonl", "there is no folder text.jsonl; make it first"),
    ("demo --no-show --set detection.frameskip=1", "did you mean frame_skip?"),
    ("demo --no-show --config missing.toml", "missing.toml cannot be read: No such file"),
    ("bench missing.mp4", "missing.mp4 is not a video that can be read: No such file"),
    ("bench pictures", "pictures is not a video that can be read: Is a directory"),
    ("bench broken.jpg", "broken.jpg"),
    ("bench clip.mp4 text.jsonl", "one clip at a time"),
    ("bench clip.mp4 --set engine.model=missing", "missing is not a folder"),
    ("bench --set detection.frameskip=1", "did you mean frame_skip?"),
    ("bench --soak 1", "--soak 1: it takes 3 minutes at least"),
    ("bench --plot cost.svg", "--plot cost.svg: its name should end in .png"),
    ("bench --pictures clip.mp4", "clip.mp4: no pictures there"),
    ("bench --pictures missing", "missing: no pictures there"),
    ("bench --parity --pictures pictures", "--pictures is of the benchmark of speed"),
    ("bench --plot nowhere/cost.png", "there is no folder nowhere; make it first"),
    ("bench --parity missing.png", "missing.png cannot be read as a picture"),
    ("bench --parity broken.jpg", "broken.jpg cannot be read as a picture"),
    ("bench --parity pictures", "pictures cannot be read as a picture"),
    ("bench --parity --full", "--full is of the benchmark of speed: leave out --parity"),
    ("bench --parity --tracks pictures", "--parity and --tracks are two benchmarks"),
    ("bench --casts 2", "--casts belongs to --tracks"),
    ("bench --faces pictures text.jsonl --first-cast 2", "--first-cast belongs to --tracks"),
    ("bench --crf 28", "--crf belongs to --tracks"),
    ("bench --tracks pictures broken.jpg", "give no other files"),
    ("bench --tracks pictures --plot a.png", "--plot is of the benchmark of speed"),
    ("bench --tracks pictures", "give FairFace's folder"),
    ("bench --tracks missing", "give FairFace's folder"),
    ("bench --faces pictures missing.csv", "missing.csv cannot be read: No such file"),
    ("bench --faces pictures text.jsonl", "text.jsonl has no column bottom, file, left"),
    ("bench --faces pictures bytes.jsonl", "bytes.jsonl cannot be read: it is no table"),
    ("bench --faces pictures text.jsonl clip.mp4", "give no other files"),
    ("bench --faces pictures text.jsonl --full", "leave out --faces"),
    (
        "bench --faces pictures text.jsonl --parity --tracks pictures",
        "--parity and --tracks and --faces are three benchmarks",
    ),
    ("render --no-show clip.mp4 missing.jsonl", "missing.jsonl cannot be read: No such file"),
    ("render --no-show clip.mp4 pictures", "pictures cannot be read: Is a directory"),
    ("render --no-show clip.mp4 text.jsonl", "text.jsonl is not a log of face-stream/2"),
    ("render --no-show clip.mp4 later.jsonl", "later.jsonl is not a log of face-stream/2"),
    ("render --no-show clip.mp4 bytes.jsonl", "bytes.jsonl is not a log of"),
    ("render --no-show missing.mp4 text.jsonl", "is not a log of face-stream/2"),
    ("config --config missing.toml", "missing.toml cannot be read: No such file"),
    ("config --explain --json", "--explain and --json are two forms: ask for one of them"),
    ("config --set detection", "write it as section.key=value"),
]


@pytest.mark.parametrize(("arguments", "message"), _WRONG, ids=[each for each, _ in _WRONG])
def test_a_wrong_request_is_one_line(arguments: str, message: str, folder: Path) -> None:
    before = sorted(folder.iterdir())
    result = CliRunner().invoke(app, arguments.split())
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("face-stream: ")
    assert (result.stderr.count("\n"), result.stdout) == (1, "")
    assert sorted(folder.iterdir()) == before


def _parameters() -> Iterator[tuple[str, Any]]:
    """The arguments and options of every command, each with the name of the command."""
    for name, command in get_command(app).commands.items():
        yield from ((name, parameter) for parameter in command.params)


def test_every_command_and_option_has_a_help() -> None:
    commands = get_command(app).commands
    assert set(_NAMES) <= set(commands)
    assert all(command.help for command in commands.values())
    for name, parameter in _parameters():
        assert parameter.help and parameter.help.endswith("."), (name, parameter.opts)


@pytest.mark.parametrize("name", _NAMES)
def test_help_names_every_option(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0
    names = [each for of, parameter in _parameters() if of == name for each in parameter.opts]
    options = [each for each in names if each.startswith("-")]
    assert options
    assert [each for each in options if each not in result.stdout] == []


def test_the_import_of_the_command_line_loads_nothing_heavy() -> None:
    """So `face-stream --help` is quick: it needs Typer and Rich, with what they depend on."""
    code = "import sys, stream.cli.app; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stdout.split())
    assert {"stream", "typer", "rich"} <= loaded
    assert not loaded & {"numpy", "cv2", "pydantic", "onnxruntime", "av"}
    of_models = {name.removeprefix("models.") for name in loaded if name.startswith("models.")}
    printing = {"command_line", "typer_app", "interrupts", "printable", "system_libraries"}
    programs = {"program", *(f"program.{name}" for name in printing)}
    assert of_models <= {*programs, "errors", "shadowing"}
    assert not loaded & {"onnx", "scipy", "sklearn", "pyarrow", "imutils", "dlib", "matplotlib"}


def test_a_name_that_the_terminal_cannot_show(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stream", "doctor", "--model", "ü"],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert r"model         \xfc is not a folder" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_where_nothing_can_be_printed_any_more_it_is_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "stream", "config"],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
    message = "face-stream: standard output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, message)


_ENDING = """
import atexit, threading, time
from stream.cli.console import exit_at_once

class Last:
    def __del__(self):
        print("taken apart")

last = Last()
atexit.register(print, "registered")
kind, released = {kind!r}, threading.Event()
if kind == "blocked":
    threading.Thread(target=time.sleep, args=(300,), daemon=True).start()
if kind == "working":
    threading.Thread(target=released.wait).start()
print("first")
exit_at_once("a message" if kind == "message" else 130)
print("second")
released.set()
"""


@pytest.mark.parametrize(
    ("kind", "output", "code"),
    [
        ("alone", "first\nregistered\n", 130),
        ("blocked", "first\nregistered\n", 130),
        ("working", "first\nsecond\nregistered\ntaken apart\n", 0),
        ("message", "first\nsecond\nregistered\ntaken apart\n", 0),
    ],
)
def test_the_program_ends_at_once_unless_a_thread_still_works(
    kind: str, output: str, code: int
) -> None:
    words = [sys.executable, "-c", _ENDING.format(kind=kind)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, output, "")


_GARBAGE = """
import gc
from stream.__main__ import _START_OBJECTS, _put_off_garbage_collection
usual, before = gc.get_threshold(), gc.get_stats()[0]["collections"]
_put_off_garbage_collection()
kept = [[] for _ in range(_START_OBJECTS // 2)]
put_off = gc.get_stats()[0]["collections"] == before
kept += [[] for _ in range(_START_OBJECTS)]
print(put_off, gc.get_stats()[0]["collections"] > before, gc.get_threshold() == usual)
"""


def test_garbage_is_collected_as_usual_once_the_start_is_over() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _GARBAGE], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "True True True\n"
