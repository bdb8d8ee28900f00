"""Evidence: what the views of one track say about its face, as sums of probabilities."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.classification.classifier import Prediction
from stream.frames import TIME_TOLERANCE_S
from stream.labelling.label_rule import NO_TREE, LabelRule
from stream.settings.schema import LabelSettings
from stream.tracks import Label

_EARLY_VIEWS = 5
"""How many views of a track follow one another quickly; more settle a label on more evidence."""

_EARLY_INTERVAL_S = 0.2
"""Time between two of the first `_EARLY_VIEWS` views, s; shorter settles a label sooner, on views
that are more alike."""

_LATE_INTERVAL_S = 2.0
"""Time between two later views, s; longer costs less and corrects a wrong label later."""


class Evidence:
    """What views say of each attribute: a weighted sum of probabilities, never an embedding."""

    def __init__(self) -> None:
        self._weight = 0.0
        self._classes: dict[str, tuple[str, ...]] = {}
        self._sums: dict[str, NDArray[np.float64]] = {}

    def __repr__(self) -> str:
        return f"Evidence({list(self._sums)}, weight {self._weight:.2f})"

    @classmethod
    def total(cls, parts: Iterable["Evidence"]) -> Self:
        """All of several, of the same attributes."""
        total = cls()
        for part in parts:
            total._weight += part._weight
            for name, values in part._sums.items():
                total._classes[name] = part._classes[name]
                total._sums[name] = total._sums.get(name, 0.0) + values
        return total

    def add(self, predictions: Sequence[Prediction], index: int, weight: float) -> None:
        """Adds one more view.

        Args:
            predictions: of several faces, one an attribute.
            index: which of the faces it is about.
            weight: how good the view is, above 0.
        """
        self._weight += weight
        for prediction in predictions:
            name = prediction.attribute
            self._classes[name] = tuple(prediction.classes)
            values = weight * prediction.probabilities[index]
            self._sums[name] = self._sums.get(name, np.zeros(len(prediction.classes))) + values

    def means(self) -> list[Prediction]:
        """What all views say together of one face, a prediction an attribute."""
        return [
            Prediction(name, self._classes[name], (values / self._weight).astype(np.float32)[None])
            for name, values in self._sums.items()
        ]


class TrackEvidence:
    """What was seen of one track, and what is shown of it.

    Args:
        settings: how evidence becomes a label.
        tree: the model's coarser words, by attribute.

    Attributes:
        views: how many views of the face there were.
        next_view_s: when the next view is due.
        quality: how good the best view was, 0 to 1.
        seen: what all its views say.
        labels: the label of each attribute; none before the first view.
    """

    def __init__(
        self, settings: LabelSettings, tree: Mapping[str, Mapping[str, Sequence[str]]] = NO_TREE
    ) -> None:
        self.views = 0
        self.next_view_s = float("-inf")
        self.quality = 0.0
        self.seen = Evidence()
        self.labels: Mapping[str, Label] = {}
        self._settings = settings
        self._tree = tree

    def __repr__(self) -> str:
        return f"TrackEvidence({self.views} views, {list(self.labels)})"

    def add(
        self,
        predictions: Sequence[Prediction],
        index: int,
        weight: float,
        now_s: float,
        elsewhere: Sequence[Evidence] = (),
    ) -> None:
        """Adds one more view.

        Args:
            predictions: of several faces, one an attribute.
            index: which of the faces it is about.
            weight: how good the view is, above 0 and at most 1.
            now_s: when it was.
            elsewhere: what other tracks of the same person say.
        """
        self.quality = max(self.quality, weight)
        self.views += 1
        interval_s = _EARLY_INTERVAL_S if self.views < _EARLY_VIEWS else _LATE_INTERVAL_S
        self.next_view_s = now_s + interval_s - TIME_TOLERANCE_S
        self.seen.add(predictions, index, weight)
        self.labels = self.labels_with(elsewhere)

    def joined(self, elsewhere: Sequence[Evidence], quality: float) -> "TrackEvidence":
        """What it and other tracks of the same person say together.

        Args:
            elsewhere: what the others say; none leaves all as it is.
            quality: of the best view of all.
        """
        if not elsewhere:
            return self
        joined = TrackEvidence(self._settings, self._tree)
        joined.labels = self.labels_with(elsewhere)
        joined.seen = Evidence.total([*elsewhere, self.seen])
        joined.quality = quality
        return joined

    def labels_with(self, elsewhere: Sequence[Evidence]) -> Mapping[str, Label]:
        """What is to be shown, given what other tracks of the same person say too."""
        all_seen = Evidence.total([*elsewhere, self.seen]) if elsewhere else self.seen
        return {
            mean.attribute: LabelRule.of(self._settings, mean.attribute, self._tree).label(
                mean, self.labels.get(mean.attribute)
            )
            for mean in all_seen.means()
        }

    def change(self, settings: LabelSettings) -> None:
        """Applies other thresholds and groups from now on, to what was seen before too."""
        self._settings = settings
        self.labels = {}
        self.labels = self.labels_with(())
