"""How accumulated probabilities become a label, or "unsure", with hysteresis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from models.classifier import Prediction, grouped
from stream.settings.schema import LabelSettings
from stream.tracks import Label

_SWITCH_MARGIN = 0.15
"""Probability by which another class must lead before it replaces the shown one; higher changes
labels less often and corrects them later. Tuned on scenes of rows 2,501 to 5,000 of FairFace."""

_KEEP_SLACK = 0.1
"""Probability by which a shown class may fall short of the threshold before it is dropped; higher
flickers less. Tuned on scenes of rows 2,501 to 5,000 of FairFace."""

_RISE = 0.1
"""Probability by which a class must exceed the threshold where the label was unsure before; higher
flickers less. Tuned on scenes of rows 2,501 to 5,000 of FairFace."""


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
        """The label to show of one face.

        1. The class shown before stays while it is nearly likely enough and no other leads.
        2. Else the likeliest class is shown if it is likely enough.
        3. Else the label is unsure.

        Args:
            prediction: of that face alone.
            before: the label shown of it last; None for none yet.
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
        confidence = chances[likeliest if text is None else text]
        is_held = text is not None and confidence < self.min_confidence
        return Label(text, confidence, dict(single), is_held)

    def _holds(self, shown: str, chances: Mapping[str, float]) -> bool:
        enough = chances[shown] >= self.min_confidence - _KEEP_SLACK
        return enough and max(chances.values()) - chances[shown] <= _SWITCH_MARGIN

    def _needed(self, was_unsure: bool) -> float:
        rise = min(_RISE, (1 - self.min_confidence) / 2) if was_unsure else 0.0
        return self.min_confidence + rise
