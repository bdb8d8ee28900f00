"""A camera on loopback that is lost again and again, watched for a long time.

    python tests/soak.py FOLDER --minutes 60

The suite watches it for two minutes.

Four faces come and go in its picture. The program records segments of two minutes, only with faces,
in 0.05 GB. Printed are memory, descriptors and threads of the program, and what is wrong with its
files; the exit code is 1 where something is.
"""

import argparse
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import av
import cv2
import numpy as np
from fakes import stopped
from servers import HttpHandler, KillableServer, http

from models.faces import Image
from stream.sources.demo import portrait

_ROOT = Path(__file__).parents[1]
_FPS = 10
_SIZE_WH = (480, 270)
_FACE_PX = 112
_SIGHT_S, _PAUSE_S = 30, 25  # with faces, and without
_UP_S, _DOWN_S = 20.0, 2.0
_SEGMENT_S = 120
_KEEP_GB = 0.05
_SAMPLE_S = 5.0
_START_S = 120.0  # at most
_SETTLED_S = 300.0
_GROWTH = 0.02  # of the memory after that, at most


def _jpegs() -> list[bytes]:
    """One period of what the camera sees."""
    head = portrait()[20:240, 110:330]
    face = cv2.resize(head, (_FACE_PX, _FACE_PX), interpolation=cv2.INTER_AREA)
    rng = np.random.default_rng(0)
    texture = rng.integers(90, 110, (_SIZE_WH[1] // 8, _SIZE_WH[0] // 8, 3), dtype=np.uint8)
    empty: Image = cv2.resize(texture, _SIZE_WH, interpolation=cv2.INTER_CUBIC)
    jpegs = []
    for number in range((_SIGHT_S + _PAUSE_S) * _FPS):
        picture = empty.copy()
        for place in range(4) if number < _SIGHT_S * _FPS else ():
            left = 5 + place * 118 + round(3 * np.sin(number / 20 + place))
            top = 80 + round(20 * np.sin(number / 30 + place))
            picture[top : top + _FACE_PX, left : left + _FACE_PX] = face
        jpegs.append(cv2.imencode(".jpg", picture)[1].tobytes())
    return jpegs


def _camera(jpegs: list[bytes]) -> KillableServer:
    start_s = time.monotonic()

    def page(handler: HttpHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        handler.end_headers()
        for number in itertools.count(int((time.monotonic() - start_s) * _FPS)):
            jpeg = jpegs[number % len(jpegs)]
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            handler.wfile.write(head.encode() + jpeg + b"\r\n")
            due_s = start_s + (number + 1) / _FPS
            if not handler.killable.wait(max(due_s - time.monotonic(), 0.0)):
                return

    return http({"/": page})


@dataclass(frozen=True)
class Sample:
    """What a process holds: resident memory in MB, descriptors, threads."""

    at_s: float
    mb: float
    descriptors: int
    threads: int


def _sample(pid: int, at_s: float) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    values = dict(line.split(":", 1) for line in status.splitlines())
    rss_kb, threads = (int(values[name].split()[0]) for name in ("VmRSS", "Threads"))
    return Sample(at_s, rss_kb / 1000, len(os.listdir(f"/proc/{pid}/fd")), threads)


def _watch(
    program: "subprocess.Popen[str]", camera: KillableServer, seconds: float, folder: Path
) -> list[Sample]:
    """Takes the camera away and back until the time is over, which begins with the first segment;
    what the program held meanwhile."""
    until_s = time.monotonic() + _START_S
    while not any(folder.glob("door-*")) and time.monotonic() < until_s:
        time.sleep(0.1)
    start_s, samples = time.monotonic(), []
    changes = itertools.cycle([(_UP_S, camera.kill), (_DOWN_S, camera.start)])
    wait_s, change = next(changes)
    due_s = start_s + wait_s
    while (now_s := time.monotonic()) - start_s < seconds and program.poll() is None:
        if now_s >= due_s:
            change()
            wait_s, change = next(changes)
            due_s = now_s + wait_s
        if not samples or now_s - start_s - samples[-1].at_s >= _SAMPLE_S:
            samples.append(_sample(program.pid, now_s - start_s))
            if len(samples) % 12 == 1:
                _say(samples[-1])
        time.sleep(0.1)
    return samples


def faults_of(folder: Path, summary: dict[str, Any]) -> Iterator[str]:
    """What is not as it should be in the files."""
    if summary["failures"]:
        yield f"failures {summary['failures']}"
    if left := list(folder.glob("*.part.*")):
        yield f"partial files: {left}"
    size = sum(path.stat().st_size for path in folder.glob("door-*"))
    if not 0 < size <= _KEEP_GB * 1e9:
        yield f"{size / 1e6:.1f} MB are kept"
    for video in sorted(folder.glob("door-*.mp4")):
        with av.open(str(video)) as container:
            pictures = sum(1 for _ in container.decode(video=0))
        lines = video.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
        indices = [json.loads(line)["frame"] for line in lines if line.startswith('{"frame"')]
        if pictures != len(indices):
            yield f"{video.name} has {pictures} pictures, its log {len(indices)}"
        missing = indices[-1] - indices[0] + 1 - len(indices)
        if missing > summary["dropped"]:  # on a busy machine frames come too fast
            yield f"{video.name} lacks {missing} frames"


def _growth(samples: list[Sample]) -> Iterator[str]:
    """What grows once the program has settled."""
    later = [each for each in samples if each.at_s >= _SETTLED_S]
    if not later:
        return
    tenth = max(len(later) // 10, 1)
    then, now = later[:tenth], later[-tenth:]
    for name, limit in (("mb", _GROWTH), ("descriptors", 0.0), ("threads", 0.0)):
        first, last = (median(getattr(each, name) for each in part) for part in (then, now))
        _say(f"{name}: {first:g} after {_SETTLED_S:g} s, {last:g} at the end")
        if last > first * (1 + limit):
            yield f"{name} grow"


def soak(folder: Path, minutes: float) -> tuple[dict[str, Any], list[Sample]]:
    """The summary of a run that long, and what the program held meanwhile."""
    settings = {
        "source.reconnect_s": "forever",
        "recorder.segment_s": _SEGMENT_S,
        "recorder.only_with_faces": "true",
        "recorder.keep_gb": _KEEP_GB,
        "engine.threads": 1,
    }
    with _camera(_jpegs()) as camera:
        words = ["run", f"http://{camera.address}/", "--save", "door.mp4", "--log", "door.jsonl"]
        words += ["--no-show", "--json-summary"]
        words += [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        with (
            (folder / "stderr.txt").open("w") as stderr,
            subprocess.Popen(
                [sys.executable, "-m", "stream", *words],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(_ROOT)},
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            ) as program,
            stopped(program),
        ):
            samples = _watch(program, camera, minutes * 60, folder)
            program.send_signal(signal.SIGTERM)  # a shell's background ignores SIGINT
            said = program.communicate(timeout=120)[0]
    return json.loads(said), samples


def _say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    wanted = parser.parse_args()
    folder: Path = wanted.folder.resolve()
    folder.mkdir(exist_ok=True)
    summary, samples = soak(folder, wanted.minutes)
    _say(json.dumps({**summary, "gaps": summary["gaps"][-3:]}))
    faults = [*faults_of(folder, summary), *_growth(samples)]
    _say("\n".join(faults) or "nothing is wrong")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
