"""Corrected shares of classes with intervals, by a bootstrap over faces and over the confusion."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from models.prevalence.correction import AttributeCorrection
from models.prevalence.estimation import PSEUDO_FACES, adjusted_counts, estimate_prevalence

CONFIDENCE_LEVEL = 0.95
"""Probability with which an interval holds the true share; higher makes all intervals wider."""

REPLICATES = 200
"""Samples of faces that an interval is made of; more make its ends steadier and take longer."""

MOST_FACES = 5_000
"""Faces of a sample at most. Of more as many are drawn, which makes the interval wider than need
be; a sample of 5,000 is off by 0.014 at most."""

_FEW_FACES = 30.0
"""Effective number of faces under which an interval is no narrower than that of a plain count
(Wilson): a bootstrap of so few has little to draw from."""

_NO_PSEUDO_FACES = 1e-3
"""Smoothing of the second set of estimates, which lets the share of a class go to nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Prevalence:
    """Shares of the classes `(k,)`, which sum to 1, with their intervals.

    Attributes:
        shares: by expectation maximisation.
        lows, highs: the ends of the intervals.
        adjusted: by adjusted counts, as a check.
    """

    shares: NDArray[np.float64]
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]
    adjusted: NDArray[np.float64]


def corrected_prevalence(
    correction: AttributeCorrection,
    probabilities: NDArray[np.floating],
    widths_px: NDArray[np.floating],
    weights: NDArray[np.floating] | None = None,
    *,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> Prevalence:
    """The share of each class among faces, or of what they weigh, corrected for known error.

    An interval is for the population that the faces are a sample of, as that of a survey is. It
    holds the estimates with and without smoothing: smoothing keeps a class that few faces have
    from an end at 0, and pulls the share of a frequent one down.

    Args:
        correction: of the attribute.
        probabilities: `(n, k)` as the classifier gives them, n at least 1.
        widths_px: `(n,)`, of each face.
        weights: `(n,)`, how much each face counts, such as seconds, their sum above 0; equally
            unless given. They are scaled to the effective number of faces (Kish, 1965).
        seed: of what is drawn.
        replicates: samples that the intervals are made of.
    """
    given = np.ones(len(probabilities)) if weights is None else weights
    counts_as = given.astype(np.float64) * float(given.sum() / np.square(given).sum())
    effective = float(counts_as.sum())
    views = correction.view_numbers(widths_px)
    likelihoods = correction.likelihoods(probabilities, views)
    shares = estimate_prevalence(likelihoods, counts_as[None])[0]
    counts = np.bincount(probabilities.argmax(axis=1), counts_as, probabilities.shape[1])
    lows, highs = _interval(correction, probabilities, views, counts_as, seed, replicates)
    lows = shares - correction.widening * (shares - lows)
    highs = shares + correction.widening * (highs - shares)
    if effective < _FEW_FACES:
        centre, half = _wilson(shares, effective)
        lows, highs = np.minimum(lows, centre - half), np.maximum(highs, centre + half)
    return Prevalence(
        shares,
        np.minimum(lows, shares).clip(0, 1),
        np.maximum(highs, shares).clip(0, 1),
        adjusted_counts(counts.astype(np.float64), correction.confusion(views)),
    )


def _interval(
    correction: AttributeCorrection,
    probabilities: NDArray[np.floating],
    views: NDArray[np.intp],
    weights: NDArray[np.float64],
    seed: int,
    replicates: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper ends `(k,)`: each resampled calibration takes its part of the replicates."""
    random = np.random.default_rng(seed)
    count = len(weights)
    if count > MOST_FACES:
        chosen = np.sort(random.choice(count, MOST_FACES, replace=False))
        probabilities, views, weights = probabilities[chosen], views[chosen], weights[chosen]
    drawn = len(weights)
    smoothed, bare = [], []
    for resample in range(correction.resamples):
        times = -(-replicates // correction.resamples)
        sampled = random.multinomial(drawn, np.full(drawn, 1 / drawn), size=times) * weights
        sampled = sampled[sampled.sum(axis=1) > 0]
        likelihoods = correction.likelihoods(probabilities, views, resample)
        smoothed.append(estimate_prevalence(likelihoods, sampled, PSEUDO_FACES))
        bare.append(estimate_prevalence(likelihoods, sampled, _NO_PSEUDO_FACES))
    tails = [(1 - CONFIDENCE_LEVEL) / 2, (1 + CONFIDENCE_LEVEL) / 2]
    ends = [np.quantile(np.concatenate(each), tails, axis=0) for each in (smoothed, bare)]
    return np.minimum(ends[0][0], ends[1][0]), np.maximum(ends[0][1], ends[1][1])


def _wilson(
    shares: NDArray[np.float64], count: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Middle and half width of the interval of shares among so many (Wilson, JASA 1927)."""
    z = NormalDist().inv_cdf((1 + CONFIDENCE_LEVEL) / 2)
    centre = (shares * count + z**2 / 2) / (count + z**2)
    half = z / (count + z**2) * np.sqrt(count * shares * (1 - shares) + z**2 / 4)
    return centre, half
