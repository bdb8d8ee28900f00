"""The program `face-stream` in processes of its own, and many videos for it to read."""

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from fakes import stopped, write_clip

from stream.batch.ledger_reader import LedgerReader, LedgerRow

_ROOT = Path(__file__).parents[1]
_CLIP_FRAMES = 125  # 5 s
_PARENT_DEATH_SIGNAL = 1  # the option of Linux's `prctl`
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Timed:
    """What a run of the program took.

    Attributes:
        wall_s: time, s.
        cpu_s: processor time of all its processes, s.
        said: its standard output.
    """

    wall_s: float
    cpu_s: float
    said: str


def start(folder: Path, *words: object, cores: int = 0, **options: Any) -> "subprocess.Popen[str]":
    """Starts the program in a process group of its own; it ends with this process, however that
    ends.

    Args:
        folder: where it is started.
        words: its arguments.
        cores: on how many it is held; 0 for all.
        options: of `Popen`.
    """
    system = ctypes.CDLL(None) if sys.platform == "linux" else None

    def prepare() -> None:
        if system is not None:
            system.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if cores:
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])

    return subprocess.Popen(
        [sys.executable, "-P", "-m", "stream", *map(str, words)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        preexec_fn=prepare,
        start_new_session=True,
        text=True,
        **options,
    )


def timed(folder: Path, *words: object, cores: int = 0) -> Timed:
    """Runs the program to its end, which must be a good one."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun_s = time.monotonic()
    pipe = subprocess.PIPE
    program = start(folder, *words, cores=cores, stdout=pipe, stderr=pipe)
    with stopped(program):
        said, errors = program.communicate()
    wall_s = time.monotonic() - begun_s
    if program.returncode:
        raise SystemExit(errors)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timed(wall_s, cpu_s, said)


def watched(
    folder: Path, *words: object, look: Callable[[int], None], every_s: float = _LOOK_S
) -> int:
    """Runs the program to its end, with a look at it now and then; its exit code.

    Args:
        folder: where it is started.
        words: its arguments.
        look: called with its process id.
        every_s: time between two looks, s.
    """
    program = start(folder, *words, stdout=subprocess.DEVNULL)
    with stopped(program):
        while program.poll() is None:
            look(program.pid)
            time.sleep(every_s)
    return program.returncode


def batch_words(out: str, *words: object) -> list[object]:
    """The arguments of a batch that writes into a folder."""
    return ["batch", *words, "--out", out, "--json-summary"]


def workers_of(pid: int) -> list[int]:
    """The worker processes of a batch."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        lines = {int(each): Path(f"/proc/{each}/cmdline").read_bytes() for each in children}
    except OSError:  # one has ended meanwhile
        return []
    return [each for each, line in lines.items() if b"worker_process" in line]


def ledger_rows(out: Path) -> list[LedgerRow]:
    """Where each input of a batch stands."""
    with LedgerReader(out / "ledger.sqlite") as ledger:
        return list(ledger.rows())


def copied_clips(folder: Path, name: str, count: int, frames: int = _CLIP_FRAMES) -> Path:
    """A folder of so many clips, and no other file."""
    shutil.rmtree(folder / name, ignore_errors=True)
    (folder / name).mkdir(parents=True)
    clip = write_clip(folder / f"{name}.mp4", frames)
    for number in range(count):
        shutil.copy(clip, folder / name / f"{number:05}.mp4")
    return folder / name


def repeated(clip: Path, path: Path, seconds: float) -> Path:
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
