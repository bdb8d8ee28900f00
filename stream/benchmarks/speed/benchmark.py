"""The benchmark of speed: measures runs on clips and on a camera, and beside them baselines.

A run and its baseline are measured in one go and in turns, and the medians of several turns are
compared, because the speed of a machine varies from hour to hour.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from models.networks.runtime import available_cores
from models.program.system_libraries import check_reference
from stream.benchmarks.speed.baselines import transcode_s
from stream.benchmarks.speed.clips import SyntheticSource, write_clip
from stream.benchmarks.speed.live import measure_live, measure_soak
from stream.benchmarks.speed.memory import MemorySampler
from stream.benchmarks.speed.pictures import (
    measure_pictures,
    measure_search,
    pictures_of,
    write_pictures,
)
from stream.benchmarks.speed.ratios import (
    ProgressCallback,
    cost_of_a_face,
    rate_of_a_crowd,
    ratio_of_full_search,
    ratio_to_transcoding,
    ratios_to_face_recognition,
)
from stream.benchmarks.speed.report import (
    LiveFigures,
    MemoryFigures,
    PictureFigures,
    Ratio,
    SearchFigures,
    SoakFigures,
    SpeedReport,
    counted,
)
from stream.benchmarks.speed.timed_run import TimedRun, median_run, timed_run
from stream.settings import Config


@dataclass(frozen=True, slots=True)
class SpeedPlan:
    """How much is measured.

    Attributes:
        sizes_wh: sizes of the clips with one face, px.
        crowds: numbers of faces of the clips of the second size.
        several: number of faces in the clip of the third size, and before the camera.
        frames: length of a clip in frames; with 300, the first search of a whole frame is a small
            part of the time.
        repeats: how often each run is made.
        live_s: how long a camera is measured, after `live_warm_up_s`, s.
        live_warm_up_s: time of the camera that does not count, s.
        pictures: the folder whose pictures are annotated; None for synthetic ones, of each of the
            crowds at the second and the third size.
        full: whether the slow baselines are measured too, face_recognition and dlib.
        baseline_frames: how many frames of a clip the slow baselines are given.
        soak_s: length of the long run with a camera, s; 0 for none.
        soak_settled_s: time of the long run after which memory should no longer grow, s.
    """

    sizes_wh: Sequence[tuple[int, int]] = ((640, 360), (1280, 720), (1920, 1080), (3840, 2160))
    crowds: Sequence[int] = (1, 4, 16)
    several: int = 4
    frames: int = 300
    repeats: int = 3
    live_s: float = 10.0
    live_warm_up_s: float = 2.0
    pictures: Path | None = None
    full: bool = False
    baseline_frames: int = 4
    soak_s: float = 0.0
    soak_settled_s: float = 120.0


def measure_speed(
    clip: Path | None, config: Config, plan: SpeedPlan, on_progress: ProgressCallback
) -> SpeedReport:
    """Measures what a plan asks for.

    Args:
        clip: the video that the stages and the slow baselines are measured on; None for a
            synthetic one.
        config: the settings, as for `run`.
        plan: how much is measured.
        on_progress: called as each measurement begins.

    Raises:
        SourceError: the clip cannot be read, or the plan's folder has no picture.
        ConfigError, ModelError, SinkError: as for `run`.
    """
    with TemporaryDirectory(prefix="face-stream-bench-") as folder:
        return _Benchmark(config, plan, Path(folder), on_progress).measure(clip)


class _Benchmark:
    """Makes the measurements of a plan, with clips and recordings in a folder of its own."""

    def __init__(
        self, config: Config, plan: SpeedPlan, folder: Path, on_progress: ProgressCallback
    ) -> None:
        self._config = config
        self._plan = plan
        self._folder = folder
        self._on_progress = on_progress
        self._out = folder / "out.mp4"

    def measure(self, clip: Path | None) -> SpeedReport:
        """The report; memory is measured first, before other measurements have used any."""
        plan = self._plan
        if plan.full:
            check_reference()  # now rather than after the minutes that come first
        pictures = pictures_of(plan.pictures) if plan.pictures else None
        base_wh, large_wh = plan.sizes_wh[1:3]
        subject = clip or self._clip(plan.several, large_wh)
        memory = self._memory(subject)
        sizes = [self._clip(1, size_wh) for size_wh in plan.sizes_wh]
        crowds = {faces: self._clip(faces, base_wh) for faces in plan.crowds}
        base, camera = self._clip(1, base_wh), self._clip(plan.several, base_wh)
        runs, rates = self._turns([base, subject, *crowds.values()], sizes)
        by_faces = {faces: runs[path] for faces, path in crowds.items()}
        ratios = [
            ratio_to_transcoding("transcoding", runs[base], rates[base]),
            ratio_to_transcoding("transcoding_clip", runs[subject], rates[subject]),
            rate_of_a_crowd(by_faces),
            *cost_of_a_face(by_faces, {faces: rates[path] for faces, path in crowds.items()}),
            *(self._slow_baselines(subject) if plan.full else ()),
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
            search=self._search(large_wh),
            pictures=self._picture_rate(pictures or self._synthetic_pictures()),
            live=tuple(self._live(camera)),
            soak=self._soak(camera) if plan.soak_s else None,
        )

    def _clip(self, faces: int, size_wh: tuple[int, int]) -> Path:
        """A synthetic clip, made when it is first asked for."""
        path = self._folder / f"{faces}-faces-{size_wh[1]}p.mp4"
        if not path.exists():
            self._on_progress(f"making a clip: {counted(faces, 'face')}, {size_wh[0]}×{size_wh[1]}")
            write_clip(SyntheticSource(faces, size_wh, self._plan.frames), path)
        return path

    def _synthetic_pictures(self) -> list[Path]:
        """Synthetic pictures."""
        self._on_progress("making pictures")
        return write_pictures(
            self._folder / "pictures", self._plan.crowds, self._plan.sizes_wh[1:3]
        )

    def _search(self, size_wh: tuple[int, int]) -> SearchFigures:
        self._on_progress("searching a whole frame")
        (frame,) = SyntheticSource(self._plan.several, size_wh, 1).frames()
        return measure_search(frame.image, self._config, self._plan.repeats)

    def _picture_rate(self, paths: Sequence[Path]) -> PictureFigures:
        self._on_progress("annotating pictures")
        name = self._plan.pictures.name if self._plan.pictures else "made on the spot"
        return measure_pictures(name, paths, self._config, self._plan.repeats)

    def _memory(self, path: Path) -> MemoryFigures | None:
        self._on_progress("measuring memory")
        with MemorySampler() as sampler:
            timed_run(path, self._config, self._out)
        values = [mb for _, mb in sampler.samples]
        if not values:
            return None
        return MemoryFigures(values[len(values) * 3 // 4], max(values))

    def _turns(
        self, compared: Sequence[Path], others: Sequence[Path]
    ) -> tuple[dict[Path, TimedRun], dict[Path, float]]:
        """The median run of each clip; of those compared the median rate of transcoding, fps."""
        paths = list(dict.fromkeys([*compared, *others]))
        runs: dict[Path, list[TimedRun]] = {path: [] for path in paths}
        rates: dict[Path, list[float]] = {path: [] for path in compared}
        for turn in range(1, self._plan.repeats + 1):
            for path in paths:
                self._on_progress(f"turn {turn} of {self._plan.repeats}: {path.name}")
                runs[path].append(timed_run(path, self._config, self._out))
                if path in rates:
                    frames = runs[path][-1].frames
                    taken_s = transcode_s(path, self._out, self._config.recorder, frames)
                    rates[path].append(frames / taken_s)
        medians = {path: median_run(each) for path, each in runs.items()}
        return medians, {path: statistics.median(each) for path, each in rates.items()}

    def _slow_baselines(self, path: Path) -> Iterator[Ratio]:
        out, frames = self._folder / "baseline.mp4", self._plan.baseline_frames
        run = partial(timed_run, path, self._config, self._out)
        yield from ratios_to_face_recognition(path, run, out, frames, self._on_progress)
        yield ratio_of_full_search(path, self._config, self._plan.repeats, self._on_progress)

    def _live(self, path: Path) -> Iterator[LiveFigures]:
        for recording in (None, self._out):
            self._on_progress(
                f"watching a camera, {'with' if recording else 'without'} a recording"
            )
            times = {"warm_up_s": self._plan.live_warm_up_s, "seconds": self._plan.live_s}
            yield measure_live(path, self._config, recording, **times)

    def _soak(self, path: Path) -> SoakFigures | None:
        self._on_progress(f"watching a camera for {self._plan.soak_s / 60:g} minutes")
        settled_s, seconds = self._plan.soak_settled_s, self._plan.soak_s
        return measure_soak(path, self._config, settled_s=settled_s, seconds=seconds)
