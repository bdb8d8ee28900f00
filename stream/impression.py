"""What is remembered of a person while they are followed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from models.classifier import Prediction
from stream.config import LabelSettings
from stream.labels import Evidence

_EARLY_VIEWS, _EARLY_EVERY_S, _LATE_EVERY_S = 5, 0.2, 2.0  # between two views of one person
_TICK_S = 1e-3  # the times of frames are not exact


@dataclass(slots=True, eq=False)
class Impression:
    """Sums of probabilities, never an embedding.

    Attributes:
        evidence: by attribute.
        views: how often the face was looked at.
        next_view_s: when it is time to look again.
        quality: how good the best view was, 0 to 1.
    """

    evidence: dict[str, Evidence] = field(default_factory=dict)
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
        self.next_view_s = now_s + every_s - _TICK_S
        for prediction in predictions:
            evidence = self.evidence.get(prediction.attribute)
            if evidence is None:
                evidence = Evidence(settings.rule_of(prediction.attribute))
                self.evidence[prediction.attribute] = evidence
            evidence.add(prediction, row, weight)
