"""One attribute's head: a fitted classifier, what is read off it, and its calibration."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import softmax

FLOOR = 1e-6
"""Probabilities are at least that before their logarithm is taken."""

KNN_FLOOR = 0.01
"""That of a k-NN, which says 0 of every class that none of its few neighbours has."""

_SHARPNESS = (0.2, 5.0)  # bounds of beta: a handful of rows must not make anyone certain


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """softmax(beta · log p), with p what the classifier says of the attribute's classes.

    `beta` is an inverse temperature (Guo et al., On Calibration of Modern Neural Networks, 2017):
    it makes the head as sure as it is right, and never changes which class is the likeliest.

    Attributes:
        attribute: its name.
        classes: the k classes.
        pipeline: fitted, with `predict_proba`.
        flags: columns of `predict_proba` that hold the attribute's flags; none where its columns
            are the classes themselves. One flag is the probability of the second class; several
            are one a class, and the strongest wins.
        beta: 1 leaves the classifier's probabilities as they are.
        floor: the least probability.
    """

    attribute: str
    classes: tuple[str, ...]
    pipeline: Any
    flags: tuple[int, ...] = ()
    beta: float = 1.0
    floor: float = FLOOR

    def probabilities(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """`(n, k)`, by scikit-learn."""
        return sharpened(self.uncalibrated(embeddings), self.beta, self.floor)

    def uncalibrated(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """`(n, k)` of the classes, before calibration; rows of flags need not sum to 1."""
        found = self.pipeline.predict_proba(embeddings)
        if not self.flags:
            return found
        chosen = found[:, list(self.flags)]
        return np.hstack([1 - chosen, chosen]) if len(self.flags) == 1 else chosen


def sharpened(
    probabilities: NDArray[np.float64], beta: float, floor: float = FLOOR
) -> NDArray[np.float64]:
    """softmax(beta · log p), `(n, k)`."""
    return softmax(beta * np.log(np.maximum(probabilities, floor)), axis=1)


def best_beta(
    probabilities: NDArray[np.float64], targets: NDArray[np.int64], floor: float = FLOOR
) -> float:
    """The beta that makes a head as sure, in the mean, as it is right.

    The one with the least cross-entropy is not it: that is ruled by what is said of unlikely
    classes, and where these are many the likeliest stays too sure.

    Args:
        probabilities: `(n, k)`, of rows that nothing was fitted on.
        targets: `(n,)`, their classes.
        floor: the least probability.
    """
    right = int((probabilities.argmax(axis=1) == targets).sum())
    share = (right + 1) / (len(targets) + 2)  # all right of a handful does not make certain

    def excess(log_beta: float) -> float:
        confidence = sharpened(probabilities, float(np.exp(log_beta)), floor).max(axis=1)
        return float(confidence.mean()) - share

    low, high = np.log(_SHARPNESS)
    if excess(low) >= 0 or excess(high) <= 0:
        return float(np.exp(low if excess(low) >= 0 else high))
    return float(np.exp(brentq(excess, low, high)))
