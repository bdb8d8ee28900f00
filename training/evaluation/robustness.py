"""How accuracy falls where pictures are corrupted: small, blurred, rotated, dark, compressed."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.classification.bundle import Bundle
from models.classification.classifier import Classifier, Prediction, grouped
from models.faces import Image
from models.networks.runtime import available_cores
from training.datasets.samples import Samples
from training.datasets.splits import SEED
from training.errors import DatasetError
from training.evaluation.class_groups import ClassGroups
from training.evaluation.evaluate import ClassNames, select_rows, to_model_classes
from training.evaluation.figures import CORRUPTION, FACE_WIDTH, SMALL_GROUP
from training.evaluation.intervals import Figures, share_of
from training.features.extractor import Extractor, check_detector, read_picture
from training.features.progress import ProgressCallback, no_progress
from training.features.table import FeatureTable, has_label
from training.filming.corruptions import blur, darken, downscale, grayscale, jpeg, rotate

WIDTHS_PX = (10, 15, 20, 30, 40, 60, 80, 120)
"""Widths of faces for which the accuracy is measured, px."""

MAX_FACES = 500
"""Faces that are corrupted, unless told otherwise; more make figures steadier and take longer."""


@dataclass(frozen=True, slots=True)
class _Corruption:
    """A change that makes a chip worse.

    Attributes:
        kind: FACE_WIDTH or CORRUPTION, the key of its list in the report.
        entry: how an entry of that list begins.
        apply: a chip → the corrupted chip.
        min_face_px: width under which a face is left out, px.
    """

    kind: str
    entry: Mapping[str, Any]
    apply: Callable[[Image], Image]
    min_face_px: int = 0


def _downscaled(width_px: int) -> _Corruption:
    return _Corruption(
        FACE_WIDTH, {"face_px": width_px}, lambda chip: downscale(chip, width_px), width_px
    )


_CORRUPTIONS = (
    *map(_downscaled, WIDTHS_PX),
    _Corruption(CORRUPTION, {CORRUPTION: "none"}, lambda chip: chip),
    _Corruption(CORRUPTION, {CORRUPTION: "JPEG of quality 30"}, lambda chip: jpeg(chip, 30)),
    _Corruption(CORRUPTION, {CORRUPTION: "blurred"}, lambda chip: blur(chip, 2.5)),
    _Corruption(CORRUPTION, {CORRUPTION: "tilted by 20°"}, lambda chip: rotate(chip, 20)),
    _Corruption(CORRUPTION, {CORRUPTION: "tilted by -20°"}, lambda chip: rotate(chip, -20)),
    _Corruption(
        CORRUPTION, {CORRUPTION: "a quarter of the light"}, lambda chip: darken(chip, 0.25)
    ),
    _Corruption(CORRUPTION, {CORRUPTION: "grey"}, grayscale),
)
"""What is measured, in the order of the report: the widths, then the chip as it is and made worse
in six ways; one more costs an embedding of each face."""


def measure_robustness(
    bundle: Bundle,
    table: FeatureTable,
    samples: Samples,
    extractor: Extractor,
    *,
    split: str | None = "test",
    names: ClassNames | None = None,
    groups: Mapping[str, ClassGroups] | None = None,
    max_faces: int = MAX_FACES,
    seed: int = SEED,
    progress: ProgressCallback = no_progress,
) -> dict[str, dict[str, list[Figures]]]:
    """Attribute → FACE_WIDTH and CORRUPTION → accuracies, on some faces of the table.

    A face is shrunk to a width in px and enlarged to the chip the embedder takes, as the aligner
    does with a small face. Faces that are narrower anyway are left out of that width.

    Args:
        bundle: the model.
        table: the faces with their labels.
        samples: the dataset of the table, with the pictures.
        extractor: an extractor with the settings of the table.
        split: the split to evaluate on, None for both.
        names: the model's names of the classes of the table.
        groups: attribute → classes of the model to be merged.
        max_faces: how many faces are measured at most.
        seed: of the choice of faces.
        progress: is given the number of faces done.

    Raises:
        DatasetError: the pictures are not those of the table, or another detector found its faces.
    """
    check_detector(table, extractor.settings)
    chosen = sample(select_rows(table, split), max_faces, seed)
    with ThreadPoolExecutor(available_cores()) as pool:
        rows = []
        for vectors in pool.map(
            lambda row: _embed_corrupted(chosen, row, samples, extractor), range(len(chosen))
        ):
            rows.append(vectors)
            progress(1)
    embeddings = np.stack(rows)
    if np.isnan(embeddings).all():
        raise DatasetError(f"{samples.root} has none of the pictures of the table")
    classifier = Classifier(bundle)
    figures: dict[str, dict[str, list[Figures]]] = {}
    for index, corruption in enumerate(_CORRUPTIONS):
        embedded = ~np.isnan(embeddings[:, index, 0])
        for prediction in classifier.predict(embeddings[embedded, index]):
            found = judged(prediction, chosen[embedded], names, groups)
            if found is not None:
                _, correct = found
                kinds = figures.setdefault(prediction.attribute, {FACE_WIDTH: [], CORRUPTION: []})
                small = len(correct) < SMALL_GROUP
                kinds[corruption.kind].append(
                    {
                        **corruption.entry,
                        "rows": len(correct),
                        "small": small,
                        **share_of(correct),
                    }
                )
    return figures


def sample(table: FeatureTable, count: int, seed: int) -> FeatureTable:
    """So many faces of a table, drawn, in their order; all where it has no more."""
    if len(table) <= count:
        return table
    order = np.random.default_rng(seed).permutation(len(table))
    return table[np.sort(order[:count])]


def _embed_corrupted(
    table: FeatureTable, row: int, samples: Samples, extractor: Extractor
) -> NDArray[np.float32]:
    """`(corruptions, dimensions)` of a face; NaN where it is not found or too narrow."""
    found = extractor.chips(read_picture(samples.path_of(table.files[row])))
    vectors = np.full((len(_CORRUPTIONS), table.info.dimensions), np.nan, dtype=np.float32)
    face = int(table.faces[row])
    if face < len(found.chips):
        fits = np.array([each.min_face_px <= found.face_px[face] for each in _CORRUPTIONS])
        corrupted = [
            each.apply(found.chips[face])
            for each, fit in zip(_CORRUPTIONS, fits, strict=True)
            if fit
        ]
        vectors[fits] = extractor.engine.embed(np.stack(corrupted))
    return vectors


def judged(
    prediction: Prediction,
    table: FeatureTable,
    names: ClassNames | None,
    groups: Mapping[str, ClassGroups] | None,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]] | None:
    """How sure the prediction is, and whether it is the label, for the faces with one; None where
    none has a label."""
    attribute = prediction.attribute
    if attribute not in table.labels:
        return None
    merged = grouped(prediction, (groups or {}).get(attribute, {}))
    column = to_model_classes(table.labels[attribute], attribute, names, groups)
    known = has_label(column)
    if not known.any():
        return None
    answers = np.array(merged.classes, dtype=object)[merged.probabilities.argmax(axis=1)]
    confidence: NDArray[np.float32] = merged.probabilities.max(axis=1)
    return confidence[known], (answers == column)[known].astype(np.bool_)
