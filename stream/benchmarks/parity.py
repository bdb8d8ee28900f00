"""The benchmark of parity: the engine and dlib itself on the same pictures, their faces and times.

Times are compared within one run and in turns, because the speed of a machine varies from hour to
hour. Parity is counted over all pictures together, each at its own size and at twice that.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from scipy.optimize import linear_sum_assignment

from models.aligner import Aligner
from models.detection.cnn_detector import CnnDetector
from models.detection.detector import Detector
from models.embedder import Embedder, dlib_embedder
from models.faces import Image, iou
from models.networks.runtime import available_cores
from stream.errors import SourceError
from stream.sources.demo import portrait
from stream.sources.pictures import read_picture

MATCH_IOU = 0.5
"""Overlap from which two boxes are of the same face."""

CLOSE_PX = 2.0
"""Distance between corresponding edges up to which two boxes are the same box, px."""

_BATCH = 16
"""Number of chips in the batch that is timed."""


@dataclass(frozen=True, slots=True)
class StepTiming:
    """The median times of one step, for which engine and dlib take turns, ms."""

    step: str
    engine_ms: float
    reference_ms: float

    @property
    def speedup(self) -> float:
        """How many times as fast the engine is."""
        return self.reference_ms / self.engine_ms


@dataclass(frozen=True, slots=True)
class BoxParity:
    """How far the faces of two detectors agree, counted over the pictures that both searched.

    Attributes:
        engine: number of faces that the engine found.
        reference: number of faces that dlib found.
        matched: number of pairs, one face of each, that overlap by `MATCH_IOU`.
        close: number of those pairs whose edges lie within `CLOSE_PX`.
    """

    engine: int = 0
    reference: int = 0
    matched: int = 0
    close: int = 0

    def __add__(self, other: "BoxParity") -> "BoxParity":
        return BoxParity(
            self.engine + other.engine,
            self.reference + other.reference,
            self.matched + other.matched,
            self.close + other.close,
        )

    @property
    def matched_share(self) -> float:
        """Share of matched faces of the detector that found more; 1 where neither found any."""
        return _share(self.matched, max(self.engine, self.reference))

    @property
    def close_share(self) -> float:
        """Share of close pairs of the matched ones; 1 where none is matched."""
        return _share(self.close, self.matched)


@dataclass(frozen=True, slots=True)
class ParityReport:
    """All that one benchmark of parity measured.

    Attributes:
        pictures: number of pictures that were searched, each at 1× and 2×.
        cores: how many cores the engine could use; dlib uses one.
        timings: the times of each step.
        boxes: agreement of the two CNN detectors.
        embedded_faces: number of chips that both embedded.
        embedding_difference: the largest difference between two values of their embeddings.
    """

    pictures: int
    cores: int
    timings: tuple[StepTiming, ...]
    boxes: BoxParity
    embedded_faces: int
    embedding_difference: float

    def as_dict(self) -> dict[str, object]:
        """The report as JSON has it: the attributes, and the ratios that follow from them."""
        return {
            **asdict(self),
            "timings": [asdict(each) | {"speedup": each.speedup} for each in self.timings],
            "boxes": asdict(self.boxes)
            | {"matched_share": self.boxes.matched_share, "close_share": self.boxes.close_share},
        }


def measure_parity(pictures: Sequence[Path] = (), *, repeats: int = 5) -> ParityReport:
    """Measures the times on the first picture, and the parity on all, at 1× and 2×.

    Args:
        pictures: the files; without any, the portrait of the demo. dlib takes about ten seconds
            a megapixel.
        repeats: how often each step is timed.

    Raises:
        SourceError: a picture cannot be read, or no picture holds a face.
    """
    from models.reference import ReferenceCnnDetector, ReferenceEmbedder

    images = [_read(path) for path in pictures] or [portrait()]
    detectors: tuple[Detector, Detector] = CnnDetector(), ReferenceCnnDetector()
    embedders: tuple[Embedder, Embedder] = dlib_embedder(), ReferenceEmbedder()
    aligner, boxes, chips = Aligner(), BoxParity(), []
    for image in enlarged(images):
        found = detectors[0].detect(image)
        boxes += compare_boxes(found.boxes_xyxy, detectors[1].detect(image).boxes_xyxy)
        chips.append(aligner.chips(image, aligner.locate(image, found, found.boxes_xyxy[:, None])))
    faces = np.concatenate(chips)
    if not len(faces):
        raise SourceError("none of the pictures holds a face: bench needs one to embed")
    ours, theirs = (embedder.embed(faces) for embedder in embedders)
    return ParityReport(
        pictures=len(images),
        cores=available_cores(),
        timings=_timings(images[0], faces, detectors, embedders, repeats),
        boxes=boxes,
        embedded_faces=len(faces),
        embedding_difference=float(np.abs(ours - theirs).max()),
    )


def render(report: ParityReport) -> Table:
    """The report as a table for people."""
    table = Table(title=f"{report.pictures} picture(s) at 1× and 2×, {report.cores} core(s)")
    for heading in ("", "engine", "dlib", "ratio"):
        table.add_column(heading, justify="right" if heading else "left")
    for each in report.timings:
        engine, reference = f"{each.engine_ms:.1f} ms", f"{each.reference_ms:.1f} ms"
        table.add_row(each.step, engine, reference, f"{each.speedup:.1f}× as fast")
    boxes = report.boxes
    table.add_section()
    table.add_row("faces found", str(boxes.engine), str(boxes.reference), "")
    table.add_row("the same faces", str(boxes.matched), "", f"{boxes.matched_share:.1%}")
    table.add_row(f"boxes within {CLOSE_PX:g} px", str(boxes.close), "", f"{boxes.close_share:.1%}")
    difference = f"{report.embedding_difference:.1e}"
    table.add_row("largest difference of embeddings", difference, "", "")
    return table


def compare_boxes(
    engine_xyxy: NDArray[np.float32], reference_xyxy: NDArray[np.float32]
) -> BoxParity:
    """Pairs the boxes `(n, 4)` and `(m, 4)` found in one picture, one to one."""
    overlaps = iou(engine_xyxy, reference_xyxy)
    rows, columns = linear_sum_assignment(overlaps, maximize=True)
    paired = overlaps[rows, columns] >= MATCH_IOU
    gaps = np.abs(engine_xyxy[rows[paired]] - reference_xyxy[columns[paired]])
    close = (gaps <= CLOSE_PX).all(axis=1)
    return BoxParity(len(engine_xyxy), len(reference_xyxy), int(paired.sum()), int(close.sum()))


def enlarged(images: Sequence[Image]) -> Iterator[Image]:
    """Each picture at its own size, and at twice that."""
    for image in images:
        yield image
        yield cv2.resize(image, None, fx=2, fy=2).astype(np.uint8, copy=False)


def _timings(
    image: Image,
    chips: NDArray[np.uint8],
    detectors: tuple[Detector, Detector],
    embedders: tuple[Embedder, Embedder],
    repeats: int,
) -> tuple[StepTiming, ...]:
    batch = chips[np.arange(_BATCH) % len(chips)]
    height, width = image.shape[:2]
    steps: dict[str, list[Callable[[], object]]] = {
        "embed 1 face": [partial(each.embed, batch[:1]) for each in embedders],
        f"embed {_BATCH} faces": [partial(each.embed, batch) for each in embedders],
        f"detect in {width}×{height}": [partial(each.detect, image) for each in detectors],
    }
    return tuple(StepTiming(name, *_medians_ms(calls, repeats)) for name, calls in steps.items())


def _medians_ms(calls: Sequence[Callable[[], object]], repeats: int) -> tuple[float, ...]:
    """The median time of each call, ms; they take turns, and the first round does not count."""
    rounds = [[_elapsed_ms(call) for call in calls] for _ in range(1 + repeats)]
    return tuple(statistics.median(times_ms) for times_ms in zip(*rounds[1:], strict=True))


def _elapsed_ms(call: Callable[[], object]) -> float:
    start_s = time.perf_counter()
    call()
    return (time.perf_counter() - start_s) * 1000


def _read(path: Path) -> Image:
    image = read_picture(path)
    if image is None:
        raise SourceError(f"{path} cannot be read as a picture")
    return image


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
