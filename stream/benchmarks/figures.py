"""What the benchmark of speed found out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from stream.benchmarks.runs import THREADS, TimedRun


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of a run.

    Attributes:
        warm_mb: in the middle of its second half.
        peak_mb: the most it was.
    """

    warm_mb: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure of ours beside another one.

    Attributes:
        name: for machines.
        what: ours, for people.
        beside: the other, for people.
        ours: in frames a second, or ms.
        theirs: likewise.
        kind: whether both are rates or times, or ours is a share of theirs.
        note: what else is worth knowing.
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
        """How many times as fast ours is; of a share, the share."""
        return self.theirs / self.ours if self.kind == "time" else self.ours / self.theirs


@dataclass(frozen=True, slots=True)
class Live:
    """What came of a camera's frames.

    Attributes:
        size_wh: of its frames, px.
        fps: how many it takes a second.
        faces: found in a frame, on average.
        recording: they were recorded at the same time.
        seconds: for how long.
        offered: frames the camera took.
        shown: those that were seen.
        p50_ms: the median of the time from capture to sight.
        p95_ms: what 95 of 100 frames did not exceed.
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
        """Of the frames the camera took."""
        return self.shown / self.offered


@dataclass(frozen=True, slots=True)
class Soak:
    """Resident memory of a long look at a camera.

    Attributes:
        minutes: how long it was.
        settled_minutes: after which it should grow no more.
        settled_mb: what it was then.
        deviation_mb: the farthest it went from that later, up or down.
    """

    minutes: float
    settled_minutes: float
    settled_mb: float
    deviation_mb: float


@dataclass(frozen=True, slots=True)
class SpeedReport:
    """What one benchmark measured.

    Attributes:
        cores: how many the program could use.
        repeats: how often each run was made; the median is given.
        name: of the clip the stages were measured on.
        subject: the run of that clip.
        memory: of its first run; None where the system does not say.
        sizes: runs with one face, the smallest frames first.
        crowds: runs at one size, by number of faces.
        ratios: ours beside others.
        live: without and with a recording.
        soak: None where none was asked for, or the system does not say.
    """

    cores: int
    repeats: int
    name: str
    subject: TimedRun
    memory: Memory | None
    sizes: tuple[TimedRun, ...]
    crowds: Mapping[int, TimedRun]
    ratios: tuple[Ratio, ...]
    live: tuple[Live, ...]
    soak: Soak | None

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        return {
            "cores": self.cores,
            "repeats": self.repeats,
            "clip": {"name": self.name, **_run(self.subject)},
            "memory": None if self.memory is None else asdict(self.memory),
            "sizes": [_run(each) for each in self.sizes],
            "crowds": [{"wanted": faces, **_run(each)} for faces, each in self.crowds.items()],
            "ratios": [asdict(each) | {"ratio": each.ratio} for each in self.ratios],
            "live": [asdict(each) | {"shown_share": each.shown_share} for each in self.live],
            "soak": None if self.soak is None else asdict(self.soak),
        }


def counted(number: float, noun: str) -> str:
    """In words."""
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
    """Per frame; what is in no stage is `rest`."""
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
