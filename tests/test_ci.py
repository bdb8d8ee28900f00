"""The script of continuous integration: the packages it installs, and the commands it runs."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from conftest import SLOW

_ROOT = Path(__file__).parents[1]
_COMMANDS = ["pip install uv && uv run face-stream demo"]
_COMMANDS += ["pip install uv && uv run --group dev pytest"]
_RECORD = 'echo "$(basename "$0") $*" >> "$(dirname "$0")/calls"'


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder of commands that stand in for Debian's: root, and no package installed."""
    _command(tmp_path, "dpkg-query", "exit 1")
    _command(tmp_path, "id", "echo 0")
    _command(tmp_path, "apt-get", _RECORD)
    return tmp_path


def _command(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _run(machine: Path) -> subprocess.CompletedProcess[str]:
    """The script, but that the commands are not run: one of them is running now."""
    script = (_ROOT / ".ci" / "run").read_text(encoding="utf-8")
    run = '\n  eval "$command"\n'
    assert script.count(run) == 1
    return subprocess.run(
        ["bash", "-c", script.replace(run, "\n"), str(_ROOT / ".ci" / "run")],
        env=os.environ | {"PATH": f"{machine}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def _listed() -> str:
    """The packages that CONTRIBUTING lists."""
    text = (_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"\nDebian packages for the tests.*?\n```text\n(.*?)```", text, re.DOTALL)
    return " ".join(block.split())


def test_it_runs_the_two_commands_of_the_readme(machine: Path) -> None:
    done = _run(machine)
    assert (done.returncode, done.stdout.splitlines()) == (0, _COMMANDS), done.stderr


def test_it_installs_what_contributing_lists(machine: Path) -> None:
    done = _run(machine)
    assert (machine / "calls").read_text().splitlines() == [
        "apt-get update -qq",
        f"apt-get install -qq -y --no-install-recommends {_listed()}",
    ]
    assert done.stderr == f"ci: installed: {_listed()}\n"


@pytest.mark.parametrize(
    ("name", "script", "message"),
    [
        ("dpkg-query", "echo install ok installed", "Debian packages for the tests are installed"),
        ("id", "echo 1000", "without root and apt-get, not installed"),
        ("apt-get", "exit 100", "apt-get failed, not installed"),
    ],
)
def test_it_goes_on_without_installing(machine: Path, name: str, script: str, message: str) -> None:
    _command(machine, name, script)
    done = _run(machine)
    assert (done.returncode, done.stdout.splitlines()) == (0, _COMMANDS)
    assert done.stderr == f"ci: {message}: {_listed()}\n"
    assert not (machine / "calls").exists()


def test_the_workflow_only_calls_it() -> None:
    workflow = (_ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert re.findall(r"run: (.+)", workflow) == ["bash .ci/run"]


def test_the_quick_part_leaves_out_files_that_are_there_and_most_are_not() -> None:
    files = {path.stem.removeprefix("test_") for path in (_ROOT / "tests").glob("test_*.py")}
    assert files >= SLOW
    assert len(SLOW) < len(files) / 3


def test_the_quick_part_runs_with_each_version_that_the_workflow_has() -> None:
    workflow = (_ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    tested = re.findall(r'"(3\.\d+)"', workflow)
    contributing = (_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"for version in {' '.join(tested)}; do uv run --isolated" in contributing
