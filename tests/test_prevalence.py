"""Shares of classes: against closed forms, on synthetic faces whose classes are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.prevalence.correction import AttributeCorrection
from models.prevalence.correction_fit import (
    HeldOutFaces,
    count_populations,
    fit_correction,
    split_in_halves,
)
from models.prevalence.estimation import adjusted_counts, estimate_prevalence, fit_calibration
from models.prevalence.interval import corrected_prevalence
from models.prevalence.trial import MixTrial, Trial, is_gain, trial

_SLOPE = 1.5


def _faces(
    count: int, share: float, seed: int, bias: float = 1.5
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """What a biased classifier says of faces of two classes, of which the second has a share."""
    random = np.random.default_rng(seed)
    truth = (random.random(count) < share).astype(np.intp)
    score = random.normal(_SLOPE * (2 * truth - 1), 1.5) + bias
    second = 1 / (1 + np.exp(-score))
    return np.stack([1 - second, second], axis=1), truth


@pytest.fixture(scope="module")
def correction() -> AttributeCorrection:
    made = fit_correction(["a", "b"], [HeldOutFaces(60, *_faces(2000, 0.5, 1))], draws=18)
    assert made is not None
    return made


def test_faces_without_doubt_are_counted() -> None:
    likelihoods = np.repeat(np.eye(3), [6, 3, 1], axis=0)
    shares = estimate_prevalence(likelihoods, np.ones((1, 10)), pseudo_faces=0)
    assert shares[0] == pytest.approx([0.6, 0.3, 0.1])


def test_pseudo_faces_are_added_to_each_class() -> None:
    shares = estimate_prevalence(np.repeat(np.eye(2), [8, 0], axis=0), np.ones((1, 8)))
    assert shares[0] == pytest.approx([0.9, 0.1])


def test_weights_count_faces_more_than_once() -> None:
    likelihoods = np.array([[0.9, 0.1], [0.3, 0.7]])
    twice = estimate_prevalence(likelihoods[[0, 0, 1]], np.ones((1, 3)))
    assert estimate_prevalence(likelihoods, np.array([[2.0, 1.0]])) == pytest.approx(
        twice, abs=1e-4
    )


def test_adjusted_counts_invert_the_confusion() -> None:
    confusion = np.array([[8000, 2000], [1000, 9000]])
    counts = np.array([0.3, 0.7]) @ (confusion / 10_000)
    assert adjusted_counts(counts, confusion) == pytest.approx([0.3, 0.7], abs=1e-3)


def test_vector_scaling_finds_the_logistic_model_again() -> None:
    probabilities, truth = _faces(5_000, 0.5, 2)
    fitted = fit_calibration(probabilities, truth)
    score = np.log(probabilities[:, 1] / probabilities[:, 0])
    true_slope = 2 * _SLOPE / 1.5**2  # of two normal distributions
    expected = 1 / (1 + np.exp(-true_slope * (score - 1.5)))
    assert np.abs(fitted.apply(probabilities)[:, 1] - expected).max() < 0.05
    assert fitted.prior == pytest.approx(np.bincount(truth) / len(truth), abs=1e-4)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.7])
def test_a_biased_count_is_corrected(share: float, correction: AttributeCorrection) -> None:
    probabilities, truth = _faces(2000, share, 3)
    found = corrected_prevalence(correction, probabilities, np.full(2000, 80.0))
    raw = (probabilities[:, 1] > 0.5).mean()
    assert abs(found.shares[1] - truth.mean()) < 0.03 < abs(raw - truth.mean())
    assert found.lows[1] < truth.mean() < found.highs[1]
    assert abs(found.adjusted[1] - truth.mean()) < 0.04
    assert found.shares.sum() == pytest.approx(1)


def test_the_interval_is_of_the_effective_number_of_faces(correction: AttributeCorrection) -> None:
    probabilities, _ = _faces(400, 0.5, 4)
    widths = np.full(400, 80.0)
    equal = corrected_prevalence(correction, probabilities, widths)
    weights = np.where(np.arange(400) < 20, 1e6, 1.0)
    few = corrected_prevalence(correction, probabilities, widths, weights)
    assert (few.highs - few.lows > 2 * (equal.highs - equal.lows)).all()


def test_one_face_has_an_interval_that_says_so(correction: AttributeCorrection) -> None:
    found = corrected_prevalence(correction, np.array([[0.2, 0.8]]), np.array([50.0]))
    assert found.highs[1] - found.lows[1] > 0.5


def test_narrower_faces_have_a_correction_of_their_own() -> None:
    narrow = HeldOutFaces(40, *_faces(2000, 0.5, 5, bias=-2.0))
    wide = HeldOutFaces(60, *_faces(2000, 0.5, 6, bias=2.0))
    made = fit_correction(["a", "b"], [narrow, wide], draws=9)
    assert made is not None
    assert made.view_numbers(np.array([10.0, 40.0, 59.9, 60.0, 500.0])).tolist() == [0, 0, 0, 1, 1]
    one = np.array([[0.5, 0.5], [0.5, 0.5]])
    likelihoods = made.likelihoods(one, np.array([0, 1]))
    assert likelihoods[0].argmax() == 1 and likelihoods[1].argmax() == 0


def test_the_trial_is_of_a_half_that_fitted_nothing(correction: AttributeCorrection) -> None:
    first, second = split_in_halves(101)
    assert sorted([*first, *second]) == list(range(101))
    (view,) = correction.test["views"]
    assert view["faces"] == 1000 and view["draws"] == 18
    assert view["corrected_error"] < view["raw_error"]
    assert list(view["mixes"]) == [f"{share} %" for share in range(10, 100, 10)]


def test_a_correction_that_makes_it_worse_is_no_gain() -> None:
    fitted = fit_correction(["a", "b"], [HeldOutFaces(60, *_faces(2000, 0.5, 1, bias=-2.5))], 9)
    assert fitted is not None
    others, truth = _faces(2000, 0.5, 7, bias=0.0)  # the classifier that is tested has no bias
    result = trial(fitted, others, truth, 60, draws=9)
    assert isinstance(result, Trial)
    assert result.excess > 0.05 and not is_gain(result)


def _trial(raw: float, corrected: float, needed: NDArray[np.float64]) -> Trial:
    return Trial(60, 2500, 999, (MixTrial("even", raw, corrected, needed),))


@pytest.mark.parametrize(
    ("raw", "corrected", "missed", "gains"),
    [
        (0.04, 0.02, 5, True),
        (0.04, 0.02, 8, True),
        (0.04, 0.02, 9, False),  # intervals promise too much
        (0.04, 0.02, 1, False),  # they say too little
        (0.02, 0.04, 5, False),
        (0.02, 0.021, 5, False),
    ],
)
def test_a_gain_is_nearer_with_honest_intervals(
    raw: float, corrected: float, missed: int, gains: bool
) -> None:
    needed = np.where(np.arange(100) < missed, 1.5, 0.5)
    assert is_gain(_trial(raw, corrected, needed)) == gains


def test_intervals_are_widened_until_they_hold_what_they_promise() -> None:
    needed = np.linspace(0, 2, 101)
    result = _trial(0.04, 0.02, needed)
    assert result.coverage == pytest.approx(51 / 101)
    assert (needed <= result.widening).mean() >= 0.95 > (needed < result.widening).mean()
    assert _trial(0.04, 0.02, needed / 4).widening == 1  # never narrower
    assert _trial(0.04, 0.02, needed * 9).widening == 3


def test_a_widened_interval_is_about_the_same_share(correction: AttributeCorrection) -> None:
    probabilities, _ = _faces(400, 0.5, 8)
    widths = np.full(400, 80.0)
    once, twice = (
        corrected_prevalence(
            correction.model_copy(update={"widening": each}), probabilities, widths
        )
        for each in (1.0, 2.0)
    )
    assert (once.shares == twice.shares).all()
    assert twice.highs - twice.shares == pytest.approx(2 * (once.highs - once.shares))
    assert twice.shares - twice.lows == pytest.approx(2 * (once.shares - once.lows))


@pytest.mark.parametrize(("count", "share"), [(300, 0.5), (2000, 0.0)])
def test_too_few_faces_make_no_correction(count: int, share: float) -> None:
    views = [HeldOutFaces(60, *_faces(count, share, 1))]
    assert fit_correction(["a", "b"], views) is None
    assert count_populations(["a", "b"], views) == 0


def test_populations_are_counted_as_they_are_tested() -> None:
    """Two trials, one of them for the intervals, of nine mixes each."""
    tested: list[int] = []
    views = [HeldOutFaces(60, *_faces(400, 0.5, 1))]
    fit_correction(["a", "b"], views, 9, tested.append)
    assert sum(tested) == count_populations(["a", "b"], views, 9) == 18
