"""Evidence of several views → what a person is shown to be perceived as, or "unsure"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.classifier import Prediction

_MARGIN = 0.1  # by which another class must be likelier before it takes a shown one's place
_SLACK = 0.05  # by which a shown class may fall short of the threshold before it goes


@dataclass(frozen=True, slots=True)
class Label:
    """What one attribute of a person is perceived as.

    Attributes:
        text: the class, or None where the model is unsure.
        confidence: the probability of that class, where unsure of the likeliest; 0 to 1.
        probabilities: of every class.
    """

    text: str | None
    confidence: float
    probabilities: Mapping[str, float]


class Evidence:
    """What has been seen of one attribute of one person: a weighted mean of probabilities.

    Args:
        min_confidence: under it a label says unsure.
    """

    def __init__(self, min_confidence: float) -> None:
        self._min_confidence = min_confidence
        self._sum: NDArray[np.float64] = np.zeros(0)
        self._weight = 0.0
        self.label = Label(None, 0.0, {})

    def __repr__(self) -> str:
        return f"Evidence({self.label.text}, {self.label.confidence:.2f})"

    def add(self, prediction: Prediction, row: int, weight: float) -> None:
        """One more view: a row of a prediction, and how good the view is, above 0.

        A label once shown changes only for good reason: another class must be likelier by a
        margin, or it must itself fall clearly under the threshold.
        """
        if not self._weight:
            self._sum = np.zeros(len(prediction.classes))
        self._sum += weight * prediction.probabilities[row]
        self._weight += weight
        mean = self._sum / self._weight
        shown = self.label.text
        if shown is not None:
            probability = mean[prediction.classes.index(shown)]
            holds = probability >= self._min_confidence - _SLACK
            if holds and mean.max() - probability <= _MARGIN:
                self.label = label_of(prediction.classes, mean, shown)
                return
        best = prediction.classes[int(mean.argmax())]
        text = best if mean.max() >= self._min_confidence else None
        self.label = label_of(prediction.classes, mean, text)


def label_of(
    classes: Sequence[str], probabilities: NDArray[np.floating], text: str | None
) -> Label:
    """A label that shows `text`; None is unsure."""
    by_class = dict(zip(classes, probabilities.tolist(), strict=True))
    confidence = max(by_class.values()) if text is None else by_class[text]
    return Label(text, confidence, by_class)
