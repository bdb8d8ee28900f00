"""What is remembered of a person while they are followed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.classifier import Prediction
from stream.frames import TIME_TOLERANCE_S
from stream.labelling.label_rule import LabelRule
from stream.settings.schema import LabelSettings
from stream.tracks import Label

_EARLY_VIEWS, _EARLY_EVERY_S, _LATE_EVERY_S = 5, 0.2, 2.0  # between two views of one person


class AttributeEvidence:
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


@dataclass(slots=True, eq=False)
class TrackEvidence:
    """Sums of probabilities, never an embedding.

    Attributes:
        evidence: by attribute.
        views: how often the face was looked at.
        next_view_s: when it is time to look again.
        quality: how good the best view was, 0 to 1.
    """

    evidence: dict[str, AttributeEvidence] = field(default_factory=dict)
    views: int = 0
    next_view_s: float = float("-inf")
    quality: float = 0.0

    def learn(
        self,
        predictions: Sequence[Prediction],
        row: int,
        weight: float,
        now_s: float,
        settings: LabelSettings,
    ) -> None:
        """Takes in one more view.

        Args:
            predictions: of several faces.
            row: the one it is about.
            weight: how good the view is, above 0 and at most 1.
            now_s: when it was.
            settings: say how evidence becomes a label.
        """
        self.quality = max(self.quality, weight)
        self.views += 1
        every_s = _EARLY_EVERY_S if self.views < _EARLY_VIEWS else _LATE_EVERY_S
        self.next_view_s = now_s + every_s - TIME_TOLERANCE_S
        for prediction in predictions:
            evidence = self.evidence.get(prediction.attribute)
            if evidence is None:
                evidence = AttributeEvidence(LabelRule.of(settings, prediction.attribute))
                self.evidence[prediction.attribute] = evidence
            evidence.add(prediction, row, weight)
