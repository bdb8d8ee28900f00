"""The head of an attribute: a fitted classifier and its calibration by temperature scaling."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import softmax

from training.features.table import FeatureTable

MIN_PROBABILITY = 1e-6
"""Least probability before the logarithm is taken."""

KNN_MIN_PROBABILITY = 0.01
"""Least probability of a k-NN, which gives 0 to a class that none of its neighbours has."""

_INVERSE_TEMPERATURE_BOUNDS = (0.2, 5.0)
"""Least and greatest inverse temperature: a handful of rows must not make a head certain."""


_MIN_CALIBRATION_ROWS = 50
"""Labelled development rows that a calibration needs; with fewer a head stays uncalibrated."""


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Gives softmax(log p / T), with p the classifier's probabilities of the classes.

    The temperature T (Guo et al., On Calibration of Modern Neural Networks, ICML 2017) makes the
    confidence of the head its accuracy, and never changes which class is the likeliest.

    Attributes:
        attribute: its name.
        classes: the k classes.
        pipeline: fitted, with `predict_proba`.
        flags: columns of `predict_proba` with the flags of the attribute; none where the columns
            are the classes themselves. One flag gives the probability of the second class; of
            several, each stands for a class, and the strongest wins.
        inverse_temperature: 1 / T; 1 leaves the classifier's probabilities as they are.
        min_probability: the least probability.
    """

    attribute: str
    classes: tuple[str, ...]
    pipeline: Any
    flags: tuple[int, ...] = ()
    inverse_temperature: float = 1.0
    min_probability: float = MIN_PROBABILITY

    def probabilities(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """`(n, k)`, by scikit-learn."""
        return temperature_scaled(
            self.uncalibrated(embeddings), self.inverse_temperature, self.min_probability
        )

    def uncalibrated(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """`(n, k)`, before calibration; rows of flags need not sum to 1."""
        found = self.pipeline.predict_proba(embeddings)
        if not self.flags:
            return found
        chosen = found[:, list(self.flags)]
        return np.hstack([1 - chosen, chosen]) if len(self.flags) == 1 else chosen


def temperature_scaled(
    probabilities: NDArray[np.float64],
    inverse_temperature: float,
    min_probability: float = MIN_PROBABILITY,
) -> NDArray[np.float64]:
    """softmax(inverse temperature · log p), `(n, k)`."""
    return softmax(inverse_temperature * np.log(np.maximum(probabilities, min_probability)), axis=1)


def fit_inverse_temperature(
    probabilities: NDArray[np.float64],
    targets: NDArray[np.int64],
    min_probability: float = MIN_PROBABILITY,
) -> float:
    """The inverse temperature with which the mean confidence of a head is its accuracy.

    The one with the least cross-entropy is another: it is dominated by the probabilities of
    unlikely classes, and where these are many the likeliest class stays overconfident.

    Args:
        probabilities: `(n, k)`, of held-out rows.
        targets: `(n,)`, their classes.
        min_probability: the least probability.
    """
    right = int((probabilities.argmax(axis=1) == targets).sum())
    share = (right + 1) / (len(targets) + 2)  # Laplace: a few correct rows do not make certain

    def excess(log_inverse_temperature: float) -> float:
        confidence = temperature_scaled(
            probabilities, float(np.exp(log_inverse_temperature)), min_probability
        ).max(axis=1)
        return float(confidence.mean()) - share

    low, high = np.log(_INVERSE_TEMPERATURE_BOUNDS)
    if excess(low) >= 0 or excess(high) <= 0:
        return float(np.exp(low if excess(low) >= 0 else high))
    return float(np.exp(brentq(excess, low, high)))


def with_temperature(head: Head, table: FeatureTable, rows: NDArray[np.intp]) -> Head:
    """The head with the temperature that suits these rows; as it is where too few are labelled."""
    column = table.column(head.attribute)
    labelled = rows[np.array([column[row] is not None for row in rows], dtype=np.bool_)]
    if len(labelled) < _MIN_CALIBRATION_ROWS:
        return head
    numbers = {name: number for number, name in enumerate(head.classes)}
    targets = np.array([numbers[name] for name in column[labelled]])
    return replace(
        head,
        inverse_temperature=fit_inverse_temperature(
            head.uncalibrated(table.embeddings[labelled]), targets, head.min_probability
        ),
    )
