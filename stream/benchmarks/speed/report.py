"""The figures that the benchmark of speed reports."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from stream.benchmarks.speed.timed_run import THREADS, TimedRun


@dataclass(frozen=True, slots=True)
class MemoryFigures:
    """Resident memory of a run.

    Attributes:
        warm_mb: memory in the middle of the second half, MB.
        peak_mb: the largest memory, MB.
    """

    warm_mb: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure of this program beside the figure of a baseline, both measured in one go.

    Attributes:
        name: the key for machines.
        what: what this program did, for people.
        beside: the baseline, for people.
        ours: the figure of this program, frames a second or ms.
        theirs: the figure of the baseline, in the same unit.
        kind: whether both are rates or times, or `ours` is a share of `theirs`.
        note: a remark for people, such as how many faces each found.
    """

    name: str
    what: str
    beside: str
    ours: float
    theirs: float
    kind: Literal["rate", "time", "share"]
    note: str = ""

    @property
    def ratio(self) -> float:
        """How many times as fast this program is; of a share, the share."""
        return self.theirs / self.ours if self.kind == "time" else self.ours / self.theirs


@dataclass(frozen=True, slots=True)
class SearchFigures:
    """The search of a whole frame.

    Attributes:
        size_wh: size of the frame, px.
        smallest_px: width of the smallest face that it looks for, px.
        faces: number of faces found.
        ms: median time, ms.
        cpu_ms: median CPU time of the whole program, ms.
    """

    size_wh: tuple[int, int]
    smallest_px: float
    faces: int
    ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class PictureFigures:
    """Pictures that are annotated one after the other.

    Attributes:
        name: what the report calls them.
        pictures: number of those that could be read.
        faces: mean number of faces in a picture.
        per_s: pictures a second, without the loading of the model.
    """

    name: str
    pictures: int
    faces: float
    per_s: float


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """Latency and dropped frames of a run with a camera.

    Attributes:
        size_wh: size of the frames, px.
        fps: rate of the camera, frames a second.
        faces: mean number of faces in a frame.
        recording: whether the frames were recorded at the same time.
        seconds: how long was measured, s.
        offered: number of frames that the camera took.
        shown: number of those that were shown.
        p50_ms: median of the time from capture to show, ms.
        p95_ms: 95th percentile of that time, ms.
    """

    size_wh: tuple[int, int]
    fps: float
    faces: float
    recording: bool
    seconds: float
    offered: int
    shown: int
    p50_ms: float
    p95_ms: float

    @property
    def shown_share(self) -> float:
        """Share of the frames that were shown."""
        return self.shown / self.offered


@dataclass(frozen=True, slots=True)
class SoakFigures:
    """Resident memory of a long run with a camera.

    Attributes:
        minutes: length of the run, minutes.
        settled_minutes: time after which the memory should no longer grow, minutes.
        settled_mb: memory at that time, MB.
        deviation_mb: the largest later deviation from it, up or down, MB.
    """

    minutes: float
    settled_minutes: float
    settled_mb: float
    deviation_mb: float


@dataclass(frozen=True, slots=True)
class SpeedReport:
    """All that one benchmark of speed measured.

    Attributes:
        cores: how many cores the program could use.
        repeats: how often each run was made; the median is reported.
        name: name of the clip that the stages were measured on.
        subject: the run of that clip.
        memory: memory of its first run; None where the system does not tell it.
        sizes: runs with one face, the smallest frames first.
        crowds: runs at one size, by number of faces.
        ratios: this program beside baselines.
        search: the search of a whole frame.
        pictures: the pictures of a folder.
        live: runs with a camera, without and with a recording.
        soak: the long run with a camera; None where none was asked for, or the system does not
            tell the memory.
    """

    cores: int
    repeats: int
    name: str
    subject: TimedRun
    memory: MemoryFigures | None
    sizes: tuple[TimedRun, ...]
    crowds: Mapping[int, TimedRun]
    ratios: tuple[Ratio, ...]
    search: SearchFigures
    pictures: PictureFigures
    live: tuple[LiveFigures, ...]
    soak: SoakFigures | None

    def as_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        return {
            "cores": self.cores,
            "repeats": self.repeats,
            "clip": {"name": self.name, **_run(self.subject)},
            "memory": None if self.memory is None else asdict(self.memory),
            "sizes": [_run(each) for each in self.sizes],
            "crowds": [{"wanted": faces, **_run(each)} for faces, each in self.crowds.items()],
            "ratios": [asdict(each) | {"ratio": each.ratio} for each in self.ratios],
            "search": asdict(self.search),
            "pictures": asdict(self.pictures),
            "live": [asdict(each) | {"shown_share": each.shown_share} for each in self.live],
            "soak": None if self.soak is None else asdict(self.soak),
        }


def counted(number: float, noun: str) -> str:
    """A number with its noun, such as `1 face` or `3.5 faces`."""
    return f"{number:.3g} {noun}{'' if number == 1 else 's'}"


def _run(run: TimedRun) -> dict[str, object]:
    return {
        "size": run.size_wh,
        "frames": run.frames,
        "faces": run.mean_faces,
        "fps": run.fps,
        "frame_ms": run.frame_ms,
        "steady_ms": run.steady_ms,
        "steady_cpu_ms": run.steady_cpu_ms,
        "threads": {thread: _stages(run, thread) for thread in THREADS},
    }


def _stages(run: TimedRun, thread: str) -> dict[str, dict[str, float]]:
    """The times of a frame by stage; `rest` is the time that is in no stage."""
    stages = {
        stage: {
            "ms": run.stage_ms(thread, stage),
            "share": run.stage_ms(thread, stage) / run.frame_ms,
            "cpu_ms": run.cpu_ms(thread, stage),
        }
        for stage in run.stages(thread)
    }
    rest_ms = run.rest_ms(thread)
    return {**stages, "rest": {"ms": rest_ms, "share": rest_ms / run.frame_ms}}
