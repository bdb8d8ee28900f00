"""The errors of a model on held-out faces, by which `face-stream report` corrects its counts."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.classification.bundle import Bundle
from models.classification.classifier import Classifier
from models.classification.view_quality import ViewQuality
from models.classification.view_quality import sharpness as sharpness_of
from models.networks.runtime import available_cores
from models.prevalence.correction import AttributeCorrection, Correction
from models.prevalence.correction_fit import HeldOutFaces, count_populations, fit_correction
from training.datasets.samples import Samples
from training.evaluation.evaluate import Comparison
from training.evaluation.intervals import Figures
from training.features.extractor import Extractor, read_picture
from training.features.progress import (
    OpenProgress,
    ProgressCallback,
    no_progress,
    nothing_shown,
)
from training.features.table import Column, FeatureTable
from training.filming.corruptions import downscale

COUNTING = "counting"
"""Key of the test of the correction among the figures of an attribute."""

FULL_WIDTH_PX = 60.0
"""Width from which faces are labelled no better the wider they are, px."""

NARROW_WIDTH_PX = 40.0
"""Width to which faces are shrunk to measure the errors on narrow ones, px: the narrowest that get
a label unless `min_face_px` is set."""

_NARROWEST_SHARE = 0.05
"""Share of the faces that may be narrower than the width from which errors count as measured."""


@dataclass(frozen=True, slots=True, eq=False)
class NarrowViews:
    """The n faces of a table, shrunk to `NARROW_WIDTH_PX`.

    Attributes:
        embeddings: `(n, d)`; NaN of a face that is narrower anyway, or is not found again.
        quality: of the views.
    """

    embeddings: NDArray[np.float32]
    quality: ViewQuality


def measure_correction(
    bundle: Bundle,
    comparison: Comparison,
    narrow: NarrowViews | None = None,
    draws: int | None = None,
    open_progress: OpenProgress = nothing_shown,
) -> Correction | None:
    """The correction of a model.

    Args:
        bundle: the model.
        comparison: of the model with faces that it was not fitted on.
        narrow: the same faces, shrunk to `NARROW_WIDTH_PX`; None where there are no pictures.
        draws: populations of each test; see `fit_correction`.
        open_progress: is opened where there is something to test, with the number of populations.

    Returns:
        None where no attribute has enough faces.
    """
    views = _views(bundle, comparison, narrow)
    classes = {head.attribute: head.classes for head in bundle.manifest.attributes}
    counts = {name: count_populations(classes[name], each, draws) for name, each in views.items()}
    measured = [name for name, count in counts.items() if count]
    if not measured:
        return None
    attributes: dict[str, AttributeCorrection] = {}
    # The matrices are small: more threads are no faster, and take a third more processor time.
    with open_progress(sum(counts.values())) as progress, threadpool_limits(1):
        for name in measured:
            if found := fit_correction(classes[name], views[name], draws, progress):
                attributes[name] = found
    return Correction.of(_data(comparison.data), attributes)


def _views(
    bundle: Bundle, comparison: Comparison, narrow: NarrowViews | None
) -> dict[str, list[HeldOutFaces]]:
    """By attribute its labelled faces, the narrow ones first."""
    shrunk = {} if narrow is None else _probabilities(bundle, narrow)
    found: dict[str, list[HeldOutFaces]] = {}
    for head in bundle.manifest.attributes:
        prediction = comparison.predictions[head.attribute]
        truth = comparison.truths.get(head.attribute)
        if truth is None or prediction.classes != head.classes:
            continue
        views = [HeldOutFaces(_least_width(comparison.table), prediction.probabilities, _NO_TRUTH)]
        if head.attribute in shrunk:
            views.insert(0, HeldOutFaces(NARROW_WIDTH_PX, shrunk[head.attribute], _NO_TRUTH))
        found[head.attribute] = [_labelled(view, truth, head.classes) for view in views]
    return found


def counting_figures(correction: Correction | None) -> dict[str, Figures]:
    """By attribute what a report and the card say of the correction."""
    attributes: Mapping[str, AttributeCorrection] = correction.attributes if correction else {}
    return {
        name: {COUNTING: {"is_gain": each.is_gain, **each.test}}
        for name, each in attributes.items()
    }


def embed_narrow(
    table: FeatureTable,
    samples: Samples,
    extractor: Extractor,
    progress: ProgressCallback = no_progress,
) -> NarrowViews:
    """The faces of a table, shrunk.

    Args:
        table: the faces.
        samples: the dataset of the table, with the pictures.
        extractor: an extractor with the settings of the table.
        progress: is given the number of faces done.
    """
    embeddings, sharpness = [], []
    with ThreadPoolExecutor(available_cores()) as pool:
        for embedding, sharp in pool.map(
            lambda row: _embed_one(table, row, samples, extractor), range(len(table))
        ):
            embeddings.append(embedding)
            sharpness.append(sharp)
            progress(1)
    widths_px = np.full(len(table), NARROW_WIDTH_PX, dtype=np.float32)
    quality = ViewQuality(widths_px, np.array(sharpness, dtype=np.float32))
    return NarrowViews(np.stack(embeddings), quality)


def _embed_one(
    table: FeatureTable, row: int, samples: Samples, extractor: Extractor
) -> tuple[NDArray[np.float32], float]:
    """The embedding of a face, shrunk, and its sharpness."""
    found = extractor.chips(read_picture(samples.root / table.files[row]))
    face = int(table.faces[row])
    if face >= len(found.chips) or found.face_px[face] < NARROW_WIDTH_PX:
        return np.full(table.info.dimensions, np.nan, dtype=np.float32), np.nan
    chip = downscale(found.chips[face], NARROW_WIDTH_PX)
    return extractor.engine.embed(chip[None])[0], sharpness_of(chip)


_NO_TRUTH = np.zeros(0, dtype=np.intp)
"""The classes of faces before their labels are looked up."""


def _labelled(view: HeldOutFaces, truth: Column, classes: tuple[str, ...]) -> HeldOutFaces:
    """The faces of a view that have a label and probabilities, with their classes."""
    numbers = {name: number for number, name in enumerate(classes)}
    codes = np.array([numbers.get(name, -1) for name in truth], dtype=np.intp)
    rows = np.flatnonzero((codes >= 0) & np.isfinite(view.probabilities).all(axis=1))
    return HeldOutFaces(view.from_px, view.probabilities[rows], codes[rows])


def _probabilities(bundle: Bundle, views: NarrowViews) -> dict[str, NDArray[np.float32]]:
    """By attribute `(n, k)`, calibrated for such views as logs are; NaN where there is none."""
    known = np.flatnonzero(np.isfinite(views.embeddings).all(axis=1))
    found = {}
    predictions = Classifier(bundle).predict(views.embeddings[known], quality=views.quality[known])
    for prediction in predictions:
        all_rows = np.full(
            (len(views.embeddings), len(prediction.classes)), np.nan, dtype=np.float32
        )
        all_rows[known] = prediction.probabilities
        found[prediction.attribute] = all_rows
    return found


def _least_width(table: FeatureTable) -> float:
    """Width from which the errors on the faces of a table hold, px."""
    return min(FULL_WIDTH_PX, float(np.quantile(table.face_px, _NARROWEST_SHARE).round()))


def _data(data: Figures) -> Figures:
    """The faces it was measured on, as `correction.json` has them."""
    return {name: data[name] for name in ("dataset", "credit", "hold_out", "split", "faces")}
