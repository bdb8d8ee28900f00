"""The figures of a report: accuracy, calibration and gaps between groups, with intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
from fairlearn.metrics import MetricFrame, count
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, roc_auc_score

from models.classification.classifier import Prediction
from training.datasets.samples import natural_key
from training.evaluation.intervals import Figures, difference, maybe_share, share, share_of
from training.features.table import Column, has_label

FACE_WIDTH = "face_width"
"""Key of a report's accuracies by width of the face."""

CORRUPTION = "harm"
"""Key of a report's accuracies by corruption, and of its name in each of them."""

SMALL_GROUP = 50
"""Faces under which a group is marked as small: its figures are uncertain."""

_BINS = 10
"""Bins of the calibration figures."""

COVERAGE_STEPS = np.arange(0.0, 1.0, 0.05)
"""Values of `min_confidence` for which the coverage is computed."""


def attribute_figures(
    prediction: Prediction, truth: Column, groups: Mapping[str, Column]
) -> Figures:
    """All figures of one attribute.

    Args:
        prediction: of n faces.
        truth: `(n,)` class names, all of them classes of the prediction.
        groups: attribute → the true class of each face, None where unknown.
    """
    expected = class_numbers(prediction, truth)
    probabilities = prediction.probabilities
    chosen = probabilities.argmax(axis=1)
    correct = chosen == expected
    matrix = confusion_matrix(expected, chosen, labels=np.arange(len(prediction.classes)))
    present = np.flatnonzero(matrix.sum(axis=1))
    groupings = by_group(correct, groups)
    by_class = _by_class(prediction.classes, matrix)
    return {
        "classes": list(prediction.classes),
        "rows": len(expected),
        "accuracy": share_of(correct),
        "balanced_accuracy": _mean_over(present, prediction.classes, by_class["recall"]),
        "macro_f1": _mean_over(present, prediction.classes, by_class["f1"]),
        "top_2": _top_2(expected, probabilities),
        "roc_auc": _roc_auc(expected, probabilities, present),
        **by_class,
        "confusion": matrix.tolist(),
        "by_group": groupings,
        "largest_gap": _largest_gap(groupings),
        "calibration": calibration(probabilities.max(axis=1), correct),
        "coverage": coverage(probabilities.max(axis=1), correct),
    }


def class_numbers(prediction: Prediction, truth: Column) -> NDArray[np.int64]:
    """The class of each face as its number among the classes of a prediction."""
    numbers = {name: number for number, name in enumerate(prediction.classes)}
    return np.array([numbers[name] for name in truth], dtype=np.int64)


def _by_class(classes: Sequence[str], matrix: NDArray[np.int64]) -> dict[str, dict[str, Figures]]:
    """By class recall, precision and F1 with the number of faces; no value where there are none.

    The faces of a recall are those labelled so, of a precision those perceived so, and of an F1
    those that are either.
    """
    right = matrix.diagonal().tolist()
    labelled, perceived = matrix.sum(axis=1).tolist(), matrix.sum(axis=0).tolist()
    figures: dict[str, dict[str, Figures]] = {"recall": {}, "precision": {}, "f1": {}}
    for name, part, given, found in zip(classes, right, labelled, perceived, strict=True):
        figures["recall"][name] = _counted(given) | maybe_share(part, given)
        figures["precision"][name] = _counted(found) | maybe_share(part, found)
        value = 2 * part / (given + found) if given + found else None
        figures["f1"][name] = _counted(given + found - part) | {"value": value}
    return figures


def _counted(rows: int) -> Figures:
    return {"rows": rows, "small": rows < SMALL_GROUP}


def _mean_over(
    present: NDArray[np.intp], classes: Sequence[str], figures: Mapping[str, Figures]
) -> float:
    """The mean over the classes that faces are labelled with."""
    return float(np.mean([figures[classes[number]]["value"] for number in present]))


def _top_2(expected: NDArray[np.int64], probabilities: NDArray[np.float32]) -> Figures | None:
    """How often the label is one of the two likeliest classes; None where there are no others."""
    if probabilities.shape[1] < 3:
        return None
    own = probabilities[np.arange(len(expected)), expected]
    return share_of((probabilities > own[:, None]).sum(axis=1) < 2)


def by_group(correct: NDArray[np.bool_], groups: Mapping[str, Column]) -> list[Figures]:
    """The accuracy within each group of each grouping, of faces whose group is known.

    The gap of a grouping is between its best and its worst group, small ones aside.
    """
    found = []
    for name, column in groups.items():
        known = has_label(column)
        if known.any():
            found.append(_grouping(name, correct[known], column[known]))
    return found


def _grouping(name: str, correct: NDArray[np.bool_], column: Column) -> Figures:
    frame = MetricFrame(
        metrics={"right": lambda truth, answers: int((truth == answers).sum()), "rows": count},
        y_true=np.ones(len(correct), dtype=np.int64),
        y_pred=correct.astype(np.int64),
        sensitive_features={name: column.astype(str)},
    ).by_group.astype(int)
    groups = {
        group: _counted(int(frame["rows"][group]))
        | share(int(frame["right"][group]), int(frame["rows"][group]))
        for group in sorted(frame.index, key=natural_key)
    }
    return {"by": name, "groups": groups, "gap": _gap(groups)}


def _gap(groups: Mapping[str, Figures]) -> Figures | None:
    """The difference of the best and the worst group; None where fewer than two are large."""
    large = {name: each for name, each in groups.items() if not each["small"]}
    if len(large) < 2:
        return None
    best = max(large, key=lambda name: large[name]["value"])
    worst = min(large, key=lambda name: large[name]["value"])
    return {**difference(large[best], large[worst]), "best": best, "worst": worst}


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
    return [coverage_step(float(step), confidence >= step, correct) for step in COVERAGE_STEPS]


def coverage_step(
    min_confidence: float, labelled: NDArray[np.bool_], correct: NDArray[np.bool_]
) -> Figures:
    """The share of the faces that get a label at one `min_confidence`, and their accuracy."""
    rows = int(labelled.sum())
    accuracy = maybe_share(int(correct[labelled].sum()), rows)
    return {
        "min_confidence": round(min_confidence, 2),
        "coverage": float(labelled.mean()),
        "accuracy": accuracy["value"],
        "rows": rows,
        "low": accuracy["low"],
        "high": accuracy["high"],
    }


def _roc_auc(
    expected: NDArray[np.int64], probabilities: NDArray[np.float32], present: NDArray[np.intp]
) -> float | None:
    """One class against the rest, the mean over the classes that occur; None if only one does."""
    if len(present) < 2:
        return None
    if probabilities.shape[1] == 2:
        return float(roc_auc_score(expected, probabilities[:, 1]))
    return float(
        np.mean([roc_auc_score(expected == number, probabilities[:, number]) for number in present])
    )
