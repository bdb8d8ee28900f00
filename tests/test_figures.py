"""Figures: against scikit-learn where it has the same, and where faces are few or absent."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, binomtest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    precision_recall_fscore_support,
    roc_auc_score,
    top_k_accuracy_score,
)

from models.classification.classifier import Prediction
from training.evaluation.figures import (
    attribute_figures,
    by_group,
    calibration,
    coverage,
    expected_calibration_error,
)
from training.evaluation.intervals import difference, share, share_of
from training.features.table import Column

CLASSES = ("a", "b", "c")


def _column(*values: str | None) -> Column:
    return np.array(values, dtype=object)


def _prediction(count: int, seed: int = 0) -> tuple[Prediction, Column]:
    """Probabilities, and a truth that follows them: what is well calibrated."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet([1, 1, 1], size=count).astype(np.float32)
    truth = (probabilities.cumsum(axis=1) < random.random((count, 1))).sum(axis=1).clip(0, 2)
    return Prediction("kind", CLASSES, probabilities), np.array(CLASSES, dtype=object)[truth]


def test_figures_are_those_of_scikit_learn() -> None:
    prediction, truth = _prediction(500)
    figures = attribute_figures(prediction, truth, {})
    numbers = np.array([CLASSES.index(each) for each in truth])
    chosen = prediction.probabilities.argmax(axis=1)
    assert figures["accuracy"]["value"] == pytest.approx(accuracy_score(numbers, chosen))
    expected = balanced_accuracy_score(numbers, chosen)
    assert figures["balanced_accuracy"] == pytest.approx(expected)
    expected = roc_auc_score(numbers, prediction.probabilities, multi_class="ovr")
    assert figures["roc_auc"] == pytest.approx(expected)
    assert np.sum(figures["confusion"]) == 500
    assert figures["recall"]["b"]["rows"] == (truth == "b").sum()
    assert figures["precision"]["b"]["rows"] == (chosen == 1).sum()
    precision, recall, f1, _ = precision_recall_fscore_support(numbers, chosen)
    for key, values in (("precision", precision), ("recall", recall), ("f1", f1)):
        found = [figures[key][name]["value"] for name in CLASSES]
        assert found == pytest.approx(values.tolist())
    assert figures["macro_f1"] == pytest.approx(f1.mean())
    top_2 = top_k_accuracy_score(numbers, prediction.probabilities, k=2)
    assert figures["top_2"]["value"] == pytest.approx(top_2)


def test_a_class_that_does_not_occur_has_no_recall() -> None:
    prediction, truth = _prediction(200)
    there = truth != "c"
    shown = Prediction("kind", CLASSES, prediction.probabilities[there])
    figures = attribute_figures(shown, truth[there], {})
    chosen = shown.probabilities.argmax(axis=1)
    recalls = [(chosen[truth[there] == each] == CLASSES.index(each)).mean() for each in "ab"]
    assert figures["balanced_accuracy"] == pytest.approx(np.mean(recalls))
    nothing = {"rows": 0, "small": True, "value": None, "low": None, "high": None}
    assert figures["recall"]["c"] == nothing
    areas = [
        roc_auc_score(truth[there] == each, shown.probabilities[:, CLASSES.index(each)])
        for each in "ab"
    ]
    assert figures["roc_auc"] == pytest.approx(np.mean(areas))
    lone = truth == "a"
    one_class = Prediction("kind", CLASSES, prediction.probabilities[lone])
    assert attribute_figures(one_class, truth[lone], {})["roc_auc"] is None


def test_groups_their_sizes_and_the_gap_between_them() -> None:
    probabilities = np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (220, 1))
    truth = _column(*["a"] * 100, *["a"] * 50, *["b"] * 50, *["b"] * 10, *["a"] * 10)
    group = _column(*["x"] * 100, *["y"] * 100, *["z"] * 10, *[None] * 10)
    prediction = Prediction("kind", ("a", "b"), probabilities)
    figures = attribute_figures(prediction, truth, {"place": group})
    (grouping,) = figures["by_group"]
    values = {name: each["value"] for name, each in grouping["groups"].items()}
    assert values == {"x": 1.0, "y": 0.5, "z": 0.0}
    assert [each["rows"] for each in grouping["groups"].values()] == [100, 100, 10]
    assert [each["small"] for each in grouping["groups"].values()] == [False, False, True]
    gap = grouping["gap"]
    assert (gap["value"], gap["best"], gap["worst"]) == (0.5, "x", "y")
    assert gap["low"] < 0.45 and gap["high"] > 0.55
    assert figures["largest_gap"] == {"by": "place", **gap}


@pytest.mark.parametrize("count", [15, 300])
@pytest.mark.parametrize("true", [0.8, 0.95])
def test_an_interval_covers_the_truth_about_as_often_as_it_says(count: int, true: float) -> None:
    parts = np.arange(count + 1)
    covered = [share(int(p), count)["low"] <= true <= share(int(p), count)["high"] for p in parts]
    assert 0.92 < binom.pmf(parts, count, true)[covered].sum() < 0.985


@pytest.mark.parametrize("part", [0, 1, 7, 13])
def test_an_interval_is_that_of_scipy(part: int) -> None:
    """Thirteen of thirteen is not certainty."""
    expected = binomtest(part, 13).proportion_ci(0.95, "wilson")
    found = share(part, 13)
    assert found["value"] == part / 13
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))
    assert found["high"] - found["low"] > 0.2
    assert (found["low"] == 0) == (part == 0) and (found["high"] == 1) == (part == 13)


def test_the_interval_of_a_difference_is_newcombe_s() -> None:
    """Table II of his paper, method 10, for 56/70 less 48/80 and 10/10 less 0/10."""
    found = difference(share(56, 70), share(48, 80))
    assert (found["low"], found["high"]) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    found = difference(share(10, 10), share(0, 10))
    assert (found["low"], found["high"]) == pytest.approx((0.6075, 1.0), abs=1e-4)


def test_honest_confidence_has_no_calibration_error() -> None:
    prediction, truth = _prediction(20_000)
    correct = prediction.probabilities.argmax(axis=1) == [CLASSES.index(each) for each in truth]
    confidence = prediction.probabilities.max(axis=1)
    assert expected_calibration_error(confidence, correct) < 0.02
    boastful: NDArray[np.float32] = np.full(20_000, 0.999, dtype=np.float32)
    expected = 0.999 - correct.mean()
    assert expected_calibration_error(boastful, correct) == pytest.approx(expected, abs=1e-4)


def test_coverage_falls_as_accuracy_rises() -> None:
    prediction, truth = _prediction(5000)
    correct = prediction.probabilities.argmax(axis=1) == [CLASSES.index(each) for each in truth]
    steps = coverage(prediction.probabilities.max(axis=1), correct)
    assert steps[0]["coverage"] == 1
    shares = [each["coverage"] for each in steps]
    assert shares == sorted(shares, reverse=True)
    assert steps[16]["min_confidence"] == 0.8
    assert steps[16]["accuracy"] > steps[0]["accuracy"] + 0.1


@pytest.mark.parametrize(("count", "small"), [(49, True), (50, False)])
def test_exactly_fifty_faces_are_not_few(count: int, small: bool) -> None:
    correct = np.ones(100 + count, dtype=np.bool_)
    correct[100:] = False
    place = _column(*["x"] * 100, *["y"] * count)
    (grouping,) = by_group(correct, {"place": place})
    assert {name: each["small"] for name, each in grouping["groups"].items()} == {
        "x": False,
        "y": small,
    }
    gap = grouping["gap"]
    assert (gap is None) if small else (gap["value"], gap["best"], gap["worst"]) == (1, "x", "y")
    probabilities = np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (100 + count, 1))
    prediction = Prediction("kind", ("a", "b"), probabilities)
    truth = _column(*["a"] * 100, *["b"] * count)
    recall = attribute_figures(prediction, truth, {})["recall"]
    assert {name: each["small"] for name, each in recall.items()} == {"a": False, "b": small}


def test_groups_stand_in_the_order_of_their_numbers() -> None:
    ages = _column(*["more than 70", "10-19", "3-9"] * 10)
    (grouping,) = by_group(np.ones(30, dtype=np.bool_), {"age": ages})
    assert list(grouping["groups"]) == ["3-9", "10-19", "more than 70"]


def test_the_widest_of_several_gaps_is_the_largest() -> None:
    probabilities = np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (200, 1))
    prediction = Prediction("kind", ("a", "b"), probabilities)
    truth = _column(*["a"] * 100, *["b"] * 100)
    groups = {
        "place": _column(*["x", "y"] * 100),
        "side": _column(*["l"] * 100, *["r"] * 100),
        "unknown": _column(*[None] * 200),
        "one": _column(*["all"] * 200),
    }
    figures = attribute_figures(prediction, truth, groups)
    gaps = {each["by"]: each["gap"] for each in figures["by_group"]}
    assert gaps["one"] is None and "unknown" not in gaps
    assert (gaps["place"]["value"], gaps["place"]["best"]) == (0.0, "x")
    side = gaps["side"]
    assert (side["value"], side["best"], side["worst"]) == (1.0, "l", "r")
    assert figures["largest_gap"] == {"by": "side", **side}
    assert attribute_figures(prediction, truth, {})["largest_gap"] is None


def test_an_interval_is_about_as_wide_as_the_binomial_s() -> None:
    interval = share_of(np.arange(400) % 5 != 0)
    deviation = (0.8 * 0.2 / 400) ** 0.5
    assert interval["value"] == 0.8
    assert interval["low"] == pytest.approx(0.8 - 1.96 * deviation, abs=0.006)
    assert interval["high"] == pytest.approx(0.8 + 1.96 * deviation, abs=0.006)


def test_two_classes_have_the_area_of_the_second() -> None:
    found = np.array([0.9, 0.8, 0.3, 0.6, 0.1], dtype=np.float32)
    prediction = Prediction("kind", ("a", "b"), np.stack([found, 1 - found], axis=1))
    truth = _column("a", "a", "a", "b", "b")
    # Of the six pairs of an a and a b, five are in the right order.
    assert attribute_figures(prediction, truth, {})["roc_auc"] == pytest.approx(5 / 6)


def test_a_confusion_has_a_row_for_each_true_class() -> None:
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]], dtype=np.float32)
    prediction = Prediction("kind", ("a", "b"), probabilities)
    figures = attribute_figures(prediction, _column("a", "b", "b"), {})
    assert figures["confusion"] == [[1, 0], [1, 1]]
    assert figures["recall"]["b"]["value"] == 0.5
    assert figures["top_2"] is None, "of two classes there are no others"


def test_bins_of_confidence_hold_about_as_many_faces_each() -> None:
    confidence = np.linspace(0.9, 0.999, 100, dtype=np.float32)
    correct = np.arange(100) % 2 == 0
    bins = calibration(confidence, correct)["bins"]
    assert len(bins) == 10
    assert {each["accuracy"] for each in bins} == {0.5}
    means = confidence.reshape(10, 10).mean(axis=1)
    assert [each["confidence"] for each in bins] == pytest.approx(means.tolist())


def test_certainty_is_in_the_last_bin() -> None:
    """0.05 too little for one and 1 too much for the other, together 0.95 of two."""
    confidence = np.array([0.95, 1.0], dtype=np.float32)
    found = expected_calibration_error(confidence, np.array([True, False]))
    assert found == pytest.approx(0.95 / 2)


def test_a_confidence_that_is_just_enough_gets_a_label() -> None:
    confidence = np.array([0.25, 0.5, 0.75], dtype=np.float32)
    steps = {
        each["min_confidence"]: (each["coverage"], each["accuracy"], each["rows"])
        for each in coverage(confidence, np.array([False, False, True]))
    }
    assert steps[0.5] == (pytest.approx(2 / 3), 0.5, 2)
    assert steps[0.75] == (pytest.approx(1 / 3), 1.0, 1)
    assert steps[0.8] == (0.0, None, 0)


def test_the_accuracy_of_few_labels_shown_is_not_certain() -> None:
    confidence = np.array([0.25, 0.9, 0.9], dtype=np.float32)
    (step,) = (
        each
        for each in coverage(confidence, np.array([False, True, True]))
        if each["min_confidence"] == 0.8
    )
    assert (step["accuracy"], step["high"]) == (1.0, 1.0)
    assert step["low"] == share(2, 2)["low"] < 0.4
