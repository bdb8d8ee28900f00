"""The development faces of a model, as they are and filmed, for its calibration by view."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from models.classification.view_quality import ViewQuality, joined
from training.evaluation.corruptions import enlarge
from training.evaluation.face_chips import ChipGroup, TablePictures, of_groups
from training.evaluation.filming import film, random_widths
from training.features.extractor import Extractor
from training.features.progress import ProgressCallback, no_progress
from training.features.table import FeatureTable, has_label
from training.fitting.fit import FittedModel
from training.fitting.head import Head
from training.fitting.view_calibration import UNKNOWN, LabelledViews, fit_calibration

MAX_FACES = 3000
"""Development faces that are taken at most; more make the calibration steadier and take longer."""

_FILMED = 2
"""How often each of them is filmed, in another way each time; more take longer."""

_CLEAR_SHARE = 2 / 3
"""What the view of a face as it is counts, of what all its views count; less leaves clear faces
a little too sure. Tuned on halves of the rows of FairFace that the shipped model's training left
out."""


@dataclass(frozen=True, slots=True, eq=False)
class _Views:
    """n views of faces: their rows of the table, embeddings, quality, and what each counts."""

    rows: NDArray[np.intp]
    embeddings: NDArray[np.float32]
    quality: ViewQuality
    weights: NDArray[np.float64]


def calibrated(
    fitted: FittedModel,
    table: FeatureTable,
    pictures: TablePictures | None = None,
    *,
    seed: int,
    progress: ProgressCallback = no_progress,
) -> FittedModel:
    """The same model, calibrated by the views of its development faces.

    Without pictures it is calibrated by what else a face looks like alone, and a model of one
    attribute not at all.

    Args:
        fitted: the model.
        table: what it was fitted on.
        pictures: those of the table; None where they are not at hand.
        seed: by which faces are drawn and filmed.
        progress: is given the number of faces done.

    Raises:
        DatasetError: the pictures are not those of the table.
    """
    rows = development_faces(fitted, seed)
    if not len(rows):
        return fitted
    if pictures is not None:
        views = _filmed(fitted, table, rows, pictures, seed, progress)
    elif len(fitted.heads) > 1:
        views = _labelled(fitted, table, rows, table.embeddings[rows], None, np.ones(len(rows)))
    else:
        return fitted
    record = {
        "faces": round(float(views.weights.sum())),
        "filmed": 0 if views.quality is None else _FILMED,
        "seed": seed,
    }
    classes = {head.attribute: head.classes for head in fitted.heads}
    calibration = fit_calibration(views, classes, record)
    return fitted.with_calibration(calibration) if calibration.attributes else fitted


def development_faces(fitted: FittedModel, seed: int) -> NDArray[np.intp]:
    """The rows of the table to calibrate on, in their order: `MAX_FACES` at most, drawn."""
    rows = np.unique(np.concatenate([*fitted.development.values(), np.zeros(0, dtype=np.intp)]))
    if len(rows) > MAX_FACES:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:MAX_FACES])
    return rows


def _filmed(
    fitted: FittedModel,
    table: FeatureTable,
    rows: NDArray[np.intp],
    pictures: TablePictures,
    seed: int,
    progress: ProgressCallback,
) -> LabelledViews:
    found = []
    look = partial(_look, extractor=pictures.extractor, seed=seed)
    for count, views in of_groups(table, rows, pictures, look):
        found.append(views)
        progress(count)
    shown = np.concatenate([each.rows for each in found])
    embeddings = np.concatenate([each.embeddings for each in found])
    quality = joined([each.quality for each in found])
    weights = np.concatenate([each.weights for each in found])
    return _labelled(fitted, table, shown, embeddings, quality, weights)


def _look(faces: ChipGroup, extractor: Extractor, seed: int) -> _Views:
    """The views of some faces: as they are, then filmed."""
    random = np.random.default_rng((seed, int(faces.rows[0])))
    side = faces.chips.shape[1]
    shown, widths = [faces.chips], [faces.widths_px]
    for _ in range(_FILMED):
        filmed_px = random_widths(list(faces.chips), random)
        filmed = film(list(faces.chips), filmed_px, random)
        shown.append(np.stack([enlarge(chip, side) for chip in filmed]))
        widths.append(np.minimum(faces.widths_px, filmed_px).astype(np.float32))
    embeddings = np.concatenate([extractor.engine.embed(chips) for chips in shown])
    quality = ViewQuality.of(np.concatenate(shown), np.concatenate(widths))
    weights = np.full(len(embeddings), (1 - _CLEAR_SHARE) / _FILMED)
    weights[: len(faces.rows)] = _CLEAR_SHARE
    return _Views(np.tile(faces.rows, len(shown)), embeddings, quality, weights)


def _labelled(
    fitted: FittedModel,
    table: FeatureTable,
    rows: NDArray[np.intp],
    embeddings: NDArray[np.float32],
    quality: ViewQuality | None,
    weights: NDArray[np.float64],
) -> LabelledViews:
    return LabelledViews(
        probabilities={
            head.attribute: head.probabilities(embeddings).astype(np.float32)
            for head in fitted.heads
        },
        targets={
            head.attribute: _targets(head, table, rows, fitted.development[head.attribute])
            for head in fitted.heads
        },
        quality=quality,
        weights=weights,
    )


def _targets(
    head: Head, table: FeatureTable, rows: NDArray[np.intp], development: NDArray[np.intp]
) -> NDArray[np.int64]:
    """The number of the class of each row, `UNKNOWN` where it has no label or was fitted on."""
    numbers = {name: number for number, name in enumerate(head.classes)}
    column = table.column(head.attribute)[rows]
    usable = has_label(column) & np.isin(rows, development)
    return np.array(
        [numbers[name] if use else UNKNOWN for name, use in zip(column, usable, strict=True)],
        dtype=np.int64,
    )
