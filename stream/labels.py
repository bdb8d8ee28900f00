"""Evidence of several views → what a person is shown to be perceived as, or "unsure"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.classifier import Prediction, grouped

# Of a label given before, so that it changes only for good reason. Chosen on scenes made of rows
# 2,501 to 5,000 of FairFace, on which `bench --tracks` does not report.
_MARGIN = 0.15  # by which another class must be likelier before it takes a shown one's place
_SLACK = 0.1  # by which a shown class may fall short of the threshold before it goes
_RISE = 0.1  # by which a class must pass the threshold where it was unsure before


@dataclass(frozen=True, slots=True)
class Label:
    """What one attribute of a person is perceived as.

    Attributes:
        text: the class or group of classes, or None where the model is unsure.
        confidence: the probability of that, where unsure of the likeliest; 0 to 1.
        probabilities: of every class, those of a group each on its own.
    """

    text: str | None
    confidence: float
    probabilities: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class LabelRule:
    """How the probabilities of one attribute become a label.

    Attributes:
        min_confidence: under it a label says unsure.
        groups: classes shown as one, their probabilities added.
    """

    min_confidence: float
    groups: Mapping[str, Sequence[str]]

    def label(self, prediction: Prediction, before: Label | None) -> Label:
        """What to show of one face.

        Args:
            prediction: of that face alone.
            before: what was shown of it last; None for nothing yet.
        """
        merged = grouped(prediction, self.groups)
        chances = dict(zip(merged.classes, merged.probabilities[0].tolist(), strict=True))
        likeliest = max(chances, key=chances.__getitem__)
        if before is not None and before.text is not None and self._holds(before.text, chances):
            text: str | None = before.text
        else:
            was_unsure = before is not None and before.text is None
            text = likeliest if chances[likeliest] >= self._needed(was_unsure) else None
        single = zip(prediction.classes, prediction.probabilities[0].tolist(), strict=True)
        return Label(text, chances[likeliest if text is None else text], dict(single))

    def _holds(self, shown: str, chances: Mapping[str, float]) -> bool:
        enough = chances[shown] >= self.min_confidence - _SLACK
        return enough and max(chances.values()) - chances[shown] <= _MARGIN

    def _needed(self, was_unsure: bool) -> float:
        rise = min(_RISE, (1 - self.min_confidence) / 2) if was_unsure else 0.0
        return self.min_confidence + rise


class Evidence:
    """What has been seen of one attribute of one person: a weighted mean of probabilities.

    Args:
        rule: how it becomes a label.
    """

    def __init__(self, rule: LabelRule) -> None:
        self._rule = rule
        self._sum: NDArray[np.float64] = np.zeros(0)
        self._weight = 0.0
        self._label: Label | None = None

    def __repr__(self) -> str:
        return f"Evidence({self.label.text}, {self.label.confidence:.2f})"

    @property
    def label(self) -> Label:
        """What to show; of nothing, nothing."""
        return self._label or Label(None, 0.0, {})

    def add(self, prediction: Prediction, row: int, weight: float) -> None:
        """Takes in one more view.

        Args:
            prediction: of several faces.
            row: the one it is about.
            weight: how good the view is, above 0.
        """
        if not self._weight:
            self._sum = np.zeros(len(prediction.classes))
        self._sum += weight * prediction.probabilities[row]
        self._weight += weight
        mean = (self._sum / self._weight).astype(np.float32)[None]
        so_far = Prediction(prediction.attribute, prediction.classes, mean)
        self._label = self._rule.label(so_far, self._label)
