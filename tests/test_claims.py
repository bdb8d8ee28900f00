"""Outputs of which each has one run at a time, and what an earlier run could save."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from fakes import SIZE_WH, log_lines, times_s, write_clip

from models.program.interrupts import unfinished
from models.program.locks import lock_path
from stream.errors import ConfigError
from stream.frames import SourceInfo
from stream.sinks import Outputs, claim_outputs
from stream.sinks.claims import claim_new_file
from stream.sinks.paths import partial_path

_INFO = SourceInfo("numbers", "video", SIZE_WH, 25.0, 10)
_PICTURES = SourceInfo("numbers", "pictures", SIZE_WH)
_WAIT_S = 120
_RUNS = 8


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ({"save": "out.mp4"}, {"save": "out.mp4"}, _INFO),
        ({"save": "out.mp4", "log": "a.csv"}, {"save": "b.mp4", "log": "a.csv"}, _INFO),
        ({"log": "a.csv"}, {"log": "a.tracks.csv"}, _INFO),
        ({"save": "a.mp4"}, {"save": "a.part.mp4"}, _INFO),
        ({"sheet": "all.png"}, {"sheet": "all.png"}, _INFO),
        ({"snapshots": "people"}, {"snapshots": "people"}, _INFO),
        ({"snapshots": "people"}, {"log": "people/persons.csv"}, _INFO),
        ({"save": "copies"}, {"save": "copies"}, _PICTURES),
        ({"save": "copies"}, {"snapshots": "copies"}, _PICTURES),
    ],
)
def test_what_one_run_writes_is_refused_to_another(
    first: dict[str, str],
    second: dict[str, str],
    kind: SourceInfo,
    overwrite: bool,
    tmp_path: Path,
) -> None:
    one, other = (
        Outputs(**{name: tmp_path / path for name, path in each.items()}, overwrite=overwrite)
        for each in (first, second)
    )
    with claim_outputs(one, kind):
        before = _names(tmp_path)
        with (
            pytest.raises(ConfigError, match="is being written by another run"),
            claim_outputs(other, kind),
        ):
            pass
        assert _names(tmp_path) == before
    assert _names(tmp_path) == []
    with claim_outputs(other, kind) if "/" not in str(second) else ExitStack():
        pass  # it is free again


def test_a_lock_of_a_killed_run_does_not_make_a_folder_full(tmp_path: Path) -> None:
    lock_path(tmp_path, inside=True).touch()
    with claim_outputs(Outputs(snapshots=tmp_path), _INFO):
        pass
    assert _names(tmp_path) == []


def test_what_is_refused_for_another_reason_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").touch()
    outputs = Outputs(
        save=tmp_path / "out.mp4", log=tmp_path / "out.jsonl", snapshots=tmp_path / "faces"
    )
    with pytest.raises(ConfigError, match=r"out\.jsonl exists"), claim_outputs(outputs, _INFO):
        pass
    assert _names(tmp_path) == ["out.jsonl"]
    assert not unfinished


def test_the_refusal_says_how_to_recover(tmp_path: Path) -> None:
    for name in ("my film.part.mp4", "log.part.jsonl"):
        (tmp_path / name).write_text("the last hour")
    outputs = Outputs(save=tmp_path / "my film.mp4", log=tmp_path / "log.jsonl")
    with (
        pytest.raises(ConfigError) as refusal,
        claim_outputs(outputs, _INFO),
    ):
        pass
    hint = f"recover '{tmp_path / 'my film.part.mp4'}' --log {tmp_path / 'log.part.jsonl'}, or give"
    assert hint in str(refusal.value)


@pytest.mark.parametrize("name", ["out.part.parquet", "out.part.png"])
def test_what_cannot_be_recovered_is_not_said_to_be(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    wanted = tmp_path / name.replace(".part", "")
    outputs = Outputs(sheet=wanted) if name.endswith("png") else Outputs(log=wanted)
    with (
        pytest.raises(ConfigError, match="could save: move it away, or give --overwrite"),
        claim_outputs(outputs, _INFO),
    ):
        pass


def test_what_an_earlier_run_could_save_is_kept_where_it_is_written_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outputs = Outputs(save=tmp_path / "out.mp4", snapshots=tmp_path / "faces", overwrite=True)
    (tmp_path / "faces").mkdir()
    for day in ("monday", "tuesday"):
        (tmp_path / "out.part.mp4").write_text(day)
        (tmp_path / "faces" / "persons.part.csv").write_text(day)
        with claim_outputs(outputs, _INFO):
            pass
    for folder, name in (
        (tmp_path, "out-{}.part.mp4"),
        (tmp_path / "faces", "persons-{}.part.csv"),
    ):
        kept = [(folder / name.format(number)).read_text() for number in (1, 2)]
        assert kept == ["monday", "tuesday"]
    assert _names(tmp_path) == ["faces", "out-1.part.mp4", "out-2.part.mp4"]
    assert sum("out.part.mp4, which a run that ended early left" in m for m in caplog.messages) == 2


def test_files_of_one_moment_have_names_of_their_own(tmp_path: Path) -> None:
    with ExitStack() as stack:
        paths = [
            stack.enter_context(claim_new_file(tmp_path, "recording", ".mp4")) for _ in range(3)
        ]
        assert len(set(paths)) == 3
        assert {partial_path(path) for path in paths} <= unfinished
    assert _names(tmp_path) == []


def test_of_eight_runs_at_once_none_spoils_what_another_writes(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 12)
    words = "run clip.mp4 --save out.mp4 --log out.jsonl --no-show --overwrite --quiet"
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "stream", *words.split()],
            cwd=tmp_path,
            env={"PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(_RUNS)
    ]
    try:
        errors = [run.communicate(timeout=_WAIT_S)[1] for run in runs]
    finally:
        for run in runs:
            run.kill()
            run.communicate()
    refusal = "face-stream: out.mp4 is being written by another run: "
    for run, said in zip(runs, errors, strict=True):
        assert run.returncode in (0, 2), said
        assert said.startswith(refusal if run.returncode else "")
        assert said.count("\n") == (run.returncode != 0)
    assert any(run.returncode == 0 for run in runs)
    assert _names(tmp_path) == ["clip.mp4", "out.jsonl", "out.mp4"]
    assert len(times_s(tmp_path / "out.mp4")) == len(times_s(clip)) == 12
    assert len([each for each in log_lines(tmp_path / "out.jsonl") if "frame" in each]) == 12
