"""What a second node of a cluster brings, and that nothing is lost or done twice with one.

Two real nodes of Ray on this machine, each held to one core, do a batch of videos, after one of
them has done it alone; then a node is killed in the middle of a batch. No test, for its figures
are those of a machine that does nothing else:

    python tests/cluster_figures.py VIDEO [--copies 24]
"""

import argparse
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from ray_nodes import Node, started_node

_LEAST_GAIN = 1.7
"""How many times as fast two nodes should be as one."""

_LEAST_COPIES = 6
"""How many inputs a batch has at least: fewer are done before a second node has its model."""

_LOOK_S = 0.5
"""Time between two looks at what the workers have taken, s."""

_LIMIT_S = 1800
"""How long a batch may take, s."""


def main() -> int:
    """Prints the figures; returns 1 where they are not what they should be."""
    parser = argparse.ArgumentParser(description="What a second node brings, and a lost one costs.")
    parser.add_argument("video", type=Path, help="a video that takes some seconds")
    parser.add_argument("--copies", type=int, default=24, help="how many inputs a batch has")
    wanted = parser.parse_args()
    if wanted.copies < _LEAST_COPIES:
        parser.error(f"--copies {wanted.copies}: give {_LEAST_COPIES} or more")
    with TemporaryDirectory(prefix="ray") as name:
        folder = Path(name)
        videos = folder / "videos"
        videos.mkdir()
        for number in range(wanted.copies):
            shutil.copy(wanted.video, videos / f"{number:03}{wanted.video.suffix}")
        nodes: list[Node] = []
        try:
            nodes.append(started_node(folder, "127.0.1.2", cores=[0]))
            one = _measured(videos, folder / "one", nodes)
            _say(f"one node:  {one}")
            nodes.append(started_node(folder, "127.0.1.3", nodes[0], cores=[1]))
            two = _measured(videos, folder / "two", nodes)
            gain = two.frames_per_s / one.frames_per_s
            _say(f"two nodes: {two}: {gain:.2f} times as fast")
            is_whole = _is_whole_after_a_kill(videos, folder / "killed", nodes)
        finally:
            for each in reversed(nodes):
                each.kill()
    return 0 if gain >= _LEAST_GAIN and is_whole else 1


@dataclass(frozen=True, slots=True)
class _Figures:
    """What a batch took, from when every process had its model.

    Attributes:
        frames_per_s: frames a second of all nodes together.
        cpu_ms: processor time of the workers for a frame, ms; it does not depend on what else the
            machine does.
        workers: how many there were.
    """

    frames_per_s: float
    cpu_ms: float
    workers: int

    def __str__(self) -> str:
        rates = f"{self.frames_per_s:.1f} frames/s, {self.cpu_ms:.1f} CPU-ms a frame"
        return f"{rates}, processes: {self.workers}"


def _measured(videos: Path, out: Path, nodes: Sequence[Node]) -> _Figures:
    """The figures of a batch on some nodes."""
    cpu_s: dict[int, float] = {}
    with _batch(videos, out, nodes[0]) as batch:
        while batch.poll() is None:
            for each in (each for node in nodes for each in node.processes()):
                with suppress(psutil.Error):
                    if "worker_process" in " ".join(each.cmdline()):
                        cpu_s[each.pid] = sum(each.cpu_times()[:2])
            time.sleep(_LOOK_S)
        if batch.returncode:
            raise SystemExit(batch.communicate()[1])
    rows = _rows(out)
    loaded_s = max(
        min(row["ended_s"] for row in rows if row["worker"] == worker)
        for worker in {row["worker"] for row in rows}
    )
    later = [row for row in rows if row["ended_s"] > loaded_s]
    if not later:
        raise SystemExit("all was done before each process had its model: give more --copies")
    seconds = max(row["ended_s"] for row in later) - loaded_s
    return _Figures(
        frames_per_s=sum(row["frames"] for row in later) / seconds,
        cpu_ms=1000 * sum(cpu_s.values()) / sum(row["frames"] for row in rows),
        workers=len(cpu_s),
    )


def _is_whole_after_a_kill(videos: Path, out: Path, nodes: list[Node]) -> bool:
    """Whether each input is done once although a node was killed in the middle."""
    with _batch(videos, out, nodes[0]) as batch:
        until_s = time.monotonic() + _LIMIT_S
        count = len(list(videos.iterdir()))
        while _done(out) < count // 3 and time.monotonic() < until_s:
            time.sleep(0.2)
        nodes[1].kill()
        _, errors = batch.communicate(timeout=_LIMIT_S)
    rows = _rows(out)
    again = sum(row["attempts"] - 1 for row in rows)
    logs = len(list(out.glob("*.tracks.parquet")))
    _say(f"node killed after {count // 3} of {count}: exit {batch.returncode}, {again} begun again")
    for line in errors.splitlines():
        if "tried again" in line:
            _say(f"  {line}")
    is_done = all(row["state"] == "done" for row in rows)
    return batch.returncode == 0 and is_done and logs == count and 1 <= again <= 2


def _batch(videos: Path, out: Path, head: Node) -> "subprocess.Popen[str]":
    words = ["batch", str(videos), "--out", str(out), "--span-s", "0", "--set", "engine.threads=1"]
    words += ["--engine", "ray", "--address", head.head_address, "--json-summary"]
    return subprocess.Popen(
        [sys.executable, "-m", "stream", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=out.parent,
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _done(out: Path) -> int:
    return len(list(out.glob("*.tracks.parquet")))


def _rows(out: Path) -> list[dict[str, Any]]:
    """The rows of a ledger that nobody writes any more."""
    ledger = sqlite3.connect(out / "ledger.sqlite")
    ledger.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in ledger.execute("SELECT * FROM inputs")]
    finally:
        ledger.close()


if __name__ == "__main__":
    sys.exit(main())
