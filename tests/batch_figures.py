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
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
from batch_breakage import Outcome, kills, poison
from batch_programs import (
    Timed,
    batch_words,
    copied_clips,
    ledger_rows,
    repeated,
    timed,
    watched,
)
from fakes import write_clip

from stream.batch.machine import resident_mb
from stream.sources.demo import portrait

_SAMPLE = 20  # of what is timed one by one, at most
_LONG_CLIP_FRAMES = 1000  # 40 s, with several keyframes
_SPAN_S = 600.0
_TOLERANCE = 0.01  # by which a video in spans may differ from the same uncut
_LOOK_S = 0.5


def clips(folder: Path, count: int) -> Outcome:
    """Clips of 5 s: a batch, `run` of each, and `run` of all; by one worker and by two."""
    source = copied_clips(folder, "clips", count)
    few = min(count, _SAMPLE)
    (folder / "each").mkdir(exist_ok=True)
    each = [
        timed(folder, "run", source / f"{number:05}.mp4", "--log", f"each/{number}.parquet")
        for number in range(few)
    ]
    shutil.rmtree(folder / "each")
    figures: dict[str, float | int] = {
        "run of each, clips a minute": 60 * few / sum(one.wall_s for one in each),
        "run of each, CPU-s a clip": sum(one.cpu_s for one in each) / few,
    }
    together = ["run", *sorted(source.iterdir()), "--log", "together/", "--no-show"]
    ways = {
        "run of all": [*together, "--set", "outputs.log=parquet"],
        "batch": batch_words("batch", source),
        "batch of 1 worker": batch_words("one", source, "--workers", 1),
        "batch of 2 workers": batch_words("two", source, "--workers", 2),
    }
    for name in ("together", "batch", "one", "two"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name, words in ways.items():
        done = timed(folder, *words)
        figures[f"{name}, clips a minute"] = 60 * count / done.wall_s
        figures[f"{name}, CPU-s a clip"] = done.cpu_s / count
    return Outcome(figures)


def pictures(folder: Path, count: int) -> Outcome:
    """Pictures of 0.3 megapixels in one folder: a batch, and `run` of each."""
    source = folder / "pictures"
    for name in ("pictures", "out"):
        shutil.rmtree(folder / name, ignore_errors=True)
    source.mkdir(parents=True)
    head, rng = portrait(), np.random.default_rng(0)
    for number in range(count):
        picture = np.full((480, 640, 3), rng.integers(60, 200), np.uint8)
        left, top = int(rng.integers(0, 400)), int(rng.integers(0, 240))
        picture[top : top + 240, left : left + 240] = cv2.resize(head, (240, 240))
        cv2.imwrite(str(source / f"{number:05}.jpg"), picture)
    few = min(count, _SAMPLE)
    each_s = [
        timed(
            folder, "run", source / f"{number:05}.jpg", "--log", f"{number}.parquet", "--overwrite"
        ).wall_s
        for number in range(few)
    ]
    done = timed(folder, *batch_words("out", source))
    return Outcome(
        {
            "batch, pictures a second": count / done.wall_s,
            "batch, CPU-s a picture": done.cpu_s / count,
            "run of each, pictures a second": few / sum(each_s),
        }
    )


def spans(folder: Path, minutes: int) -> Outcome:
    """A long video in spans by two workers on two cores, and uncut by one on one."""
    clip = write_clip(folder / "short.mp4", _LONG_CLIP_FRAMES)
    long = repeated(clip, folder / "long.mp4", minutes * 60)
    cut, cut_took = _long_video(folder, long, cores=2, span_s=min(_SPAN_S, minutes * 30))
    uncut, uncut_took = _long_video(folder, long, cores=1, span_s=0)
    outcome = Outcome({f"in spans, {name}": figure for name, figure in cut.items()})
    outcome.figures |= {f"uncut, {name}": figure for name, figure in uncut.items()}
    outcome.figures["gain"] = uncut_took.wall_s / cut_took.wall_s
    for name, figure in uncut.items():
        if abs(cut[name] - figure) > _TOLERANCE * figure:
            outcome.faults.append(f"in spans there are {cut[name]:,.6g} {name}, not {figure:,.6g}")
    return outcome


def _long_video(
    folder: Path, video: Path, *, cores: int, span_s: float
) -> tuple[dict[str, float], Timed]:
    """A batch of one video: what there is in it, by name, and what that took."""
    out = f"out-{cores}"
    shutil.rmtree(folder / out, ignore_errors=True)
    options = ["--workers", cores, "--span-s", span_s, "--set", "engine.threads=1"]
    done = timed(folder, *batch_words(out, video, *options), cores=cores)
    [row] = ledger_rows(folder / out)
    table = pq.read_table(folder / out / "persons.parquet").to_pylist()
    seen_s = sum(person["last_s"] - person["first_s"] for person in table)
    return {"frames": row.frames, "people": len(table), "s of people": seen_s}, done


def tiny(folder: Path, count: int) -> Outcome:
    """Inputs of one frame: what the process that was started takes for each, and its memory."""
    source = copied_clips(folder, "tiny", count, frames=1)
    shutil.rmtree(folder / "out", ignore_errors=True)
    memory_mb: list[float] = []
    cpu_s = 0.0

    def look(pid: int) -> None:
        nonlocal cpu_s
        memory_mb.append(resident_mb(pid))
        cpu_s = _cpu_s(pid) or cpu_s

    begun_s = time.monotonic()
    watched(folder, *batch_words("out", source), look=look, every_s=_LOOK_S)
    figures = {
        "s": time.monotonic() - begun_s,
        "starting process, CPU-ms an input": 1000 * cpu_s / count,
    }
    figures |= {
        f"MB at {share:.0%}": memory_mb[int(share * (len(memory_mb) - 1))]
        for share in (0.25, 0.5, 0.95)
    }
    outcome = Outcome(figures)
    if any(row.state != "done" for row in ledger_rows(folder / "out")):
        outcome.faults.append("not all are done")
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
    """Prints figures and faults; returns 1 where there are faults."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
