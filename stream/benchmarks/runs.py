"""One run of `face-stream run` with a recording, timed stage by stage."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stream.benchmarks.camera import Onlooker
from stream.errors import SourceError
from stream.run import run
from stream.settings import Config
from stream.sinks import Outputs
from stream.sources import Span
from stream.sources.video import VideoSource
from stream.stopwatch import StageTiming, measuring

LOOP = "looking"
"""The thread that runs the loop: it takes the frames from one thread and feeds the other."""
THREADS: Mapping[str, str] = {"reading": "capture", LOOP: "", "writing": "encoder"}
"""What each thread does, and its name; the loop's is whoever called."""
STAGES = (
    *("wait for a frame", "decode", "convert", "search", "track", "align", "embed", "classify"),
    *("draw", "wait for the encoder", "encode"),
)
"""The stages of a run, in order; who converts and draws depends on what is read and written."""
WAITS = ("wait for a frame", "wait for the encoder")

_DOES = {name: does for does, name in THREADS.items()}
_MOST_FRAMES = 300
_WARM_UP = 1 / 3  # of the frames; by then the faces are known


@dataclass(frozen=True, slots=True)
class TimedRun:
    """What a run took. Loading the model is not in it.

    Attributes:
        size_wh: of its frames, px.
        faces: found in each frame, by index.
        elapsed_s: from the first frame to the end of the recording.
        steady_ms: the time of a frame once the faces are known.
        steady_cpu_ms: what the whole program had of the cores in that time.
        laps: by thread and stage, all frames together.
    """

    size_wh: tuple[int, int]
    faces: Mapping[int, int]
    elapsed_s: float
    steady_ms: float
    steady_cpu_ms: float
    laps: Mapping[tuple[str, str], StageTiming]

    @property
    def frames(self) -> int:
        """How many there were."""
        return len(self.faces)

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self.frames / self.elapsed_s

    @property
    def frame_ms(self) -> float:
        """The time of a frame, all of them together."""
        return 1000 / self.fps

    @property
    def mean_faces(self) -> float:
        """In a frame."""
        return statistics.fmean(self.faces.values())

    def stages(self, thread: str) -> Sequence[str]:
        """Those that a thread did, in order."""
        return [stage for stage in STAGES if (thread, stage) in self.laps]

    def stage_ms(self, thread: str, stage: str) -> float:
        """What it took of each frame, in that thread."""
        return self.laps.get((thread, stage), StageTiming()).wall_s * 1000 / self.frames

    def cpu_ms(self, thread: str, stage: str) -> float:
        """What of it the thread was on a core."""
        return self.laps.get((thread, stage), StageTiming()).cpu_s * 1000 / self.frames

    def rest_ms(self, thread: str) -> float:
        """What is in no stage: of the loop what lies between them, of the others their waits."""
        return self.frame_ms - sum(self.stage_ms(thread, each) for each in self.stages(thread))


def timed_run(path: Path, config: Config, out: Path) -> TimedRun:
    """Annotates the beginning of a video into another as `face-stream run` would.

    Args:
        path: the video.
        config: the settings.
        out: the recording; what stands there is replaced.

    Raises:
        ConfigError, ModelError, SinkError, SourceError: it cannot be run, or failed on the way.
    """
    onlooker, source = Onlooker(looks=False), _beginning(path)
    with measuring() as watch:
        summary = run(source, config, Outputs(save=out, overwrite=True), [onlooker])
    if summary.interrupted:
        raise KeyboardInterrupt
    if summary.failures:
        raise SourceError(f"{path} could not be measured: {summary.failures[0]}")
    known = int(len(onlooker.shown_s) * _WARM_UP)
    return TimedRun(
        size_wh=source.info.size_wh,
        faces=dict(zip(onlooker.indices, onlooker.faces, strict=True)),
        elapsed_s=summary.elapsed_s,
        steady_ms=_mean_step(onlooker.shown_s[known:]) * 1000,
        steady_cpu_ms=_mean_step(onlooker.cpu_s[known:]) * 1000,
        laps={
            (_DOES.get(thread, LOOP), stage): lap for (thread, stage), lap in watch.timings.items()
        },
    )


def _mean_step(values: Sequence[float]) -> float:
    """From one to the next."""
    return (values[-1] - values[0]) / max(len(values) - 1, 1)


def _beginning(path: Path) -> VideoSource:
    """A clip, but of a long one only as much as shows what it costs."""
    source = VideoSource(path)
    frames, fps = source.info.frame_count, source.info.fps
    if frames is None or fps is None or frames <= _MOST_FRAMES:
        return source
    source.close()
    return VideoSource(path, Span(end_s=_MOST_FRAMES / fps))


def median_run(runs: Sequence[TimedRun]) -> TimedRun:
    """The one in the middle, by time."""
    return sorted(runs, key=lambda each: each.elapsed_s)[len(runs) // 2]
