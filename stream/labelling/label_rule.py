"""How accumulated probabilities become a label, or "unsure", with hysteresis."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from models.classification.classifier import Prediction, grouped
from stream.settings.schema import LabelSettings
from stream.tracks import Label

_SWITCH_MARGIN = 0.15
"""Probability by which another class must lead before it replaces the shown one; higher changes
labels less often and corrects them later. Tuned on scenes of rows 2,501 to 5,000 of FairFace."""

_KEEP_SLACK = 0.1
"""Probability by which a shown class may fall short of the threshold before it is dropped; higher
flickers less. Tuned on scenes of rows 2,501 to 5,000 of FairFace."""

_RISE = 0.1
"""Probability by which a class must exceed the threshold where the label was unsure before, or a
coarser word; higher flickers less. Tuned on scenes of rows 2,501 to 5,000 of FairFace."""


NO_TREE: Mapping[str, Mapping[str, Sequence[str]]] = {}
"""No attribute has coarser words. Not a proxy, which cannot be pickled."""


@dataclass(frozen=True, slots=True)
class LabelRule:
    """How the probabilities of one attribute become a label.

    Attributes:
        min_confidence: under it a label says unsure.
        groups: classes shown as one, their probabilities added.
        coarser: words that stand for several classes, for where no class is sure.
    """

    min_confidence: float
    groups: Mapping[str, Sequence[str]]
    coarser: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        settings: LabelSettings,
        attribute: str,
        tree: Mapping[str, Mapping[str, Sequence[str]]] = NO_TREE,
    ) -> Self:
        """The rule that the settings give for an attribute.

        Args:
            settings: those of labels.
            attribute: its name.
            tree: the model's coarser words, by attribute; of one whose classes are merged by the
                user none is taken.
        """
        groups = settings.groups_of(attribute)
        coarser = tree.get(attribute, {}) if settings.coarser and not groups else {}
        return cls(settings.min_confidence_of(attribute), groups, coarser)

    def label(self, prediction: Prediction, before: Label | None) -> Label:
        """The label to show of one face.

        Args:
            prediction: of that face alone.
            before: the label shown of it last; None for none yet.
        """
        merged = grouped(prediction, self.groups)
        classes = dict(zip(merged.classes, merged.probabilities[0].tolist(), strict=True))
        single = dict(zip(prediction.classes, prediction.probabilities[0].tolist(), strict=True))
        coarse = {
            word: min(sum(single[name] for name in members), 1.0)
            for word, members in self.coarser.items()
        }
        text = self._word(classes, coarse, before)
        if text is None:
            return Label(None, max(classes.values()), single)
        confidence = classes.get(text, coarse.get(text, 0.0))
        members = self.groups.get(text) or self.coarser.get(text, ())
        finest = max(members, key=single.__getitem__, default=None)
        return Label(text, confidence, single, confidence < self.min_confidence, finest)

    def _word(
        self, classes: Mapping[str, float], coarse: Mapping[str, float], before: Label | None
    ) -> str | None:
        """The finest word that is sure, with hysteresis. The first case that fits decides:

        1. The class shown before stays while it is nearly likely enough and no other leads.
        2. The likeliest class is shown if it is likely enough; clearly, where a coarser word or
           unsure was shown before.
        3. The coarser word shown before stays while it is nearly likely enough and no other for as
           few classes leads.
        4. Of the coarser words that are likely enough the one for the fewest classes is shown.
        5. Else the label is unsure.
        """
        shown = None if before is None else before.text
        was_unsure = before is not None and shown is None
        if shown is not None and shown in classes and self._holds(classes[shown], classes.values()):
            return shown
        likeliest = max(classes, key=classes.__getitem__)
        if classes[likeliest] >= self._needed(was_unsure or shown in coarse):
            return likeliest
        if shown is not None and shown in coarse:
            width = len(self.coarser[shown])
            rivals = [coarse[word] for word in coarse if len(self.coarser[word]) <= width]
            if self._holds(coarse[shown], rivals):
                return shown
        sure = [word for word in coarse if coarse[word] >= self._needed(was_unsure)]
        return min(sure, key=lambda word: (len(self.coarser[word]), -coarse[word]), default=None)

    def _holds(self, chance: float, rivals: Iterable[float]) -> bool:
        enough = chance >= self.min_confidence - _KEEP_SLACK
        return enough and max(rivals) - chance <= _SWITCH_MARGIN

    def _needed(self, clearly: bool) -> float:
        rise = min(_RISE, (1 - self.min_confidence) / 2) if clearly else 0.0
        return self.min_confidence + rise
