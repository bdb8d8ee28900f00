"""The time of a picture, measured in one run beside face_recognition's own calls."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from models.runtime import available_cores
from training.datasets.samples import Samples
from training.datasets.splits import SEED
from training.features.extractor import Extractor, read_picture


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the pictures took one way, decoding included, and how many faces were embedded."""

    name: str
    seconds_a_picture: float
    faces: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Our time for the same pictures first, then theirs."""

    pictures: int
    ours: Timing
    theirs: tuple[Timing, ...]

    def lines(self) -> Iterator[str]:
        """For the terminal."""
        yield f"{self.pictures} pictures, {available_cores()} cores, one after another in one run"
        for each in (self.ours, *self.theirs):
            ratio = each.seconds_a_picture / self.ours.seconds_a_picture
            yield (
                f"{each.name}: {1000 * each.seconds_a_picture:.1f} ms a picture, "
                f"{each.faces} faces, {ratio:.1f} times ours"
            )


def compare(samples: Samples, extractor: Extractor, count: int) -> Comparison:
    """Embeds at most `count` pictures, drawn evenly, with each of the ways.

    face_recognition's are the calls its users write: `face_locations` with either of its
    detectors, then `face_encodings`. Each way runs once beforehand, so that no start is measured.
    """
    places = np.random.default_rng(SEED).permutation(len(samples))[:count]
    paths = [samples.root / samples.files[place] for place in np.sort(places)]
    with ThreadPoolExecutor(available_cores()) as pool:
        ours = _timed(
            "face-train",
            lambda files: sum(pool.map(lambda file: _our_faces(extractor, file), files)),
            paths,
        )
    detectors: tuple[Literal["hog", "cnn"], ...] = ("hog", "cnn")
    theirs = tuple(
        _timed(f"face_recognition with {each}", partial(_their_faces, detector=each), paths)
        for each in detectors
    )
    return Comparison(len(paths), ours, theirs)


def _timed(name: str, work: Callable[[Sequence[Path]], int], paths: Sequence[Path]) -> Timing:
    work(paths[:1])
    start = time.perf_counter()
    faces = work(paths)
    return Timing(name, (time.perf_counter() - start) / len(paths), faces)


def _our_faces(extractor: Extractor, path: Path) -> int:
    return len(extractor.extract(read_picture(path)).embeddings)


def _their_faces(paths: Sequence[Path], detector: Literal["hog", "cnn"]) -> int:
    from models.reference import embed_file  # loads every model of face_recognition

    return sum(len(embed_file(path, detector)) for path in paths)
