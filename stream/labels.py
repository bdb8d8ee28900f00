"""Evidence of several views → what a person is shown to be perceived as, or "unsure"."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.classifier import Prediction


@dataclass(frozen=True, slots=True)
class Label:
    """What one attribute of a person is perceived as.

    Attributes:
        text: the class, or None where the model is unsure.
        confidence: the probability of the likeliest class, 0 to 1.
        probabilities: of every class.
    """

    text: str | None
    confidence: float
    probabilities: Mapping[str, float]


class Evidence:
    """What has been seen of one attribute of one person: a weighted mean of probabilities."""

    def __init__(self) -> None:
        self._classes: tuple[str, ...] = ()
        self._sum: NDArray[np.float64] = np.zeros(0)
        self._weight = 0.0

    def add(self, prediction: Prediction, row: int, weight: float) -> None:
        """One more view: a row of a prediction, and how good the view is, above 0."""
        if not self._classes:
            self._classes = prediction.classes
            self._sum = np.zeros(len(self._classes))
        self._sum += weight * prediction.probabilities[row]
        self._weight += weight

    def label(self, min_confidence: float) -> Label:
        """The likeliest class, unless it is less likely than `min_confidence`."""
        mean = self._sum / self._weight
        best = int(mean.argmax())
        confidence = float(mean[best])
        return Label(
            text=self._classes[best] if confidence >= min_confidence else None,
            confidence=confidence,
            probabilities=dict(zip(self._classes, mean.tolist(), strict=True)),
        )
