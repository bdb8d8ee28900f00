"""The commands `batch`, `batch status` and `batch retry`, by what they print and leave."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pyarrow.parquet as pq
import pytest
from fakes import write_clip
from typer.testing import CliRunner, Result

from stream.cli.app import app
from stream.sources.demo import portrait


def _run(*words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["batch", *words], input=stdin)


@pytest.fixture(scope="module")
def done(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, "subprocess.CompletedProcess[str]"]:
    """A batch that was done: a video, a video that is none, and two pictures, listed in a table."""
    folder = tmp_path_factory.mktemp("batch")
    (folder / "in" / "day").mkdir(parents=True)
    write_clip(folder / "in" / "day" / "v.mp4", 3)
    (folder / "in" / "cut.mp4").write_bytes(b"not a video at all")
    for name in ("p.jpg", "q.jpg"):
        cv2.imwrite(str(folder / "in" / "day" / name), portrait())
    (folder / "in" / "list.csv").write_text(
        "\ufefffile;place\nday/v.mp4;door\ncut.mp4;\nday/p.jpg;hall\ngone.mp4;roof\n"
    )
    words = ["batch", "in/list.csv", "--out", "out", "--save", "--json-summary", "--workers", "1"]
    finished = subprocess.run(
        [sys.executable, "-m", "stream", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return folder, finished


def test_each_input_is_done_or_named_with_its_reason(
    done: tuple[Path, "subprocess.CompletedProcess[str]"],
) -> None:
    folder, finished = done
    assert finished.returncode == 1, finished.stderr
    told = json.loads(finished.stdout)
    assert (told["done"], told["failed"], told["interrupted"]) == (2, 2, False)
    assert [each["input"] for each in told["ledger"]["failures"]] == ["cut.mp4", "gone.mp4"]
    reasons = [each["error"] for each in told["ledger"]["failures"]]
    assert "is not a video that can be read" in reasons[0]
    assert "no such file" in reasons[1]
    left = {path.relative_to(folder / "out").as_posix() for path in (folder / "out").rglob("*")}
    assert left == {
        *("day", "day/v.mp4", "day/v.mp4.parquet", "day/v.mp4.tracks.parquet"),
        "day/v.mp4.persons.parquet",
        *("day/p.jpg", "day/p.jpg.parquet", "day/p.jpg.tracks.parquet"),
        *("ledger.sqlite", "summary.parquet", "persons.parquet"),
    }
    persons = pq.read_table(folder / "out" / "persons.parquet").to_pylist()
    assert [(each["input"], each["place"]) for each in persons] == [
        ("day/v.mp4", "door"),
        ("day/p.jpg", "hall"),
    ]


def test_the_same_command_does_nothing_again(
    done: tuple[Path, "subprocess.CompletedProcess[str]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = done
    monkeypatch.chdir(folder)
    again = _run("in/list.csv", "--out", "out", "--save", "--dry-run")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "2 done already, 2 that failed, which `face-stream batch retry out` sets" in again.stderr
    changed = _run("in/list.csv", "--out", "out", "--save", "--blur", "--dry-run", "--limit", "3")
    assert changed.stdout.split() == ["day/v.mp4", "cut.mp4", "day/p.jpg"]


def test_tables_that_cannot_be_written_are_said_when_all_else_is_done(
    done: tuple[Path, "subprocess.CompletedProcess[str]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = done
    monkeypatch.chdir(folder)
    before = Path("out/summary.parquet").read_bytes()
    Path("out/summary.part.parquet").mkdir()
    told = _run("in/list.csv", "--out", "out", "--save", "--json-summary")
    Path("out/summary.part.parquet").rmdir()
    assert told.exit_code == 1
    assert "out/summary.parquet cannot be made: Is a directory; the next start" in told.stderr
    assert json.loads(told.stdout)["outputs"] == []
    assert Path("out/summary.parquet").read_bytes() == before


def test_status_names_what_failed(
    done: tuple[Path, "subprocess.CompletedProcess[str]"],
) -> None:
    folder, _ = done
    told = _run("status", str(folder / "out"))
    assert told.exit_code == 0
    first, second, *failed = told.stdout.splitlines()
    assert first == "4 inputs: 2 done, 2 failed"
    assert second.startswith("2 people · ")
    assert [line.split(": ")[:2] for line in failed] == [
        ["failed", "cut.mp4"],
        ["failed", "gone.mp4"],
    ]
    as_json = json.loads(_run("status", str(folder / "out"), "--json").stdout)
    assert (as_json["done"], as_json["failed"], as_json["waiting"]) == (2, 2, 0)


def test_retry_says_how_many_were_set_free(
    done: tuple[Path, "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    folder, _ = done
    out = tmp_path / "copy"
    out.mkdir()
    (out / "ledger.sqlite").write_bytes((folder / "out" / "ledger.sqlite").read_bytes())
    assert "2 that failed wait again: start the batch as before" in _run("retry", str(out)).stderr
    assert "no input has failed" in _run("retry", str(out)).stderr


def test_a_list_on_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = _run("-", "--out", "out", "--dry-run", stdin="b.mp4\na.mp4\n")
    assert (told.exit_code, told.stdout) == (0, "b.mp4\na.mp4\n")
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone", "--out", "out"], "gone: no such file or folder"),
        (["rtsp://u:sesame@h/live", "--out", "out"], "rtsp://h/live may have no end"),
        (["d", "--out", "out", "--shard", "3/2"], "--shard 3/2: write it as i/n"),
        (["d", "--out", "d"], "--out d is the folder that is read"),
        (["d"], "Missing option '--out'"),
        (["d", "--out", "out", "--log", "xml"], "--log"),
        (["d", "--out", "out", "--retries", "-1"], "--retries"),
        (["d", "--out", "out", "--set", "labels.min_confidence=2"], "labels.min_confidence"),
        (["status", "d"], "d holds no ledger of a batch: name the folder of its --out"),
        (["status", "gone"], "gone holds no ledger of a batch"),
        (["retry", "gone"], "gone holds no ledger of a batch"),
    ],
)
def test_what_is_asked_wrongly_is_one_line_and_leaves_nothing(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("d").mkdir()
    Path("d/v.mp4").write_bytes(b"video")
    told = _run(*words)
    assert told.exit_code == 2
    assert message in told.stderr
    assert len(told.stderr.splitlines()) == 1
    assert "sesame" not in told.stderr
    assert [path.name for path in Path().iterdir()] == ["d"]


def test_a_damaged_ledger_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"no database at all, and long enough to be one" * 99)
    told = _run("status", str(tmp_path))
    assert told.exit_code == 1
    assert "is damaged: move it away" in told.stderr
    assert len(told.stderr.splitlines()) == 1
