"""Pictures on their own: the search of a whole frame, and how many a second a folder takes."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2

from models.engine import Engine
from models.faces import Image
from stream.assembly import engine_for
from stream.benchmarks.speed.clips import FPS, SyntheticSource
from stream.benchmarks.speed.probes import FrameProbe
from stream.benchmarks.speed.report import PictureFigures, SearchFigures
from stream.errors import SourceError
from stream.frames import SourceInfo
from stream.run import run
from stream.settings import Config
from stream.sinks import Outputs
from stream.sources.pictures import PictureSource, pictures_in

_SEARCHED_PX = 40.0
"""Width of the smallest face that the search of a whole frame looks for, px; smaller costs more."""


def measure_search(image: Image, config: Config, repeats: int) -> SearchFigures:
    """Searches a whole frame for faces from 40 px on, as a video is searched.

    Args:
        image: the frame.
        config: the settings; `detection.min_face_px`, `downscale` and `upsample` do not count.
        repeats: how often, after once that does not count.

    Raises:
        ModelError: the engine cannot be loaded.
    """
    height, width = image.shape[:2]
    info = SourceInfo("one frame", "video", (width, height), FPS, 1)
    engine = _searching_finely(engine_for(config, info), info.size_wh)
    faces = len(engine.find(image))
    times_ms, cpu_ms = [], []
    for _ in range(repeats):
        start_s, start_cpu_s = time.perf_counter(), time.process_time()
        engine.find(image)
        times_ms.append((time.perf_counter() - start_s) * 1000)
        cpu_ms.append((time.process_time() - start_cpu_s) * 1000)
    return SearchFigures(
        size_wh=info.size_wh,
        smallest_px=engine.smallest_px(info.size_wh),
        faces=faces,
        ms=statistics.median(times_ms),
        cpu_ms=statistics.median(cpu_ms),
    )


def pictures_of(folder: Path) -> list[Path]:
    """The pictures in a folder and below it.

    Raises:
        SourceError: there are none, or not one can be read.
    """
    paths, _ = pictures_in(folder)
    PictureSource(str(folder), paths).close()
    return paths


def write_pictures(
    folder: Path, crowds: Sequence[int], sizes_wh: Sequence[tuple[int, int]]
) -> list[Path]:
    """Writes a picture for each number of faces at each size, and gives their names."""
    folder.mkdir(exist_ok=True)
    paths = []
    for size_wh in sizes_wh:
        for faces in crowds:
            (frame,) = SyntheticSource(faces, size_wh, 1).frames()
            paths.append(folder / f"{faces}-faces-{size_wh[1]}p.jpg")
            paths[-1].write_bytes(cv2.imencode(".jpg", frame.image)[1].tobytes())
    return paths


def measure_pictures(
    name: str, paths: Sequence[Path], config: Config, repeats: int
) -> PictureFigures:
    """Annotates pictures as `run` does, without an output.

    Args:
        name: what the report calls them.
        paths: the pictures.
        config: the settings.
        repeats: how often; the median time is reported, from the first picture to the last.

    Raises:
        ConfigError, ModelError, SourceError: as for `run`.
    """
    rates, probe = [], FrameProbe(draws=False)
    for _ in range(repeats):
        probe = FrameProbe(draws=False)
        summary = run(PictureSource(name, paths), config, Outputs(), [probe])
        if summary.interrupted:
            raise KeyboardInterrupt
        if summary.failures:
            raise SourceError(f"{name} could not be measured: {summary.failures[0]}")
        rates.append(summary.frames / summary.elapsed_s)
        paths = [paths[index] for index in probe.indices]  # what cannot be read is said once
    return PictureFigures(
        name=name,
        pictures=len(paths),
        faces=statistics.fmean(probe.faces),
        per_s=statistics.median(rates),
    )


def _searching_finely(engine: Engine, size_wh: tuple[int, int]) -> Engine:
    """The engine with the scale at which it just finds faces of `_SEARCHED_PX`.

    `auto` may search a large picture more coarsely than `min_face_px` asks.
    """
    unscaled = replace(engine.settings, min_face_px=_SEARCHED_PX, downscale=1.0, upsample=1.0)
    smallest_px = engine.with_settings(unscaled).smallest_px(size_wh)
    return engine.with_settings(replace(unscaled, downscale=_SEARCHED_PX / smallest_px))
