"""The commands and examples of the README and the page on usage, each run as it is written."""

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from training_helpers import make_folders

from models.faces import Image, iou
from models.networks.trunk import dlib_trunk, trunk_graph
from stream.drawing.colours import ColourScheme
from stream.settings.schema import RecorderSection
from stream.sinks.video.video_file import VideoFile
from stream.sources.demo import DemoSource, portrait

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "docs" / "usage.md")
README = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
SETUP = "pip install uv && uv run "
TEST_COMMAND = f"{SETUP}--group dev pytest"
NO_CAMERA = "99"
CLIP_FRAMES = 12
NO_SCREEN = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
PROGRAMS = ("face-stream", "face-train")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def _commands() -> list[str]:
    lines = (line for block in _blocks("sh") for line in block.splitlines())
    return [line.split("  #")[0].strip() for line in lines if line.strip()]


def _work(folder: Path) -> Path:
    """A folder with the files that the commands name."""
    source = DemoSource(frame_count=CLIP_FRAMES, size_wh=(640, 360))
    with VideoFile(folder / "clip.mp4", source.info, RecorderSection()) as film:
        for frame in source.frames():
            film.add(frame.image, frame.time_s)
    (folder / "pictures").mkdir()
    cv2.imwrite(str(folder / "pictures" / "one.jpg"), portrait())
    make_folders(folder / "faces", 24)
    return folder


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield _work(tmp_path_factory.mktemp("readme"))


def test_the_readme_names_the_programs_and_the_two_commands_to_begin_with() -> None:
    commands = _commands()
    assert commands[:2] == [f"{SETUP}face-stream demo", TEST_COMMAND]
    assert all(command.startswith((SETUP, *PROGRAMS)) for command in commands)


@pytest.mark.timeout(600)
def test_the_commands_do_what_the_readme_says(work: Path) -> None:
    """Runs the commands in their order, because some take what others wrote.

    Those of training, and of the models it makes, need no other command: both halves run at once.
    """
    commands = [each for each in _commands() if each != TEST_COMMAND]  # it runs this test
    training = [each for each in commands if each.startswith("face-train") or "mymodel/" in each]
    others = [each for each in commands if each not in training]

    def run_all(half: list[str]) -> int:
        for command in half:
            _run(command, work)
        return len(half)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run_all, (others, training)))
    assert done == [len(others), len(training)]
    assert min(done) > 4


def _run(command: str, folder: Path) -> None:
    program, *arguments = shlex.split(command.removeprefix(SETUP), comments=True)
    if arguments[:2] == ["run", "0"]:
        arguments[1] = NO_CAMERA  # a camera of this machine would never end
    done = subprocess.run(
        [str(Path(sys.executable).with_name(program)), *arguments],
        cwd=folder,
        env=NO_SCREEN,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if arguments[0] == "finetune" and find_spec("torch") is None:
        assert done.returncode == 1
        assert "fine-tuning needs PyTorch" in done.stderr
        _write_stand_in(folder / arguments[arguments.index("--out") + 1])
    elif NO_CAMERA in arguments:
        assert done.returncode == 2
        assert f"camera {NO_CAMERA} cannot be opened" in done.stderr
    else:
        assert done.returncode == 0, f"{command}: {done.stderr}"
    for output in re.findall(r"--(?:save|log|out) (\S+)", command):
        assert (folder / output).exists(), command


def _write_stand_in(folder: Path) -> None:
    """Writes what `finetune` would: dlib's own trunk, as if it had been trained."""
    folder.mkdir()
    properties = {"name": "stand-in", "identity": "128", "record": json.dumps(_RECORD)}
    model = trunk_graph(dlib_trunk(), properties)
    (folder / "embedder.onnx").write_bytes(model)


_RECORD = {
    "commands": ["face-train finetune faces --out tuned"],
    "attributes": ["gender"],
    "data": {"dataset": "faces", "hold_out": "a tenth"},
    "faces": {"fitted": 20, "development": 2},
    "best": {"epoch": 1},
    "epochs": 1,
    "start": None,
    "settings": {},
    "hours": 0.1,
    "hardware": "2 CPU cores",
}
_PRINTED = ["Label(", "", "Female {'box': [", "[1] [[", ""]
_EXAMPLES = list(zip(_blocks("python"), _PRINTED, strict=True))


@pytest.mark.parametrize(("example", "printed"), _EXAMPLES)
def test_an_example_runs(example: str, printed: str, work: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=work,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert printed in done.stdout
    for index in range(CLIP_FRAMES) if "frame{frame.index}.png" in example else ():
        assert (work / f"frame{index}.png").exists()


def test_the_picture_is_what_its_script_makes() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "picture.py"))["picture"]()
    picture = cv2.imread(str(ROOT / "docs" / "picture.jpg"))
    assert picture is not None
    assert picture.shape == made.shape
    assert cv2.absdiff(picture, made).mean() < 3  # JPEG alone makes 1.5
    # The box may differ by some px, as the detector gives it, but not lie elsewhere.
    largest = slice(None), slice(2 * made.shape[1] // 3)  # the panel on the left
    assert iou(_drawn_xyxy(picture[largest]), _drawn_xyxy(made[largest])).item() > 0.6


def _drawn_xyxy(picture: Image) -> NDArray[np.float32]:
    """The box around all that has the first track's colour, its box and label, `(1, 4)` px."""
    away = np.abs(picture.astype(int) - ColourScheme().of(1, {})).max(axis=2)
    left, top, width, height = cv2.boundingRect((away < 40).astype(np.uint8))
    return np.array([[left, top, left + width, top + height]], dtype=np.float32)
