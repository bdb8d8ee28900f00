"""A run with a camera: what can be seen of it and when, and what it holds in the long run."""

from pathlib import Path

import numpy as np

from stream.benchmarks.camera import CameraOfClip, Onlooker, Passerby
from stream.benchmarks.clips import FPS
from stream.benchmarks.figures import Live, Soak
from stream.benchmarks.memory import MemoryWatch
from stream.errors import SourceError
from stream.run import run
from stream.settings import Config
from stream.sinks import Outputs


def watch_live(
    path: Path, config: Config, recording: Path | None, *, warm_up_s: float, seconds: float
) -> Live:
    """Annotates a clip as a camera gives it, and looks at what comes when.

    Args:
        path: the clip.
        config: the settings.
        recording: what is written at the same time; what stands there is replaced.
        warm_up_s: how long it is watched before it counts.
        seconds: for how long it counts.

    Raises:
        ConfigError, ModelError, SinkError, SourceError: as for `run`.
    """
    onlooker = Onlooker(warm_up_s + seconds)
    camera = CameraOfClip(path, FPS)
    _watch(camera, config, Outputs(save=recording, overwrite=True), onlooker)
    begin_s = onlooker.shown_s[0] + warm_up_s
    first = next(row for row, at_s in enumerate(onlooker.shown_s) if at_s >= begin_s)
    latencies_ms = np.array(onlooker.latencies_s[first:]) * 1000
    p50_ms, p95_ms = np.percentile(latencies_ms, [50, 95]).tolist()
    return Live(
        size_wh=camera.info.size_wh,
        fps=FPS,
        faces=float(np.mean(onlooker.faces[first:])),
        recording=recording is not None,
        seconds=seconds,
        offered=onlooker.indices[-1] - onlooker.indices[first] + 1,
        shown=len(latencies_ms),
        p50_ms=p50_ms,
        p95_ms=p95_ms,
    )


def soak(path: Path, config: Config, *, settled_s: float, seconds: float) -> Soak | None:
    """Annotates a clip as a camera gives it for a long time, and looks at the memory.

    Args:
        path: the clip.
        config: the settings.
        settled_s: after which the memory should grow no more.
        seconds: for how long.

    Returns:
        None where the system does not say what is held.

    Raises:
        ConfigError, ModelError, SinkError, SourceError: as for `run`.
    """
    with MemoryWatch(every_s=min(1.0, seconds / 100)) as watch:
        _watch(CameraOfClip(path, FPS), config, Outputs(), Passerby(seconds))
    later = [mb for at_s, mb in watch.samples if at_s >= settled_s]
    if not later:
        return None
    deviation_mb = max((mb - later[0] for mb in later), key=abs)
    return Soak(seconds / 60, settled_s / 60, later[0], deviation_mb)


def _watch(camera: CameraOfClip, config: Config, outputs: Outputs, onlooker: Passerby) -> None:
    summary = run(camera, config, outputs, [onlooker])
    if summary.interrupted:
        raise KeyboardInterrupt
    if summary.failures:
        raise SourceError(f"the camera could not be watched: {summary.failures[0]}")
