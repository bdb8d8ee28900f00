"""The figures of `face-stream batch`, each measured by one command.

    python tests/batch_figures.py FOLDER clips --count 200
    python tests/batch_figures.py FOLDER pictures --count 2000
    python tests/batch_figures.py FOLDER kills --count 20
    python tests/batch_figures.py FOLDER poison --count 40
    python tests/batch_figures.py FOLDER spans --count 20
    python tests/batch_figures.py FOLDER tiny --count 10000

What is needed is made in FOLDER. Printed are the figures, and what is wrong; the exit code is 1
where something is. The suite has `kills` and `poison` of a few inputs.
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pyarrow.parquet as pq
from fakes import write_clip

from stream.batch.ledger_reader import LedgerReader, LedgerRow
from stream.batch.machine import resident_mb
from stream.sources.demo import portrait

_ROOT = Path(__file__).parents[1]
_CLIP_FRAMES = 125  # 5 s
_SAMPLE = 20  # of what is timed one by one, at most
_SIDE_PX = 12_000  # of a picture that takes 430 MB
_MEMORY_MB = 600
_TIMEOUT_S = 60  # of an input that takes a second where nothing else runs
_STRUCK_S = 120  # of video, so that none is done before it is struck
_KINDS = ("crash", "hang", "memory", "cut")
_LOOK_S = 0.02


@dataclass
class Outcome:
    """What a measurement came to: figures by name, and what is wrong."""

    figures: dict[str, float | int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Timed:
    wall_s: float
    cpu_s: float
    said: str


def _command(*words: object) -> list[str]:
    return [sys.executable, "-P", "-m", "stream", *map(str, words)]


def start(folder: Path, *words: object, cores: int = 0, **options: Any) -> "subprocess.Popen[str]":
    """Starts the program, on so many cores if that is asked for, in a process group of its own."""

    def pin() -> None:
        if cores:
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])

    return subprocess.Popen(
        _command(*words),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        preexec_fn=pin,
        start_new_session=True,
        text=True,
        **options,
    )


def _timed(folder: Path, *words: object, cores: int = 0) -> _Timed:
    """Runs the program to its end, which must be a good one."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun_s = time.monotonic()
    pipe = subprocess.PIPE
    with start(folder, *words, cores=cores, stdout=pipe, stderr=pipe) as program:
        said, errors = program.communicate()
    wall_s = time.monotonic() - begun_s
    if program.returncode:
        raise SystemExit(errors)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _Timed(wall_s, cpu_s, said)


def _batch(out: str, *words: object) -> list[object]:
    return ["batch", *words, "--out", out, "--json-summary"]


def _copies(folder: Path, name: str, count: int, frames: int = _CLIP_FRAMES) -> Path:
    """A folder of so many clips, and no other file."""
    shutil.rmtree(folder / name, ignore_errors=True)
    (folder / name).mkdir(parents=True)
    clip = write_clip(folder / f"{name}.mp4", frames)
    for number in range(count):
        shutil.copy(clip, folder / name / f"{number:05}.mp4")
    return folder / name


def _rows(out: Path) -> list[LedgerRow]:
    with LedgerReader(out / "ledger.sqlite") as ledger:
        return list(ledger.rows())


def clips(folder: Path, count: int) -> Outcome:
    """Clips of 5 s: a batch, `run` of each, and `run` of all; by one worker and by two."""
    source = _copies(folder, "clips", count)
    few = min(count, _SAMPLE)
    each = [
        _timed(folder, "run", source / f"{number:05}.mp4", "--log", f"each/{number}.parquet")
        for number in range(few)
        if (folder / "each").mkdir(exist_ok=True) is None
    ]
    shutil.rmtree(folder / "each")
    figures: dict[str, float | int] = {
        "run of each, clips a minute": 60 * few / sum(one.wall_s for one in each),
        "run of each, CPU-s a clip": sum(one.cpu_s for one in each) / few,
    }
    together = ["run", *sorted(source.iterdir()), "--log", "together/", "--no-show"]
    ways = {
        "run of all": [*together, "--set", "outputs.log=parquet"],
        "batch": _batch("batch", source),
        "batch of 1 worker": _batch("one", source, "--workers", 1),
        "batch of 2 workers": _batch("two", source, "--workers", 2),
    }
    for name, words in ways.items():
        done = _timed(folder, *words)
        figures[f"{name}, clips a minute"] = 60 * count / done.wall_s
        figures[f"{name}, CPU-s a clip"] = done.cpu_s / count
    for name in ("together", "batch", "one", "two"):
        shutil.rmtree(folder / name)
    return Outcome(figures)


def pictures(folder: Path, count: int) -> Outcome:
    """Pictures of 0.3 megapixels in one folder: a batch, and `run` of each."""
    source = folder / "pictures"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    head, rng = portrait(), np.random.default_rng(0)
    for number in range(count):
        picture = np.full((480, 640, 3), rng.integers(60, 200), np.uint8)
        left, top = int(rng.integers(0, 400)), int(rng.integers(0, 240))
        picture[top : top + 240, left : left + 240] = cv2.resize(head, (240, 240))
        cv2.imwrite(str(source / f"{number:05}.jpg"), picture)
    few = min(count, _SAMPLE)
    each_s = [
        _timed(
            folder, "run", source / f"{number:05}.jpg", "--log", f"{number}.parquet", "--overwrite"
        ).wall_s
        for number in range(few)
    ]
    done = _timed(folder, *_batch("out", source))
    shutil.rmtree(folder / "out")
    return Outcome(
        {
            "batch, pictures a second": count / done.wall_s,
            "batch, CPU-s a picture": done.cpu_s / count,
            "run of each, pictures a second": few / sum(each_s),
        }
    )


def kills(folder: Path, count: int, inputs: int = 12) -> Outcome:
    """A batch whose whole tree is killed at random moments, until it is done at last."""
    source, out, chance = _copies(folder, "killed", inputs), folder / "out", random.Random(0)
    shutil.rmtree(out, ignore_errors=True)
    usual_s = _timed(folder, *_batch("out", source)).wall_s
    shutil.rmtree(out)
    outcome, killed, ended = Outcome(), 0, dict[str, float | None]()
    for _ in range(4 * count):
        if killed == count:
            break
        with start(folder, *_batch("out", source), stdout=subprocess.DEVNULL) as program:
            try:
                program.wait(chance.uniform(0.2, usual_s))
            except subprocess.TimeoutExpired:
                os.killpg(program.pid, signal.SIGKILL)
                killed += 1
        if program.returncode == 0:  # it was done before: begin again
            shutil.rmtree(out)
            ended = {}
        elif (out / "ledger.sqlite").exists():
            outcome.faults += _disagreements(out, ended)
    _timed(folder, *_batch("out", source))
    outcome.faults += _disagreements(out, ended)
    rows = _rows(out)
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
    for row in _rows(out):
        log = out / f"{row.name}.parquet"
        if row.state == "done":
            if ended.setdefault(row.name, row.ended_s) != row.ended_s:
                yield f"{row.name} was done twice"
            if pq.read_table(log).num_rows != row.faces:
                yield f"{row.name} has {row.faces} faces by the ledger, others by its log"
        elif row.name in ended:
            yield f"{row.name} was done, and is {row.state}"


def poison(folder: Path, count: int, kinds: Sequence[str] = _KINDS, each: int = 10) -> Outcome:
    """A batch of which one in so many inputs crashes its worker, hangs, or the like."""
    source, out = _copies(folder, "mixed", count), folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    for number, path in enumerate(sorted(source.iterdir())[::each]):
        _spoil(path, kinds[number % len(kinds)])
    limits = ["--memory-mb", _MEMORY_MB, "--timeout", _TIMEOUT_S]
    with start(folder, *_batch("out", source, *limits), stdout=subprocess.DEVNULL) as program:
        while program.poll() is None:
            for worker in workers_of(program.pid):
                _strike(worker)
            time.sleep(_LOOK_S)
    said = {"crash": "signal 11", "hang": "--timeout", "memory": "--memory-mb", "cut": "cut.mp4"}
    outcome = Outcome({"inputs": 0, "failed": 0, "exit code": program.returncode})
    for row in _rows(out):
        kind = next((each for each in kinds if f"-{each}" in row.name), "")
        outcome.figures["inputs"] += 1
        outcome.figures["failed"] += row.state == "failed"
        if (row.state == "failed") != bool(kind) or (kind and said[kind] not in row.error):
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
    _repeated(path, path.with_name(f"{path.stem}-{kind}.mp4"), _STRUCK_S)
    path.unlink()


def _strike(worker: int) -> None:
    """Lets a worker crash or hang that has such an input open."""
    try:
        files = [os.readlink(each) for each in Path(f"/proc/{worker}/fd").iterdir()]
    except OSError:  # it has ended
        return
    for ending, number in (("-crash.mp4", signal.SIGSEGV), ("-hang.mp4", signal.SIGSTOP)):
        if any(each.endswith(ending) for each in files):
            try:
                os.kill(worker, number)
            except ProcessLookupError:
                return


def workers_of(pid: int) -> list[int]:
    """The worker processes of a batch."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        lines = {int(each): Path(f"/proc/{each}/cmdline").read_bytes() for each in children}
    except OSError:  # one has ended meanwhile
        return []
    return [each for each, line in lines.items() if b"worker_process" in line]


def spans(folder: Path, minutes: int) -> Outcome:
    """A long video by two workers on two cores, and by one on one."""
    long = _repeated(write_clip(folder / "short.mp4", 1000), folder / "long.mp4", minutes * 60)
    said = {}
    outcome = Outcome()
    for cores in (2, 1):
        out = f"cores-{cores}"
        words = _batch(out, long, "--workers", cores, "--set", "engine.threads=1")
        done = _timed(folder, *words, cores=cores)
        said[cores] = json.loads(done.said)
        outcome.figures[f"{cores} cores, s"] = done.wall_s
        outcome.figures[f"{cores} cores, people"] = said[cores]["people"]
        table = pq.read_table(folder / out / "persons.parquet").to_pylist()
        seen_s = sum(row["last_s"] - row["first_s"] for row in table)
        outcome.figures[f"{cores} cores, s of people"] = seen_s
        shutil.rmtree(folder / out)
    outcome.figures["gain"] = outcome.figures["1 cores, s"] / outcome.figures["2 cores, s"]
    return outcome


def _repeated(clip: Path, path: Path, seconds: float) -> Path:
    """A clip again and again, its packets copied."""
    with av.open(str(path), "w") as longer:
        stream, offset = None, 0
        while stream is None or offset * stream.time_base < seconds:
            with av.open(str(clip)) as source:
                stream = stream or longer.add_stream_from_template(source.streams.video[0])
                base = Fraction(source.streams.video[0].time_base)
                length = round(Fraction(source.duration, av.time_base) / base)
                for packet in source.demux(video=0):
                    if packet.dts is not None:
                        packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                        packet.stream = stream
                        longer.mux(packet)
                offset += length
    return path


def tiny(folder: Path, count: int) -> Outcome:
    """Inputs of one frame: what the process that was started takes for each, and its memory."""
    source = _copies(folder, "tiny", count, frames=1)
    samples: list[float] = []
    with start(folder, *_batch("out", source), stdout=subprocess.DEVNULL) as program:
        begun_s, cpu_s = time.monotonic(), 0.0
        while program.poll() is None:
            samples.append(resident_mb(program.pid))
            cpu_s = _cpu_s(program.pid) or cpu_s
            time.sleep(0.5)
    wall_s = time.monotonic() - begun_s
    figures = {"s": wall_s, "starting process, CPU-ms an input": 1000 * cpu_s / count}
    figures |= {
        f"MB at {share:.0%}": samples[int(share * (len(samples) - 1))]
        for share in (0.25, 0.5, 0.95)
    }
    outcome = Outcome(figures)
    if any(row.state != "done" for row in _rows(folder / "out")):
        outcome.faults.append("not all are done")
    shutil.rmtree(folder / "out")
    return outcome


def _cpu_s(pid: int) -> float:
    """The time of a processor that a process has taken, s."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


_MEASURES: dict[str, tuple[Callable[[Path, int], Outcome], int]] = {
    "clips": (clips, 200),
    "pictures": (pictures, 2000),
    "kills": (kills, 20),
    "poison": (poison, 40),
    "spans": (spans, 20),
    "tiny": (tiny, 10_000),
}
"""Each measure and how much of it there is by default."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("measure", choices=_MEASURES)
    parser.add_argument("--count", type=int, help="clips, pictures, kills, inputs or minutes")
    wanted = parser.parse_args(arguments)
    measure, usual = _MEASURES[wanted.measure]
    folder: Path = wanted.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    outcome = measure(folder, wanted.count or usual)
    for name, figure in outcome.figures.items():
        sys.stdout.write(f"{name}: {figure:,.4g}\n")
    sys.stdout.write("\n".join(outcome.faults or ["nothing is wrong"]) + "\n")
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
