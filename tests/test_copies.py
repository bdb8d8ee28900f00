"""Copies of the results of a batch in a store: a folder of this machine under an address."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import pytest
from fakes import write_clip

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: uv sync --group dev")

from stream.batch.copies import Copies  # noqa: E402
from stream.errors import ConfigError, SinkError  # noqa: E402
from stream.sources.demo import portrait  # noqa: E402

_TABLES = {"summary.parquet", "persons.parquet"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a video, long enough for two spans, and a picture."""
    (tmp_path / "in" / "day").mkdir(parents=True)
    write_clip(tmp_path / "in" / "v.mp4", 3)
    write_clip(tmp_path / "in" / "long.mp4", 60)  # with a keyframe a second
    cv2.imwrite(str(tmp_path / "in" / "day" / "p.jpg"), portrait())
    return tmp_path


def _batch(folder: Path, words: Sequence[str] = ()) -> "subprocess.CompletedProcess[str]":
    """A batch of one worker; its results are put below `folder / "store"`."""
    command = ["batch", "in", "--out", "out", "--log", "csv", "--workers", "1", "--json-summary"]
    return subprocess.run(
        [sys.executable, "-m", "stream", *command, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def _files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_the_store_has_what_the_folder_has_but_the_ledger(folder: Path) -> None:
    ended = _batch(
        folder, ["--snapshots", "--span-s", "1", "--copy-to", f"local://{folder}/store/"]
    )
    assert ended.returncode == 0, ended.stderr
    here, there = _files(folder / "out"), _files(folder / "store")
    own = {name for name in here if not name.startswith((".", "ledger")) and "/." not in name}
    assert there.keys() == own
    assert {*_TABLES, "v.mp4.csv", "v.mp4.tracks.csv", "long.mp4.csv", "day.csv"} <= own
    assert any(name.startswith("day.people/") for name in own)
    assert all(there[name] == here[name] for name in own)
    # Another place is another order, so all is done again; the same is done already.
    again = _batch(folder, ["--snapshots", "--span-s", "1", "--copy-to", f"local://{folder}/store"])
    assert json.loads(again.stdout)["done"] == 0
    other = _batch(folder, ["--snapshots", "--span-s", "1", "--copy-to", f"local://{folder}/other"])
    assert json.loads(other.stdout)["done"] == 3
    assert _files(folder / "other").keys() == own


def test_an_input_whose_results_cannot_be_put_has_failed(folder: Path) -> None:
    (folder / "store").write_bytes(b"a file")
    ended = _batch(folder, ["--retries", "0", "--copy-to", f"local://{folder}/store"])
    assert ended.returncode == 1
    failures = json.loads(ended.stdout)["ledger"]["failures"]
    assert {each["input"] for each in failures} == {"day", "long.mp4", "v.mp4"}
    assert all("store/" in each["error"] for each in failures)
    assert all("cannot be written: " in each["error"] for each in failures)


def test_an_address_at_which_nothing_can_be_put_is_asked_wrongly(folder: Path) -> None:
    for address, message in (
        ("https://me:secret@host/faces", "--copy-to https://host/faces: give an address such as"),
        ("faces", "--copy-to faces: give an address such as s3://bucket/folder"),
    ):
        ended = _batch(folder, ["--copy-to", address])
        assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
        assert message in ended.stderr
        assert not (folder / "out").exists()


def test_a_protocol_whose_package_is_missing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(ConfigError, match="--copy-to s3://bucket/faces: a package is missing"):
        Copies.ordered("s3://bucket/faces", tmp_path)


def test_a_name_is_no_part_of_an_address(tmp_path: Path) -> None:
    names = ["a::b.csv", "c?d#e.csv", "f %20.csv"]
    for name in names:
        (tmp_path / name).write_text(name)
    Copies.ordered(f"local://{tmp_path}/store", tmp_path).put(tmp_path / name for name in names)
    assert {path.name: path.read_text() for path in (tmp_path / "store").iterdir()} == {
        name: name for name in names
    }


def test_no_password_of_a_store_is_shown(tmp_path: Path) -> None:
    copies = Copies(tmp_path, "unknown://me:secret@host/faces")
    (tmp_path / "v.csv").write_bytes(b"")
    with pytest.raises(SinkError, match=r"unknown://host/faces/v\.csv: cannot be written") as told:
        copies.put([tmp_path / "v.csv"])
    assert "secret" not in f"{told.value}{copies!r}{copies.shown}"
