"""The benchmark of speed: what a run costs, and that beside other ways of doing it.

Everything that is compared is measured in one go, the two taking turns, medians of several turns:
a machine is never the same twice.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from models.runtime import available_cores
from stream.benchmarks.clips import CrowdSource, write_clip
from stream.benchmarks.figures import Live, Memory, Ratio, Soak, SpeedReport, counted
from stream.benchmarks.live import soak, watch_live
from stream.benchmarks.memory import MemoryWatch
from stream.benchmarks.ratios import (
    Say,
    beside_transcoding,
    full_search,
    one_more_face,
    yardsticks,
)
from stream.benchmarks.recipes import transcode_s
from stream.benchmarks.runs import TimedRun, median_run, timed_run
from stream.settings import Config


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        sizes_wh: of the clips with one face, px.
        crowds: how many faces are in the clips of the second size.
        several: how many are in the largest clip that is compared, and before the camera.
        frames: of a clip; ten seconds, so that the first search of the whole is not most of it.
        repeats: how often each run is made.
        live_s: how long a camera is watched, after `live_warm_up_s` that do not count.
        full: the slow yardsticks too: face_recognition and dlib themselves.
        yardstick_frames: how many frames of a clip these are given.
        soak_s: how long a camera is watched for its memory; 0 for not at all.
        soak_settled_s: after which it should grow no more.
    """

    sizes_wh: Sequence[tuple[int, int]] = ((640, 360), (1280, 720), (1920, 1080), (3840, 2160))
    crowds: Sequence[int] = (1, 4, 16)
    several: int = 4
    frames: int = 300
    repeats: int = 3
    live_s: float = 10.0
    live_warm_up_s: float = 2.0
    full: bool = False
    yardstick_frames: int = 4
    soak_s: float = 0.0
    soak_settled_s: float = 120.0


def speed(clip: Path | None, config: Config, plan: Plan, say: Say) -> SpeedReport:
    """Measures all of it.

    Args:
        clip: what the stages are measured on, and the slow yardsticks; one made here without.
        config: the settings, as for `run`.
        plan: how much.
        say: told what is being done.

    Raises:
        SourceError: the clip cannot be read.
        ConfigError, ModelError, SinkError: as for `run`.
    """
    with TemporaryDirectory(prefix="face-stream-bench-") as folder:
        return _Benchmark(config, plan, Path(folder), say).measure(clip)


class _Benchmark:
    """Measures one thing after another, in a folder of its own."""

    def __init__(self, config: Config, plan: Plan, folder: Path, say: Say) -> None:
        self._config = config
        self._plan = plan
        self._folder = folder
        self._say = say
        self._out = folder / "out.mp4"

    def measure(self, clip: Path | None) -> SpeedReport:
        """Memory comes first, while little else has been held."""
        plan = self._plan
        base_wh, large_wh = plan.sizes_wh[1:3]
        subject = clip or self._clip(plan.several, large_wh)
        memory = self._memory(subject)
        sizes = [self._clip(1, size_wh) for size_wh in plan.sizes_wh]
        crowds = {faces: self._clip(faces, base_wh) for faces in plan.crowds}
        base, camera = self._clip(1, base_wh), self._clip(plan.several, base_wh)
        runs, rates = self._turns([base, subject, *crowds.values()], sizes)
        by_faces = {faces: runs[path] for faces, path in crowds.items()}
        ratios = [
            beside_transcoding("transcoding", runs[base], rates[base]),
            beside_transcoding("transcoding_clip", runs[subject], rates[subject]),
            *one_more_face(by_faces, {faces: rates[path] for faces, path in crowds.items()}),
            *(self._yardsticks(subject) if plan.full else ()),
        ]
        return SpeedReport(
            cores=available_cores(),
            repeats=plan.repeats,
            name=clip.name if clip else "made on the spot",
            subject=runs[subject],
            memory=memory,
            sizes=tuple(runs[path] for path in sizes),
            crowds=by_faces,
            ratios=tuple(ratios),
            live=tuple(self._live(camera)),
            soak=self._soak(camera) if plan.soak_s else None,
        )

    def _clip(self, faces: int, size_wh: tuple[int, int]) -> Path:
        """A clip of the benchmark's own, made when it is first asked for."""
        path = self._folder / f"{faces}-faces-{size_wh[1]}p.mp4"
        if not path.exists():
            self._say(f"making a clip: {counted(faces, 'face')}, {size_wh[0]}×{size_wh[1]}")
            write_clip(CrowdSource(faces, size_wh, self._plan.frames), path)
        return path

    def _memory(self, path: Path) -> Memory | None:
        self._say("measuring memory")
        with MemoryWatch() as watch:
            timed_run(path, self._config, self._out)
        values = [mb for _, mb in watch.samples]
        if not values:
            return None
        return Memory(values[len(values) * 3 // 4], max(values))

    def _turns(
        self, compared: Sequence[Path], others: Sequence[Path]
    ) -> tuple[dict[Path, TimedRun], dict[Path, float]]:
        """The median run of each clip; of those compared, the rate of transcoding alone too."""
        paths = list(dict.fromkeys([*compared, *others]))
        runs: dict[Path, list[TimedRun]] = {path: [] for path in paths}
        rates: dict[Path, list[float]] = {path: [] for path in compared}
        for turn in range(1, self._plan.repeats + 1):
            for path in paths:
                self._say(f"turn {turn} of {self._plan.repeats}: {path.name}")
                runs[path].append(timed_run(path, self._config, self._out))
                if path in rates:
                    frames = runs[path][-1].frames
                    taken_s = transcode_s(path, self._out, self._config.recorder, frames)
                    rates[path].append(frames / taken_s)
        medians = {path: median_run(each) for path, each in runs.items()}
        return medians, {path: statistics.median(each) for path, each in rates.items()}

    def _yardsticks(self, path: Path) -> Iterator[Ratio]:
        out, frames = self._folder / "recipe.mp4", self._plan.yardstick_frames
        again = partial(timed_run, path, self._config, self._out)
        yield from yardsticks(path, again, out, frames, self._say)
        yield full_search(path, self._config, self._plan.repeats, self._say)

    def _live(self, path: Path) -> Iterator[Live]:
        for recording in (None, self._out):
            self._say(f"watching a camera, {'with' if recording else 'without'} a recording")
            times = {"warm_up_s": self._plan.live_warm_up_s, "seconds": self._plan.live_s}
            yield watch_live(path, self._config, recording, **times)

    def _soak(self, path: Path) -> Soak | None:
        self._say(f"watching a camera for {self._plan.soak_s / 60:g} minutes")
        settled_s, seconds = self._plan.soak_settled_s, self._plan.soak_s
        return soak(path, self._config, settled_s=settled_s, seconds=seconds)
