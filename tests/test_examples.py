"""The scripts of `examples/`, each run as its docstring says, on a clip of the demo."""

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import av
import cv2
import pyarrow.parquet as pq
import pytest
from fakes import write_clip
from training_helpers import make_folders

from models.classification.bundle import load_bundle
from stream.sinks.pictures.picture_file import write_picture
from stream.sources.demo import portrait

_EXAMPLES = Path(__file__).parents[1] / "examples"
_FRAMES = 90
"""Frames of the clip: the face moves to the right, and back past the middle after three seconds."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("examples") / "clip.mp4", _FRAMES)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> "Run":
    return Run(monkeypatch, capsys)


class Run:
    """Runs an example in this process, and returns what it prints."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, name: str, *arguments: Path) -> str:
        script = str(_EXAMPLES / name)
        self._monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        runpy.run_path(script, run_name="__main__")
        return self._capsys.readouterr().out


def test_faces_in_pictures(run: Run, tmp_path: Path) -> None:
    write_picture(tmp_path / "in" / "one.png", portrait())
    printed = run("faces_in_pictures.py", tmp_path / "in", tmp_path / "faces.parquet")
    (row,) = pq.read_table(tmp_path / "faces.parquet").to_pylist()
    assert Path(row["file"]).name == "one.png"
    assert (row["gender"], row["gender_confidence"] > 0.9) == ("Female", True)
    assert 80 < row["right"] - row["left"] < 100
    assert "'gender': 'Female'" in printed


def test_own_loop(run: Run, clip: Path, tmp_path: Path) -> None:
    run("own_loop.py", clip, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as film:
        assert sum(1 for _ in film.decode(video=0)) == _FRAMES


def test_one_picture(run: Run, tmp_path: Path) -> None:
    write_picture(tmp_path / "one.png", portrait())
    printed = run("one_picture.py", tmp_path / "one.png", tmp_path / "out.png").splitlines()
    size = re.match(r"1: (\d+) × (\d+) px at ", printed[0])
    assert size is not None
    assert (int(size[1]), int(size[2])) == (pytest.approx(88, abs=4), pytest.approx(120, abs=6))
    assert printed[1].startswith("   gender: Female 9")
    drawn = cv2.imread(str(tmp_path / "out.png"))
    assert drawn is not None
    assert (drawn != portrait()).any()


def test_count_people(run: Run, clip: Path) -> None:
    printed = run("count_people.py", clip)
    assert [line.split()[:2] for line in printed.splitlines() if "Female" in line] == [
        ["Female", "1"]
    ]
    assert "0 of 1 tracks" in printed


def test_draw_with_supervision(run: Run, clip: Path, tmp_path: Path) -> None:
    run("draw_with_supervision.py", clip, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as film, av.open(str(clip)) as before:
        pairs = list(zip(film.decode(video=0), before.decode(video=0), strict=True))
        last, plain = (each.to_ndarray(format="bgr24").astype(int) for each in pairs[-1])
    assert len(pairs) == _FRAMES
    assert (abs(last - plain).max(axis=2) > 100).sum() > 500  # box, label and trace


def test_zones_and_lines(run: Run, clip: Path) -> None:
    printed = run("zones_and_lines.py", clip).splitlines()
    assert [line.split("track")[1] for line in printed[:-1]] == [" 1 goes to the left"]
    counted, zone = printed[-1].split("; in the left half ")
    assert counted == "0 to the right, 1 to the left"  # it starts on the line
    assert list(inside := ast.literal_eval(zone)) == ["Female"]
    assert 10 < inside["Female"] < _FRAMES


def test_camera_events(run: Run, clip: Path) -> None:
    assert run("camera_events.py", clip).splitlines() == [
        "0.0 s: track 1 appears",
        "0.0 s: track 1 is perceived as Female",
    ]


def test_train_a_classifier(tmp_path: Path) -> None:
    script = _EXAMPLES / "train_a_classifier.py"
    faces = make_folders(tmp_path / "faces", 24)
    done = subprocess.run(
        [sys.executable, str(script), str(faces), str(tmp_path / "mymodel")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout
    (head,) = load_bundle(tmp_path / "mymodel").manifest.attributes
    assert head.attribute == "gender"


def test_each_is_short_and_has_a_docstring() -> None:
    scripts = sorted(_EXAMPLES.glob("*.py"))
    assert len(scripts) == 8
    for script in scripts:
        text = script.read_text(encoding="utf-8")
        docstring = ast.get_docstring(ast.parse(text)) or ""
        assert docstring.splitlines()[0].endswith("."), script.name
        assert f"python examples/{script.name}" in docstring
        assert 10 <= len(text.splitlines()) <= 30, script.name
        assert f'"{script.name}"' in Path(__file__).read_text(encoding="utf-8"), script.name
