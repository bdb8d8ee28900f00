"""Runs beside their baselines: transcoding alone, face_recognition's loops, dlib's search."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from stream.assembly import engine_for
from stream.benchmarks.speed.baselines import BaselineRun, every_frame_loop, faster_loop
from stream.benchmarks.speed.report import Ratio, counted
from stream.benchmarks.speed.timed_run import TimedRun, median_run
from stream.settings import Config
from stream.sources.video import VideoSource

ProgressCallback = Callable[[str], None]
"""Takes a line that says which measurement begins."""


def ratio_to_transcoding(name: str, ours: TimedRun, theirs_fps: float) -> Ratio:
    """The rate of a run beside the rate of decoding and encoding alone."""
    what = f"annotated recording, {min(ours.size_wh)}p, {counted(ours.mean_faces, 'face')}"
    return Ratio(name, what, "decode and encode alone", ours.fps, theirs_fps, "rate")


def cost_of_a_face(
    crowds: Mapping[int, TimedRun], transcoding_fps: Mapping[int, float]
) -> tuple[Ratio, Ratio]:
    """The time that one more face adds to a frame, beside the time of a frame with the fewest.

    Args:
        crowds: runs at one size, by number of faces, two at least.
        transcoding_fps: the rate of transcoding alone of the same clips, frames a second.

    Returns:
        1. The slope of the time of a frame over the number of faces.
        2. The same less the slope of transcoding alone: a moving face costs the decoder and the
           encoder time too, annotated or not.
    """
    times_ms = {faces: run.steady_ms for faces, run in crowds.items()}
    slope_ms = _slope(times_ms)
    alone_ms = _slope({faces: 1000 / fps for faces, fps in transcoding_fps.items()})
    fewest = min(crowds)
    what = f"one more face, {min(crowds[fewest].size_wh)}p"
    beside, frame_ms = f"a frame with {counted(fewest, 'face')}", times_ms[fewest]
    return (
        Ratio("one_more_face", what, beside, slope_ms, frame_ms, "share"),
        Ratio(
            "one_more_annotation",
            f"{what}, its transcoding not counted",
            beside,
            slope_ms - alone_ms,
            frame_ms,
            "share",
        ),
    )


def rate_of_a_crowd(crowds: Mapping[int, TimedRun]) -> Ratio:
    """The rate of the run with the most faces beside that with the fewest.

    Args:
        crowds: runs at one size, by number of faces.
    """
    fewest, most = min(crowds), max(crowds)
    what = f"annotated recording, {min(crowds[most].size_wh)}p, {counted(most, 'face')}"
    beside = f"the same, {counted(fewest, 'face')}"
    return Ratio("crowd", what, beside, crowds[most].fps, crowds[fewest].fps, "rate")


def _slope(times_ms: Mapping[int, float]) -> float:
    """The least-squares slope of times over numbers of faces, ms a face."""
    return float(np.polyfit(list(times_ms), list(times_ms.values()), 1)[0])


def ratios_to_face_recognition(
    path: Path,
    run: Callable[[], TimedRun],
    out: Path,
    frames: int,
    on_progress: ProgressCallback,
) -> Iterator[Ratio]:
    """Runs beside the two usual loops with face_recognition, which take turns with the runs.

    face_recognition takes seconds for a frame, so only a few frames are given to it.

    Args:
        path: the clip.
        run: makes another run of the clip.
        out: the file that the loops write.
        frames: how many frames the loops are given, spread over the clip.
        on_progress: called as each loop begins.

    Raises:
        SourceError: OpenCV cannot read the clip.
    """
    on_progress("face_recognition, frame by frame")
    runs = [run()]
    count = max(min(frames, runs[0].frames // 2), 1)
    indices = [int((number + 0.5) * runs[0].frames / count) // 2 * 2 for number in range(count)]
    plain = every_frame_loop(path, out, indices)
    runs.append(run())
    on_progress("face_recognition, its faster recipe")
    faster = faster_loop(path, out, indices)
    runs.append(run())
    ours = median_run(runs)
    yield _ratio_to_loop("plain_recipe", "face_recognition, every frame", ours, plain)
    yield _ratio_to_loop("faster_recipe", "face_recognition, its faster recipe", ours, faster)


def ratio_of_full_search(
    path: Path, config: Config, repeats: int, on_progress: ProgressCallback
) -> Ratio:
    """The search of a whole frame, the first one, beside dlib's search of it as it is.

    Raises:
        SourceError, ModelError: the clip cannot be read, or the engine cannot be loaded.
    """
    from models.reference import ReferenceCnnDetector

    source = VideoSource(path)
    image, info = next(source.frames()).image, source.info
    source.close()
    engine, reference = engine_for(config, info), ReferenceCnnDetector()
    on_progress(f"dlib on a frame of {info.size_wh[0]}×{info.size_wh[1]}")
    ours_ms = [_elapsed_ms(lambda: engine.find(image)) for _ in range(1 + repeats)]
    theirs_ms = _elapsed_ms(lambda: reference.detect(image))
    what = f"search of a whole frame, {min(info.size_wh)}p"
    return Ratio(
        "full_search", what, "dlib's CNN", statistics.median(ours_ms[1:]), theirs_ms, "time"
    )


def _ratio_to_loop(name: str, beside: str, ours: TimedRun, loop: BaselineRun) -> Ratio:
    """The rate of a run beside a loop's; faces are counted in the frames that both did."""
    found = sum(ours.faces.get(index, 0) for index in loop.faces)
    frames, theirs = len(loop.faces), sum(loop.faces.values())
    note = f"in {frames} frames {found} faces found, there {theirs}"
    what = f"annotated recording, {min(ours.size_wh)}p, {counted(ours.mean_faces, 'face')}"
    return Ratio(name, what, beside, ours.fps, 1 / loop.frame_s, "rate", note)


def _elapsed_ms(call: Callable[[], object]) -> float:
    start_s = time.perf_counter()
    call()
    return (time.perf_counter() - start_s) * 1000
