"""The faces behind the figures: the surest errors, and the labels that look wrong.

Labels that look wrong are found by confident learning (Northcutt et al., Confident Learning:
Estimating Uncertainty in Dataset Labels, JAIR 2021): a face is evidence against its label where the
model is as sure of another class as it is on average of the faces labelled with that one. Of a weak
model that is not very sure, so the label must be unlikely besides.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.classification.classifier import Prediction
from training.evaluation.figures import class_numbers
from training.evaluation.intervals import Figures
from training.features.table import Column, FeatureTable, has_label

SHOWN_ERRORS = 24
"""Errors of an attribute, at most, that a report shows; more make the page longer."""

LISTED_ISSUES = 100
"""Labels that look wrong, at most, in `report.json`; `label_issues.csv` has all of them."""

_MIN_CLASS_FACES = 5
"""Faces labelled with a class that it takes to suggest it for others; fewer give it no mean
confidence that could be relied on, above all where one of them is labelled wrongly."""

_MAX_LABEL_PROBABILITY = 0.1
"""Probability of a label that looks wrong at most; higher lists more faces that are hard to tell.
Of 5,000 faces of FairFace with every twentieth label changed, this lists 0.67 (race) to 0.75 (age)
of the changed ones in 450 faces; without it 0.73 to 0.85, in 1,000 (race) to 1,800 (age)."""


def mistakes(prediction: Prediction, truth: Column, table: FeatureTable) -> Figures:
    """The surest errors and the labels that look wrong, as they stand in a report.

    Args:
        prediction: of n faces.
        truth: `(n,)` class names, None where unknown.
        table: the n faces.
    """
    issues = label_issues(prediction, truth, table)
    return {
        "surest_errors": surest_errors(prediction, truth, table),
        "label_issues": {"count": len(issues), "faces": issues[:LISTED_ISSUES]},
    }


def surest_errors(prediction: Prediction, truth: Column, table: FeatureTable) -> list[Figures]:
    """The errors of which the model is surest, the surest first."""
    rows, probabilities, given = _labelled(prediction, truth)
    likely = probabilities.argmax(axis=1)
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    wrong = order[(likely != given)[order]][:SHOWN_ERRORS]
    doubted = set(find_label_issues(probabilities, given)[0].tolist())
    return [
        _entry(prediction, table, rows[each], given[each], likely[each])
        | {"label_looks_wrong": each in doubted}
        for each in wrong.tolist()
    ]


def label_issues(prediction: Prediction, truth: Column, table: FeatureTable) -> list[Figures]:
    """All labels that look wrong, the surest first."""
    rows, probabilities, given = _labelled(prediction, truth)
    issues, likely = find_label_issues(probabilities, given)
    return [
        _entry(prediction, table, rows[each], given[each], other)
        for each, other in zip(issues.tolist(), likely.tolist(), strict=True)
    ]


def find_label_issues(
    probabilities: NDArray[np.float32], given: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """The rows whose label looks wrong, and for each the class that it should rather have.

    The widest difference between the two probabilities comes first. A label that is the model's
    own answer, or that it leaves a tenth, does not look wrong.

    Args:
        probabilities: `(n, k)`, by a model that was not fitted on these faces.
        given: `(n,)`, the class each is labelled with.
    """
    each = np.arange(len(given))
    own = probabilities[each, given]
    counts = np.bincount(given, minlength=probabilities.shape[1])
    means = np.bincount(given, own, probabilities.shape[1]) / np.maximum(counts, 1)
    thresholds = np.where(counts >= _MIN_CLASS_FACES, means, np.inf)
    passing = np.where(probabilities >= thresholds, probabilities, -1.0)
    likely = passing.argmax(axis=1)
    is_issue = (passing.max(axis=1) >= 0) & (likely != given)
    is_issue &= (own < _MAX_LABEL_PROBABILITY) & (probabilities.argmax(axis=1) != given)
    margins = probabilities[each, likely] - own
    order = np.argsort(-margins, kind="stable")
    issues = order[is_issue[order]]
    return issues, likely[issues]


def _labelled(
    prediction: Prediction, truth: Column
) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.int64]]:
    """The rows with a label, their probabilities, and the numbers of their classes."""
    rows = np.flatnonzero(has_label(truth))
    return rows, prediction.probabilities[rows], class_numbers(prediction, truth[rows])


def _entry(
    prediction: Prediction, table: FeatureTable, row: int, given: int, likely: int
) -> Figures:
    classes: Sequence[str] = prediction.classes
    return {
        "file": table.files[row],
        "face": int(table.faces[row]),
        "label": classes[given],
        "label_probability": round(float(prediction.probabilities[row, given]), 4),
        "perceived": classes[likely],
        "confidence": round(float(prediction.probabilities[row, likely]), 4),
    }
