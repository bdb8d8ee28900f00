"""Runs with a simulated camera: latency and dropped frames, and the memory of a long run."""

from pathlib import Path

import numpy as np

from stream.benchmarks.speed.camera import SimulatedCamera
from stream.benchmarks.speed.clips import FPS
from stream.benchmarks.speed.memory import MemorySampler
from stream.benchmarks.speed.probes import FrameProbe, TimeLimit
from stream.benchmarks.speed.report import LiveFigures, SoakFigures
from stream.errors import SourceError
from stream.run import run
from stream.settings import Config
from stream.sinks import Outputs


def measure_live(
    path: Path, config: Config, recording: Path | None, *, warm_up_s: float, seconds: float
) -> LiveFigures:
    """Annotates a clip that a camera plays, and measures which frames are shown and how late.

    Args:
        path: the clip.
        config: the settings.
        recording: the file that is recorded at the same time, replaced if it exists; None for no
            recording.
        warm_up_s: time before the first frame that counts, s.
        seconds: time that counts, s.

    Raises:
        ConfigError, ModelError, SinkError, SourceError: as for `run`.
    """
    probe = FrameProbe(warm_up_s + seconds)
    camera = SimulatedCamera(path, FPS)
    _run(camera, config, Outputs(save=recording, overwrite=True), probe)
    begin_s = probe.shown_s[0] + warm_up_s
    first = next(row for row, at_s in enumerate(probe.shown_s) if at_s >= begin_s)
    latencies_ms = np.array(probe.latencies_s[first:]) * 1000
    p50_ms, p95_ms = np.percentile(latencies_ms, [50, 95]).tolist()
    return LiveFigures(
        size_wh=camera.info.size_wh,
        fps=FPS,
        faces=float(np.mean(probe.faces[first:])),
        recording=recording is not None,
        seconds=seconds,
        offered=probe.indices[-1] - probe.indices[first] + 1,
        shown=len(latencies_ms),
        p50_ms=p50_ms,
        p95_ms=p95_ms,
    )


def measure_soak(
    path: Path, config: Config, *, settled_s: float, seconds: float
) -> SoakFigures | None:
    """Annotates a clip that a camera plays for a long time, and measures the memory.

    Args:
        path: the clip.
        config: the settings.
        settled_s: time after which the memory should no longer grow, s.
        seconds: length of the run, s.

    Returns:
        None where the system does not tell how much memory is held.

    Raises:
        ConfigError, ModelError, SinkError, SourceError: as for `run`.
    """
    with MemorySampler(every_s=min(1.0, seconds / 100)) as sampler:
        _run(SimulatedCamera(path, FPS), config, Outputs(), TimeLimit(seconds))
    later = [mb for at_s, mb in sampler.samples if at_s >= settled_s]
    if not later:
        return None
    deviation_mb = max((mb - later[0] for mb in later), key=abs)
    return SoakFigures(seconds / 60, settled_s / 60, later[0], deviation_mb)


def _run(camera: SimulatedCamera, config: Config, outputs: Outputs, sink: TimeLimit) -> None:
    summary = run(camera, config, outputs, [sink])
    if summary.interrupted:
        raise KeyboardInterrupt
    if summary.failures:
        raise SourceError(f"the camera could not be watched: {summary.failures[0]}")
