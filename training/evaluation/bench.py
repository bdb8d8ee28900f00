"""The time a picture takes, measured beside face_recognition's own calls in one run."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from models.networks.runtime import available_cores
from models.program.system_libraries import check_reference
from training.datasets.samples import Samples
from training.datasets.splits import SEED
from training.features.extractor import Extractor, read_picture


@dataclass(frozen=True, slots=True)
class PictureTiming:
    """The time a picture takes with one program, decoding included, and the faces it embedded."""

    name: str
    seconds_a_picture: float
    faces: int


@dataclass(frozen=True, slots=True)
class SpeedComparison:
    """The times of this program and of face_recognition for the same pictures."""

    pictures: int
    ours: PictureTiming
    theirs: tuple[PictureTiming, ...]

    def lines(self) -> Iterator[str]:
        """The comparison as lines of text."""
        yield f"{self.pictures} pictures, {available_cores()} cores, one after another in one run"
        for each in (self.ours, *self.theirs):
            ratio = each.seconds_a_picture / self.ours.seconds_a_picture
            yield (
                f"{each.name}: {1000 * each.seconds_a_picture:.1f} ms a picture, "
                f"{each.faces} faces, {ratio:.1f} times ours"
            )


def compare(samples: Samples, extractor: Extractor, count: int) -> SpeedComparison:
    """Embeds at most `count` pictures, drawn at random, with each of the programs.

    face_recognition is called as its users call it: `face_locations` with either of its detectors,
    then `face_encodings`. Each program runs once beforehand, so that no start is measured.

    Raises:
        ModelError: face_recognition, an extra, is not installed.
    """
    check_reference()
    places = np.random.default_rng(SEED).permutation(len(samples))[:count]
    paths = [samples.root / samples.files[place] for place in np.sort(places)]
    with ThreadPoolExecutor(available_cores()) as pool:
        ours = _time(
            "face-train",
            lambda files: sum(pool.map(lambda file: _embed_here(extractor, file), files)),
            paths,
        )
    detectors: tuple[Literal["hog", "cnn"], ...] = ("hog", "cnn")
    theirs = tuple(
        _time(f"face_recognition with {each}", partial(_embed_with_reference, detector=each), paths)
        for each in detectors
    )
    return SpeedComparison(len(paths), ours, theirs)


def _time(name: str, work: Callable[[Sequence[Path]], int], paths: Sequence[Path]) -> PictureTiming:
    work(paths[:1])
    start = time.perf_counter()
    faces = work(paths)
    return PictureTiming(name, (time.perf_counter() - start) / len(paths), faces)


def _embed_here(extractor: Extractor, path: Path) -> int:
    return len(extractor.extract(read_picture(path)).embeddings)


def _embed_with_reference(paths: Sequence[Path], detector: Literal["hog", "cnn"]) -> int:
    from models.reference import embed_file  # loads every model of face_recognition

    return sum(len(embed_file(path, detector)) for path in paths)
