"""Accuracy and calibration by the width of a face crossed with how it is compressed.

A face is brought to its width, compressed at that size as a picture or a video is, and enlarged to
the chip that the embedder takes. No chip has more detail than a face of 100 px; a wider one is
enlarged before it is compressed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.aligner import CHIP_FACE_SHARE
from models.classification.bundle import Bundle
from models.classification.classifier import Classifier
from models.classification.view_quality import ViewQuality, joined
from models.faces import Image
from training.evaluation.class_groups import ClassGroups
from training.evaluation.evaluate import ClassNames
from training.evaluation.face_chips import ChipGroup, TablePictures, of_groups
from training.evaluation.figures import SMALL_GROUP, expected_calibration_error
from training.evaluation.intervals import Figures, share_of
from training.evaluation.robustness import judged
from training.features.extractor import Extractor
from training.features.progress import ProgressCallback, no_progress
from training.features.table import FeatureTable
from training.filming.corruptions import enlarge, jpeg, shrink
from training.filming.video_coding import code_h264

WIDTH_BY_CODING = "width_by_coding"
"""Key of a report's figures by width and coding."""

WIDTHS_PX = (10, 16, 24, 40, 60, 120)
"""Widths of faces, px; one more costs an embedding of each face for each coding."""

_Coding: TypeAlias = Callable[[Sequence[Image]], Sequence[Image]]

CODINGS: Mapping[str, _Coding] = {
    "none": lambda chips: chips,
    "JPEG of quality 30": lambda chips: [jpeg(chip, 30) for chip in chips],
    **{f"H.264, CRF {crf}": partial(code_h264, crf=crf) for crf in (18, 28, 36)},
}
"""How faces are compressed: 18 looks like the original, 28 is ordinary, 36 is coarse."""

_CELLS = tuple((width_px, name) for width_px in WIDTHS_PX for name in CODINGS)
"""What is measured, in the order of the report."""


@dataclass(frozen=True, slots=True, eq=False)
class _Views:
    """The views of n faces in each cell.

    Attributes:
        rows: `(n,)`, the rows of the table.
        embeddings: `(cells, n, dimensions)`.
        qualities: one a cell.
        fits: `(cells, n)`, whether the face is as wide in its picture as it is shown.
    """

    rows: NDArray[np.intp]
    embeddings: NDArray[np.float32]
    qualities: tuple[ViewQuality, ...]
    fits: NDArray[np.bool_]


def measure_width_by_coding(
    bundle: Bundle,
    table: FeatureTable,
    pictures: TablePictures,
    *,
    names: ClassNames | None = None,
    groups: Mapping[str, ClassGroups] | None = None,
    progress: ProgressCallback = no_progress,
) -> dict[str, list[Figures]]:
    """Attribute → figures of each width and coding.

    Args:
        bundle: the model.
        table: the faces with their labels; all of them are measured.
        pictures: those of the table.
        names: the model's names of the classes of the table.
        groups: attribute → classes of the model to be merged.
        progress: is given the number of faces done.

    Raises:
        DatasetError: the pictures are not those of the table.
    """
    parts = []
    look = partial(_look, extractor=pictures.extractor)
    for count, views in of_groups(table, np.arange(len(table)), pictures, look):
        parts.append(views)
        progress(count)
    rows = np.concatenate([each.rows for each in parts])
    embeddings = np.concatenate([each.embeddings for each in parts], axis=1)
    fits = np.concatenate([each.fits for each in parts], axis=1)
    classifier = Classifier(bundle)
    figures: dict[str, list[Figures]] = {}
    for cell, (width_px, coding) in enumerate(_CELLS):
        quality = joined([each.qualities[cell] for each in parts])[fits[cell]]
        shown = table[rows[fits[cell]]]
        for prediction in classifier.predict(embeddings[cell, fits[cell]], quality=quality):
            found = judged(prediction, shown, names, groups)
            if found is not None:
                figures.setdefault(prediction.attribute, []).append(
                    {"face_px": width_px, "coding": coding, **_figures(*found)}
                )
    return figures


def crossed(figures: Sequence[Figures]) -> tuple[list[str], dict[int, list[Figures]]]:
    """The codings of a report's figures, and by width the figures of each coding."""
    codings = list(dict.fromkeys(each["coding"] for each in figures))
    widths = dict.fromkeys(each["face_px"] for each in figures)
    return codings, {px: [each for each in figures if each["face_px"] == px] for px in widths}


def _look(faces: ChipGroup, extractor: Extractor) -> _Views:
    """Some faces in each cell."""
    side = faces.chips.shape[1]
    embeddings, qualities = [], []
    for width_px, coding in _CELLS:
        small = [_of_width(chip, width_px) for chip in faces.chips]
        shown = np.stack([enlarge(chip, side) for chip in CODINGS[coding](small)])
        embeddings.append(extractor.engine.embed(shown))
        widths_px = np.full(len(shown), width_px, dtype=np.float32)
        qualities.append(ViewQuality.of(shown, widths_px))
    fits = np.array([width_px <= faces.widths_px for width_px, _ in _CELLS])
    return _Views(faces.rows, np.stack(embeddings), tuple(qualities), fits)


def _of_width(chip: Image, width_px: int) -> Image:
    side = round(width_px / CHIP_FACE_SHARE)
    return shrink(chip, width_px) if side < len(chip) else enlarge(chip, side)


def _figures(confidence: NDArray[np.float32], correct: NDArray[np.bool_]) -> Figures:
    return {
        "rows": len(correct),
        "small": len(correct) < SMALL_GROUP,
        **share_of(correct),
        "confidence": float(confidence.mean()),
        "calibration_error": expected_calibration_error(confidence, correct),
    }
