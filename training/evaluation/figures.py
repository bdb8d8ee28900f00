"""The figures of a report: accuracy, calibration and gaps between groups, with intervals."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from fairlearn.metrics import MetricFrame, count
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    recall_score,
    roc_auc_score,
)

from models.classifier import Prediction
from training.datasets.samples import natural_key
from training.features.table import Column

Figures: TypeAlias = dict[str, Any]
"""Figures as they stand in `report.json`."""

FACE_WIDTH = "face_width"
"""Key of a report's accuracies by width of the face."""

CORRUPTION = "harm"
"""Key of a report's accuracies by corruption, and of its name in each of them."""

SMALL_GROUP = 50
"""Faces under which a group is marked as small: its figures are uncertain."""

RESAMPLES = 1_000
"""Resamples of a bootstrap; more make its interval steadier."""

CONFIDENCE_LEVEL = 0.95
"""Probability with which an interval holds the true value."""

_BINS = 10
"""Bins of the calibration figures."""

_COVERAGE_STEPS = np.arange(0.0, 1.0, 0.05)
"""Values of `min_confidence` for which the coverage is computed."""


def attribute_figures(
    prediction: Prediction, truth: Column, groups: Mapping[str, Column], seed: int
) -> Figures:
    """All figures of one attribute.

    Args:
        prediction: of n faces.
        truth: `(n,)` class names, all of them classes of the prediction.
        groups: attribute → the true class of each face, None where unknown.
        seed: of the bootstrap.
    """
    numbers = {name: number for number, name in enumerate(prediction.classes)}
    expected = np.array([numbers[name] for name in truth], dtype=np.int64)
    probabilities = prediction.probabilities
    chosen = probabilities.argmax(axis=1)
    correct = chosen == expected
    all_classes = np.arange(len(numbers))
    present = np.unique(expected)
    recalls = recall_score(expected, chosen, labels=all_classes, average=None, zero_division=0)
    counts = np.bincount(expected, minlength=len(numbers))
    groupings = by_group(correct, groups, seed)
    return {
        "classes": list(prediction.classes),
        "rows": len(expected),
        "accuracy": with_interval(correct, seed),
        "balanced_accuracy": float(recalls[present].mean()),
        "roc_auc": _roc_auc(expected, probabilities, present),
        "recall": {
            name: {
                "rows": int(counts[number]),
                "small": bool(counts[number] < SMALL_GROUP),
                "value": float(recalls[number]) if counts[number] else None,
            }
            for name, number in numbers.items()
        },
        "confusion": confusion_matrix(expected, chosen, labels=all_classes).tolist(),
        "by_group": groupings,
        "largest_gap": _largest_gap(groupings),
        "calibration": calibration(probabilities.max(axis=1), correct),
        "coverage": coverage(probabilities.max(axis=1), correct),
    }


def with_interval(correct: NDArray[np.bool_], seed: int) -> Figures:
    """An accuracy with its bootstrap interval.

    Drawing n of n rows with replacement and counting the correct ones is a binomial draw.
    """
    n, value = len(correct), float(correct.mean())
    shares = np.random.default_rng(seed).binomial(n, value, RESAMPLES) / n
    tail = (1 - CONFIDENCE_LEVEL) / 2
    low, high = np.quantile(shares, [tail, 1 - tail])
    return {"value": value, "low": float(low), "high": float(high)}


def by_group(correct: NDArray[np.bool_], groups: Mapping[str, Column], seed: int) -> list[Figures]:
    """The accuracy within each group of each grouping, of faces whose group is known.

    The gap of a grouping is between its best and its worst group, small ones aside.
    """
    found = []
    for name, column in groups.items():
        known = np.array([each is not None for each in column], dtype=np.bool_)
        if known.any():
            found.append(_grouping(name, correct[known], column[known], seed))
    return found


def _grouping(name: str, correct: NDArray[np.bool_], column: Column, seed: int) -> Figures:
    frame = MetricFrame(
        metrics={"accuracy": accuracy_score, "rows": count},
        y_true=np.ones(len(correct), dtype=np.int64),
        y_pred=correct.astype(np.int64),
        sensitive_features={name: column.astype(str)},
    )
    rows = frame.by_group["rows"]
    order = sorted(rows.index, key=natural_key)
    large = frame.by_group["accuracy"][rows >= SMALL_GROUP]
    return {
        "by": name,
        "groups": {
            group: {
                "rows": int(rows[group]),
                "small": bool(rows[group] < SMALL_GROUP),
                **with_interval(correct[column == group], seed),
            }
            for group in order
        },
        "gap": {
            "value": float(large.max() - large.min()),
            "best": str(large.idxmax()),
            "worst": str(large.idxmin()),
        }
        if len(large) > 1
        else None,
    }


def _largest_gap(groupings: Sequence[Figures]) -> Figures | None:
    """The widest of the gaps, with the grouping it is in."""
    gaps = [{"by": each["by"], **each["gap"]} for each in groupings if each["gap"]]
    return max(gaps, key=lambda gap: gap["value"], default=None)


def calibration(confidence: NDArray[np.float32], correct: NDArray[np.bool_]) -> Figures:
    """The expected calibration error, and the reliability diagram in bins.

    The bins hold about as many faces each.
    """
    shares, means = calibration_curve(
        correct.astype(np.int64), confidence, n_bins=_BINS, strategy="quantile", pos_label=1
    )
    return {
        "error": expected_calibration_error(confidence, correct),
        "bins": [
            {"confidence": float(mean), "accuracy": float(share)}
            for mean, share in zip(means, shares, strict=True)
        ],
    }


def expected_calibration_error(
    confidence: NDArray[np.float32], correct: NDArray[np.bool_]
) -> float:
    """Mean distance of confidence and accuracy over bins of equal width, weighted by faces."""
    edges = np.linspace(0, 1, _BINS + 1)
    bins = np.clip(np.digitize(confidence, edges) - 1, 0, _BINS - 1)
    distance = np.bincount(bins, correct - confidence, minlength=_BINS)
    return float(np.abs(distance).sum() / len(correct))


def coverage(confidence: NDArray[np.float32], correct: NDArray[np.bool_]) -> list[Figures]:
    """By `min_confidence`, the share of the faces that get a label, and the accuracy of these."""
    steps = []
    for step in _COVERAGE_STEPS:
        labelled = confidence >= step
        steps.append(
            {
                "min_confidence": round(float(step), 2),
                "coverage": float(labelled.mean()),
                "accuracy": float(correct[labelled].mean()) if labelled.any() else None,
            }
        )
    return steps


def _roc_auc(
    expected: NDArray[np.int64], probabilities: NDArray[np.float32], present: NDArray[np.int64]
) -> float | None:
    """One class against the rest, the mean over the classes that occur; None if only one does."""
    if len(present) < 2:
        return None
    if probabilities.shape[1] == 2:
        return float(roc_auc_score(expected, probabilities[:, 1]))
    return float(
        np.mean([roc_auc_score(expected == number, probabilities[:, number]) for number in present])
    )
