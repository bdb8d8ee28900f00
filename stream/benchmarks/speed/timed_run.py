"""One run of `face-stream run` with a recording, timed stage by stage."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stream.benchmarks.speed.probes import FrameProbe
from stream.errors import SourceError
from stream.run import run
from stream.settings import Config
from stream.sinks import Outputs
from stream.sources import Span
from stream.sources.video import VideoSource
from stream.stopwatch import StageTiming, measuring

LOOP = "looking"
"""What the report calls the thread of the loop, which annotates the frames."""

THREADS: Mapping[str, str] = {"reading": "capture", LOOP: "", "writing": "encoder"}
"""The threads of a run as the report calls them, with their names; the loop's has none of its own
because the caller's thread runs the loop."""

STAGES = (
    *("wait for a frame", "decode", "convert", "search", "track", "describe", "classify"),
    *("draw", "wait for the encoder", "encode"),
)
"""The stages of a run, in order; which thread converts and draws depends on source and sinks."""

WAIT_FOR_FRAME = "wait for a frame"
"""The stage in which the loop waits for the capture thread."""

WAIT_FOR_ENCODER = "wait for the encoder"
"""The stage in which the loop waits for the encoder's thread."""

_MAX_FRAMES = 300
"""Frames of a clip that are measured, from its start; more take longer and tell the same."""

_WARM_UP = 1 / 3
"""Share of the frames that the steady times leave out; by then the faces have their labels."""

_REPORTED_NAMES = {name: reported for reported, name in THREADS.items()}
"""What the report calls each thread, by the name of the thread."""


@dataclass(frozen=True, slots=True)
class TimedRun:
    """What a run took, without the loading of the model.

    Attributes:
        size_wh: size of the frames, px.
        faces: how many faces were found in each frame, by index.
        elapsed_s: time from the first frame to the end of the recording, s.
        steady_ms: time of a frame after the warm-up, ms.
        steady_cpu_ms: CPU time of the whole program for a frame after the warm-up, ms.
        timings: the times of all frames together, by thread and stage.
    """

    size_wh: tuple[int, int]
    faces: Mapping[int, int]
    elapsed_s: float
    steady_ms: float
    steady_cpu_ms: float
    timings: Mapping[tuple[str, str], StageTiming]

    @property
    def frames(self) -> int:
        """How many frames were annotated."""
        return len(self.faces)

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self.frames / self.elapsed_s

    @property
    def frame_ms(self) -> float:
        """Mean time of a frame, ms."""
        return 1000 / self.fps

    @property
    def mean_faces(self) -> float:
        """Mean number of faces in a frame."""
        return statistics.fmean(self.faces.values())

    def stages(self, thread: str) -> Sequence[str]:
        """The stages that a thread did, in order."""
        return [stage for stage in STAGES if (thread, stage) in self.timings]

    def stage_ms(self, thread: str, stage: str) -> float:
        """Mean time of a stage in a thread, ms a frame."""
        return self.timings.get((thread, stage), StageTiming()).wall_s * 1000 / self.frames

    def cpu_ms(self, thread: str, stage: str) -> float:
        """Mean CPU time of a stage in a thread, ms a frame."""
        return self.timings.get((thread, stage), StageTiming()).cpu_s * 1000 / self.frames

    def rest_ms(self, thread: str) -> float:
        """Time of a frame that is in no stage of a thread, ms: for the loop the time between the
        stages, for the other threads their waits."""
        return self.frame_ms - sum(self.stage_ms(thread, each) for each in self.stages(thread))


def timed_run(path: Path, config: Config, out: Path) -> TimedRun:
    """Annotates the first frames of a video into a recording, as `face-stream run` does.

    Args:
        path: the video.
        config: the settings.
        out: the recording, replaced if it exists.

    Raises:
        ConfigError, ModelError, SinkError, SourceError: the run cannot start, or failed later.
    """
    probe, source = FrameProbe(draws=False), _first_frames(path)
    with measuring() as watch:
        summary = run(source, config, Outputs(save=out, overwrite=True), [probe])
    if summary.interrupted:
        raise KeyboardInterrupt
    if summary.failures:
        raise SourceError(f"{path} could not be measured: {summary.failures[0]}")
    steady = int(len(probe.shown_s) * _WARM_UP)
    return TimedRun(
        size_wh=source.info.size_wh,
        faces=dict(zip(probe.indices, probe.faces, strict=True)),
        elapsed_s=summary.elapsed_s,
        steady_ms=_mean_step(probe.shown_s[steady:]) * 1000,
        steady_cpu_ms=_mean_step(probe.cpu_s[steady:]) * 1000,
        timings={
            (_REPORTED_NAMES.get(thread, LOOP), stage): timing
            for (thread, stage), timing in watch.timings.items()
        },
    )


def median_run(runs: Sequence[TimedRun]) -> TimedRun:
    """The run whose time is the median."""
    return sorted(runs, key=lambda each: each.elapsed_s)[len(runs) // 2]


def _mean_step(values: Sequence[float]) -> float:
    """The mean difference between neighbouring values."""
    return (values[-1] - values[0]) / max(len(values) - 1, 1)


def _first_frames(path: Path) -> VideoSource:
    """The first `_MAX_FRAMES` of a video."""
    source = VideoSource(path)
    frames, fps = source.info.frame_count, source.info.fps
    if frames is None or fps is None or frames <= _MAX_FRAMES:
        return source
    source.close()
    return VideoSource(path, Span(end_s=_MAX_FRAMES / fps))
