"""Prevalence: how frequent each class is among faces, estimated from what a classifier says.

The share of the likeliest class is biased wherever the classifier errs more on one class than on
another. Here its probabilities are calibrated on faces with known labels, divided by how frequent
the classes were there, and the prevalence under which the faces are likeliest is found by
expectation maximisation (Saerens, Latinne and Decaestecker, Adjusting the outputs of a classifier
to new a priori probabilities, Neural Computation 2002). Adjusted counts (Forman, Quantifying counts
and costs via classification, 2008) invert the confusion of classes instead, as a check.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, nnls

PSEUDO_FACES = 1.0
"""Faces of each class that are added to those that were seen (Dirichlet smoothing); more keep small
classes from vanishing and pull all shares together. Tuned on a quarter of the held-out faces."""

_LEAST_PROBABILITY = 1e-6
"""Probability that a class has at least: logs round to four digits, and 0 has no logarithm."""

_MOST_STEPS = 200
"""Steps of expectation maximisation at most; a film of 200 faces takes some 50."""

_TOLERANCE = 1e-5
"""Change of the largest share with which expectation maximisation ends; less takes more steps."""

_FEWEST_FACES = 0.5
"""Faces that a class counts as at least in the prior, so that none is divided by."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Vector scaling: class probabilities whose logarithms are scaled and shifted by class.

    Attributes:
        slope: factor of the logarithms; under 1 makes less sure.
        offsets: `(k,)` float64, what is added by class; the first is 0.
        prior: `(k,)` float64, how frequent each class is where it was fitted; sums to 1.
    """

    slope: float
    offsets: NDArray[np.float64]
    prior: NDArray[np.float64]

    def apply(self, probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
        """Calibrated probabilities `(n, k)` of faces, those of each sum to 1."""
        scores = _logarithms(probabilities) * self.slope + self.offsets
        scores -= scores.max(axis=1, keepdims=True)
        powers = np.exp(scores)
        return powers / powers.sum(axis=1, keepdims=True)

    def likelihoods(self, probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
        """How likely each face is under each class, `(n, k)`, up to a factor by face."""
        return self.apply(probabilities) / self.prior


def fit_calibration(
    probabilities: NDArray[np.floating],
    truth: NDArray[np.intp],
    weights: NDArray[np.float64] | None = None,
) -> Calibration:
    """Fits vector scaling by maximum likelihood.

    Args:
        probabilities: `(n, k)`, of faces that the classifier was not fitted on.
        truth: `(n,)`, the class of each.
        weights: `(n,)`, how often each face counts; once unless given.
    """
    logarithms = _logarithms(probabilities)
    rows, classes = logarithms.shape
    weights = np.ones(rows) if weights is None else weights
    right = np.eye(classes)[truth]

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = logarithms * values[0] + np.append(0.0, values[1:])
        highest = scores.max(axis=1)
        powers = np.exp(scores - highest[:, None])
        total = powers.sum(axis=1)
        losses = np.log(total) + highest - scores[np.arange(rows), truth]
        gradient = (powers / total[:, None] - right) * weights[:, None]
        by_value = np.append((gradient * logarithms).sum(), gradient[:, 1:].sum(axis=0))
        return float((losses * weights).sum()) / rows, by_value / rows

    found = minimize(loss, np.append(1.0, np.zeros(classes - 1)), jac=True, method="L-BFGS-B").x
    counts = np.bincount(truth, weights, classes) + _FEWEST_FACES
    return Calibration(float(found[0]), np.append(0.0, found[1:]), counts / counts.sum())


def estimate_prevalence(
    likelihoods: NDArray[np.float64],
    weights: NDArray[np.float64],
    pseudo_faces: float = PSEUDO_FACES,
) -> NDArray[np.float64]:
    """The share of each class, `(r, k)`, by expectation maximisation.

    Args:
        likelihoods: `(n, k)`, of each face under each class.
        weights: `(r, n)`, how much each face counts, for each of r estimates.
        pseudo_faces: faces of each class that are added, in the unit of the weights.
    """
    classes = likelihoods.shape[1]
    total = weights.sum(axis=1, keepdims=True) + pseudo_faces * classes
    shares = np.full((len(weights), classes), 1 / classes)
    for _ in range(_MOST_STEPS):
        expected = shares * ((weights / (shares @ likelihoods.T)) @ likelihoods)
        before, shares = shares, (expected + pseudo_faces) / total
        if np.abs(shares - before).max(initial=0) < _TOLERANCE:
            break
    return shares


def adjusted_counts(
    counts: NDArray[np.floating], confusion: NDArray[np.floating]
) -> NDArray[np.float64]:
    """The shares `(k,)` that would give these counts by the confusion of classes; none is negative.

    Args:
        counts: `(k,)`, of faces by their likeliest class; their sum is above 0.
        confusion: `(k, k)`, of faces by their class, in rows, and their likeliest class.
    """
    smoothed = confusion + _FEWEST_FACES
    rates = smoothed / smoothed.sum(axis=1, keepdims=True)
    shares, _ = nnls(rates.T, counts / counts.sum())
    return shares / shares.sum()


def _logarithms(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.log(np.maximum(probabilities.astype(np.float64), _LEAST_PROBABILITY))
