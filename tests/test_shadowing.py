"""A module of the user's that hides the package `models` is named as what stands in the way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_SCRIPTS = Path(sys.executable).parent


@pytest.fixture(params=["models.py", "models/__init__.py"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A module of that name, in a folder where a script may be."""
    path = tmp_path / str(request.param)
    path.parent.mkdir(exist_ok=True)
    path.write_text("raise AssertionError('it is not run')\n")
    return path


def _python(folder: Path, *words: str | Path, path: str) -> subprocess.CompletedProcess[str]:
    """What a command says that is started in a folder, with that PYTHONPATH."""
    return subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("package", ["stream", "training"])
def test_a_script_beside_it_gets_an_import_error(package: str, other: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"try:\n    import {package}\nexcept ImportError as error:\n    print(error)\n"
    )
    done = _python(tmp_path, sys.executable, script, path=str(_ROOT))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{other} is imported as models, in the place of face-stream's")
    assert "rename it" in done.stdout


@pytest.mark.parametrize(
    ("module", "program"), [("stream", "face-stream"), ("training", "face-train")]
)
@pytest.mark.parametrize("started", ["script", "module"])
def test_a_program_ends_with_one_line(
    started: str, module: str, program: str, other: Path, tmp_path: Path
) -> None:
    words = [_SCRIPTS / program] if started == "script" else [sys.executable, "-m", module]
    path = f"{tmp_path}{os.pathsep}{_ROOT}"
    done = _python(tmp_path, *words, "--help", path=path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{program}: {other} is imported as models")
    assert done.stderr.count("\n") == 1
    loud = _python(tmp_path, *words, "--debug", path=path)
    assert "ImportError: " in loud.stderr
    assert "Traceback" in loud.stderr


def test_a_folder_of_that_name_without_a_module_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    script = tmp_path / "script.py"
    script.write_text("import stream\nprint(stream.Config.__name__)\n")
    done = _python(tmp_path, sys.executable, script, path=str(_ROOT))
    assert (done.stdout, done.stderr) == ("Config\n", "")
