"""What cannot be imported is said in one line with what to install, wherever it is first wanted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from training_helpers import make_folders, portrait, write_picture

from models.program.system_libraries import import_fault, import_remedy, missing_reference
from stream.doctor.installation import reference

_ROOT = Path(__file__).parents[1]
_HINT = "face-stream doctor says what else is missing"
_LIBRARY = "cannot open shared object file: No such file or directory"
_ABSENT = "import sys\nsys.modules.update(dict.fromkeys(['face_recognition', 'pkg_resources']))\n"


def _run(words: list[str], first: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A program, with a folder that Python looks in before the packages that are installed."""
    return subprocess.run(
        [sys.executable, "-P", "-m", *words],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": f"{first}{os.pathsep}{_ROOT}"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("package", ["typer", "rich"])
@pytest.mark.parametrize(("module", "program"), [("stream", "stream"), ("training", "train")])
def test_a_package_of_the_command_line_that_is_missing(
    module: str, program: str, package: str, tmp_path: Path
) -> None:
    (tmp_path / f"{package}.py").write_text(f"import no_such_{package}\n")
    done = _run([module, "--help"], tmp_path, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"face-{program}: the package no_such_{package} is not installed")
    assert done.stderr.endswith(f"; {_HINT}\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("words", "module"), [(["doctor"], "rich/text.py"), (["demo"], "cv2.py")])
def test_the_traceback_is_for_debug_alone(words: list[str], module: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken" / module
    broken.parent.mkdir(parents=True)
    broken.write_text("raise ImportError('torn\\x1b[2J')\n")
    if module.startswith("rich"):
        broken.with_name("__init__.py").touch()
    folder = tmp_path / "broken"
    quiet = _run(["stream", *words], folder, tmp_path)
    loud = _run(["stream", *words, "--debug"], folder, tmp_path)
    assert (quiet.returncode, loud.returncode) == (1, 1)
    assert quiet.stderr.count("\n") == 1
    assert "Traceback" not in quiet.stderr
    assert loud.stderr.startswith("Traceback")
    assert loud.stderr.splitlines()[-1] == quiet.stderr.rstrip("\n")
    assert "\x1b" not in quiet.stderr + loud.stderr


@pytest.mark.parametrize(
    ("there", "packages"),
    [
        ({"libGL.so.1", "libgthread-2.0.so.0"}, "libxcb1"),
        ({"libGL.so.1"}, "libxcb1 libglib2.0-0"),
        (set[str](), "libxcb1 libgl1 libglib2.0-0"),
    ],
)
def test_all_libraries_that_opencv_lacks_are_named_at_once(there: set[str], packages: str) -> None:
    error = ImportError(f"libxcb.so.1: {_LIBRARY}")
    assert import_fault(error) == "libxcb.so.1 is missing"
    assert import_remedy(error, "", lambda name: name in there).endswith(
        f"(on Debian: apt-get install {packages})"
    )


def test_a_library_of_another_package_is_named_alone() -> None:
    error = ImportError(f"libgomp.so.1: {_LIBRARY}")
    assert import_remedy(error, "", lambda _: False).endswith("apt-get install libgomp1)")


@pytest.fixture
def without_reference(tmp_path: Path) -> Path:
    """A folder that makes Python start as if face_recognition and setuptools were not installed."""
    folder = tmp_path / "absent"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_ABSENT)
    return folder


@pytest.mark.parametrize(
    "words",
    [
        "stream run one.png --no-show --set engine.runtime=dlib --set detection.detector=cnn",
        "stream bench --parity one.png",
        "stream bench --full",
        "training bench faces",
    ],
)
def test_what_needs_face_recognition_says_so_before_it_does_anything(
    words: str, without_reference: Path, tmp_path: Path
) -> None:
    write_picture(tmp_path / "one.png", portrait())
    make_folders(tmp_path / "faces", 4)
    done = _run(words.split(), without_reference, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert ": face_recognition and pkg_resources: not installed, but needed to" in done.stderr
    assert 'pip install --no-deps face_recognition "setuptools<81"' in done.stderr


def test_the_doctor_knows_what_the_reference_needs(without_reference: Path) -> None:
    assert missing_reference() == ""
    assert reference().state == "ok"
    done = _run(["stream", "doctor"], without_reference, without_reference)
    assert done.returncode == 0
    assert "note   reference     face_recognition and pkg_resources not installed" in done.stdout
    assert "remedy: uv sync in face-stream's folder, elsewhere pip install" in done.stdout
