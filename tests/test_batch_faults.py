"""A batch by its command, whose processes are killed, crash, are short of memory or get a signal.

`batch_figures.py` does the same with more inputs.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from batch_breakage import kills, poison
from batch_programs import start, workers_of
from fakes import stopped, write_clip

from stream.batch.ledger_reader import LedgerReader
from stream.batch.machine import counts_memory

_PATIENCE_S = 200.0

pytestmark = pytest.mark.skipif(not counts_memory(), reason="/proc says what a process does")


def test_killed_at_a_random_moment_it_loses_nothing_and_does_nothing_twice(tmp_path: Path) -> None:
    outcome = kills(tmp_path, 1, inputs=2)
    assert outcome.faults == []
    assert outcome.figures["kills"] > 0


def test_inputs_that_crash_or_take_too_much_are_named_and_all_others_done(tmp_path: Path) -> None:
    outcome = poison(tmp_path, 5, ("crash", "memory", "cut"), each=2)
    assert outcome.faults == []
    assert outcome.figures == {"inputs": 5, "failed": 3, "exit code": 1}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_after_a_signal_what_goes_on_waits_again_and_nothing_is_left(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Of two inputs; the signal reaches the workers too, as that of a terminal does."""
    (tmp_path / "in").mkdir()
    for name in ("a.mp4", "b.mp4"):
        write_clip(tmp_path / "in" / name, 250)
    program = start(
        tmp_path, "batch", "in", "--out", "out", "--log", "jsonl", stderr=subprocess.PIPE
    )
    with stopped(program):
        until_s = time.monotonic() + _PATIENCE_S
        while not list(tmp_path.glob("out/*.part.jsonl")):
            assert program.poll() is None
            assert time.monotonic() < until_s
            time.sleep(0.02)
        workers = workers_of(program.pid)
        os.killpg(program.pid, number)
        said = program.communicate(timeout=_PATIENCE_S)[1]
    assert program.returncode == 128 + number, said
    assert "2 inputs: 2 waiting" in said
    assert not any(Path(f"/proc/{each}").exists() for each in workers)
    with LedgerReader(tmp_path / "out" / "ledger.sqlite") as ledger:
        assert [(row.state, row.attempts) for row in ledger.rows()] == [("waiting", 0)] * 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("ledger.sqlite", "persons.parquet", "summary.parquet")
    ]


def test_settings_that_do_not_fit_are_one_line_and_cost_no_input_an_attempt(
    tmp_path: Path,
) -> None:
    write_clip(tmp_path / "a.mp4", 2)
    settings = ["--set", "detection.threshold=1.5"]
    program = start(tmp_path, "batch", "a.mp4", "--out", "out", *settings, stderr=subprocess.PIPE)
    with stopped(program):
        said = program.communicate(timeout=_PATIENCE_S)[1]
    assert program.returncode == 2
    assert said.splitlines()[-1].startswith("face-stream: detection.threshold = 1.5")
    with LedgerReader(tmp_path / "out" / "ledger.sqlite") as ledger:
        assert [(row.state, row.attempts) for row in ledger.rows()] == [("waiting", 0)]
