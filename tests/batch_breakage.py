"""Batches that are killed, and inputs on which workers crash, hang or take too much memory."""

import math
import os
import random
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
from batch_programs import (
    batch_words,
    copied_clips,
    ledger_rows,
    repeated,
    start,
    timed,
    watched,
    workers_of,
)
from fakes import stopped

KINDS = ("crash", "hang", "memory", "cut")
"""What may be wrong with an input."""

_SAID = {"crash": "signal 11", "hang": "--timeout", "memory": "--memory-mb", "cut": "cut.mp4"}
"""What the reason of each has in it."""

_SIDE_PX = 12_000  # of a picture that takes 430 MB
_MEMORY_MB = 600
_STRUCK_S = 120.0  # of video, so that none is done before it is struck


@dataclass(slots=True)
class Outcome:
    """What a measurement came to.

    Attributes:
        figures: by name.
        faults: what is wrong.
    """

    figures: dict[str, float | int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def kills(folder: Path, count: int, inputs: int = 12) -> Outcome:
    """A batch whose whole tree is killed at random moments, until it is done at last."""
    source, out = copied_clips(folder, "killed", inputs), folder / "out"
    chance = random.Random(0)
    shutil.rmtree(out, ignore_errors=True)
    usual_s = timed(folder, *batch_words("out", source)).wall_s
    shutil.rmtree(out)
    outcome, killed, ended = Outcome(), 0, dict[str, float | None]()
    for _ in range(4 * count):
        if killed == count:
            break
        program = start(folder, *batch_words("out", source), stdout=subprocess.DEVNULL)
        with stopped(program):
            try:
                program.wait(chance.uniform(0.2, usual_s))
            except subprocess.TimeoutExpired:
                os.killpg(program.pid, signal.SIGKILL)
                program.wait()
                killed += 1
        if program.returncode == 0:  # it was done before: begin again
            shutil.rmtree(out)
            ended = {}
        elif (out / "ledger.sqlite").exists():
            outcome.faults += _disagreements(out, ended)
    timed(folder, *batch_words("out", source))
    outcome.faults += _disagreements(out, ended)
    rows = ledger_rows(out)
    outcome.figures = {"kills": killed, "inputs": len(rows)}
    if [row.state for row in rows] != ["done"] * inputs:
        outcome.faults.append(f"not all are done: {[(row.name, row.state) for row in rows]}")
    table = pq.read_table(out / "summary.parquet").to_pylist()
    if sorted(row["input"] for row in table) != sorted(path.name for path in source.iterdir()):
        outcome.faults.append("the summary does not have a row for each input")
    if left := [path for path in out.rglob("*") if ".part" in path.name or ".lock" in path.name]:
        outcome.faults.append(f"left behind: {left}")
    return outcome


def _disagreements(out: Path, ended: dict[str, float | None]) -> Iterator[str]:
    """Where ledger and results do not agree, and which inputs were done twice."""
    for row in ledger_rows(out):
        log = out / f"{row.name}.parquet"
        if row.state == "done":
            if ended.setdefault(row.name, row.ended_s) != row.ended_s:
                yield f"{row.name} was done twice"
            if pq.read_table(log).num_rows != row.faces:
                yield f"{row.name} has {row.faces} faces by the ledger, others by its log"
        elif row.name in ended:
            yield f"{row.name} was done, and is {row.state}"


def poison(
    folder: Path,
    count: int,
    kinds: Sequence[str] = KINDS,
    each: int = 10,
    timeout_s: float = 60.0,
) -> Outcome:
    """A batch of which one in so many inputs crashes its worker, hangs, or the like.

    Args:
        folder: where it is made.
        count: how many inputs.
        kinds: what is wrong with them, one after another.
        each: one in so many is poisoned; fewer where there would not be one of each kind.
        timeout_s: what an input may take, s; a good one takes a second where nothing else runs.
    """
    source, out = copied_clips(folder, "mixed", count), folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    each = min(each, math.ceil(count / len(kinds)))
    for number, path in enumerate(sorted(source.iterdir())[::each]):
        _spoil(path, kinds[number % len(kinds)])
    limits = ["--memory-mb", _MEMORY_MB, "--timeout", timeout_s]
    code = watched(folder, *batch_words("out", source, *limits), look=_strike_workers)
    outcome = Outcome({"inputs": 0, "failed": 0, "exit code": code})
    for row in ledger_rows(out):
        kind = next((each for each in kinds if f"-{each}" in row.name), "")
        outcome.figures["inputs"] += 1
        outcome.figures["failed"] += row.state == "failed"
        if (row.state == "failed") != bool(kind) or (kind and _SAID[kind] not in row.error):
            outcome.faults.append(f"{row.name} is {row.state}: {row.error}")
    return outcome


def _spoil(path: Path, kind: str) -> None:
    """Makes an input a poisoned one: `crash` and `hang` are struck while they are read."""
    if kind == "memory":
        path.unlink()
        path.with_name(f"{path.stem}-memory").mkdir()
        black = np.zeros((_SIDE_PX, _SIDE_PX, 3), np.uint8)
        cv2.imwrite(str(path.with_name(f"{path.stem}-memory") / "large.png"), black)
        return
    if kind == "cut":
        path.write_bytes(path.read_bytes()[:-2000])  # its index goes
        path.rename(path.with_name(f"{path.stem}-{kind}.mp4"))
        return
    repeated(path, path.with_name(f"{path.stem}-{kind}.mp4"), _STRUCK_S)
    path.unlink()


def _strike_workers(batch: int) -> None:
    """Lets each worker of a batch crash or hang that has such an input open."""
    for worker in workers_of(batch):
        try:
            files = [os.readlink(each) for each in Path(f"/proc/{worker}/fd").iterdir()]
            for ending, number in (("-crash.mp4", signal.SIGSEGV), ("-hang.mp4", signal.SIGSTOP)):
                if any(each.endswith(ending) for each in files):
                    os.kill(worker, number)
        except OSError:  # it has ended, or a file was closed meanwhile
            continue
