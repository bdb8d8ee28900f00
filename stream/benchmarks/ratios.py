"""A run beside other ways of doing it: nothing but transcoding, face_recognition, dlib."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from stream.assembly import engine_for
from stream.benchmarks.figures import Ratio, counted
from stream.benchmarks.recipes import Recipe, faster_recipe, plain_recipe
from stream.benchmarks.runs import TimedRun, median_run
from stream.settings import Config
from stream.sources.video import VideoSource

Say = Callable[[str], None]
"""Told what is being done."""


def beside_transcoding(name: str, ours: TimedRun, theirs_fps: float) -> Ratio:
    """What annotation costs: the rate beside that of decoding and encoding alone."""
    what = f"annotated recording, {min(ours.size_wh)}p, {counted(ours.mean_faces, 'face')}"
    return Ratio(name, what, "decode and encode alone", ours.fps, theirs_fps, "rate")


def one_more_face(
    crowds: Mapping[int, TimedRun], transcoding_fps: Mapping[int, float]
) -> tuple[Ratio, Ratio]:
    """The slope of the time of a frame over the number of faces, beside a frame with the fewest.

    A face that moves costs a decoder and an encoder something too, whoever annotates it: first
    with that, then without.

    Args:
        crowds: runs at one size, by number of faces, two at least.
        transcoding_fps: the rate of transcoding alone, of the same.
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


def _slope(times_ms: Mapping[int, float]) -> float:
    return float(np.polyfit(list(times_ms), list(times_ms.values()), 1)[0])


def yardsticks(
    path: Path, run: Callable[[], TimedRun], out: Path, frames: int, say: Say
) -> Iterator[Ratio]:
    """face_recognition as people use it, between runs of ours.

    It takes seconds a frame, so it is given a few of them.

    Args:
        path: the clip.
        run: runs it once more.
        out: where what is drawn is written.
        frames: how many frames, spread over the clip.
        say: told what is being done.

    Raises:
        SourceError: OpenCV cannot read the clip.
    """
    say("face_recognition, frame by frame")
    runs = [run()]
    count = max(min(frames, runs[0].frames // 2), 1)
    places = [int((number + 0.5) * runs[0].frames / count) // 2 * 2 for number in range(count)]
    plain = plain_recipe(path, out, places)
    runs.append(run())
    say("face_recognition, its faster recipe")
    faster = faster_recipe(path, out, places)
    runs.append(run())
    ours = median_run(runs)
    yield _beside_recipe("plain_recipe", "face_recognition, every frame", ours, plain)
    yield _beside_recipe("faster_recipe", "face_recognition, its faster recipe", ours, faster)


def full_search(path: Path, config: Config, repeats: int, say: Say) -> Ratio:
    """The search of the first frame as a run does it, and dlib's at the same scale.

    Raises:
        SourceError, ModelError: the clip cannot be read, or the engine not be loaded.
    """
    from models.reference import ReferenceCnnDetector

    source = VideoSource(path)
    image, info = next(source.frames()).image, source.info
    source.close()
    engine, reference = engine_for(config, info), ReferenceCnnDetector()
    say(f"dlib on a frame of {info.size_wh[0]}×{info.size_wh[1]}")
    scale = engine.settings.scale(info.size_wh)
    ours_ms = [_elapsed_ms(lambda: engine.find_part(image)) for _ in range(1 + repeats)]
    theirs_ms = _elapsed_ms(lambda: reference.detect(image, scale))
    what = f"search of a whole frame, {min(info.size_wh)}p"
    return Ratio(
        "full_search", what, "dlib's CNN", statistics.median(ours_ms[1:]), theirs_ms, "time"
    )


def _beside_recipe(name: str, beside: str, ours: TimedRun, recipe: Recipe) -> Ratio:
    """Faces are counted in the frames that both did."""
    found = sum(ours.faces.get(index, 0) for index in recipe.faces)
    frames, theirs = len(recipe.faces), sum(recipe.faces.values())
    note = f"in {frames} frames {found} faces found, there {theirs}"
    what = f"annotated recording, {min(ours.size_wh)}p, {counted(ours.mean_faces, 'face')}"
    return Ratio(name, what, beside, ours.fps, 1 / recipe.frame_s, "rate", note)


def _elapsed_ms(call: Callable[[], object]) -> float:
    start_s = time.perf_counter()
    call()
    return (time.perf_counter() - start_s) * 1000
