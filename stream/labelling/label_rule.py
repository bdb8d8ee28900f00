"""Evidence of several views → what a person is shown to be perceived as, or "unsure"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from models.classifier import Prediction, grouped
from stream.settings.schema import LabelSettings
from stream.tracks import Label

# Of a label given before, so that it changes only for good reason. Chosen on scenes made of rows
# 2,501 to 5,000 of FairFace, on which `bench --tracks` does not report.
_MARGIN = 0.15  # by which another class must be likelier before it takes a shown one's place
_SLACK = 0.1  # by which a shown class may fall short of the threshold before it goes
_RISE = 0.1  # by which a class must pass the threshold where it was unsure before


@dataclass(frozen=True, slots=True)
class LabelRule:
    """How the probabilities of one attribute become a label.

    Attributes:
        min_confidence: under it a label says unsure.
        groups: classes shown as one, their probabilities added.
    """

    min_confidence: float
    groups: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, settings: LabelSettings, attribute: str) -> Self:
        """The rule that the settings give for an attribute."""
        return cls(settings.min_confidence_of(attribute), settings.groups_of(attribute))

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
