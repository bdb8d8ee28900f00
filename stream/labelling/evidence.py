"""Evidence: what the views of one track say about its face, as sums of probabilities."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.classifier import Prediction
from stream.frames import TIME_TOLERANCE_S
from stream.labelling.label_rule import LabelRule
from stream.settings.schema import LabelSettings
from stream.tracks import Label

_EARLY_VIEWS = 5
"""How many views of a track follow one another quickly; more settle a label on more evidence."""

_EARLY_INTERVAL_S = 0.2
"""Time between two of the first `_EARLY_VIEWS` views, s; shorter settles a label sooner, on views
that are more alike."""

_LATE_INTERVAL_S = 2.0
"""Time between two later views, s; longer costs less and corrects a wrong label later."""


class AttributeEvidence:
    """What was seen of one attribute of one track: a weighted mean of probabilities.

    Args:
        rule: how it becomes a label.
    """

    def __init__(self, rule: LabelRule) -> None:
        self._rule = rule
        self._sum: NDArray[np.float64] = np.zeros(0)
        self._weight = 0.0
        self._so_far: Prediction | None = None
        self._label: Label | None = None

    def __repr__(self) -> str:
        return f"AttributeEvidence({self.label.text}, {self.label.confidence:.2f})"

    @property
    def label(self) -> Label:
        """The label to show; unsure, with confidence 0, before the first view."""
        return self._label or Label(None, 0.0, {})

    def add(self, prediction: Prediction, index: int, weight: float) -> None:
        """Adds one more view.

        Args:
            prediction: of several faces.
            index: which of the faces it is about.
            weight: how good the view is, above 0.
        """
        if not self._weight:
            self._sum = np.zeros(len(prediction.classes))
        self._sum += weight * prediction.probabilities[index]
        self._weight += weight
        mean = (self._sum / self._weight).astype(np.float32)[None]
        self._so_far = Prediction(prediction.attribute, prediction.classes, mean)
        self._label = self._rule.label(self._so_far, self._label)

    def change(self, rule: LabelRule) -> None:
        """Applies another rule from now on, to what was seen before too."""
        self._rule = rule
        self._label = None if self._so_far is None else rule.label(self._so_far, None)


class TrackEvidence:
    """What was seen of one track, of all attributes: probabilities, never an embedding.

    Args:
        settings: how evidence becomes a label.

    Attributes:
        views: how many views of the face there were.
        next_view_s: when the next view is due.
        quality: how good the best view was, 0 to 1.
    """

    def __init__(self, settings: LabelSettings) -> None:
        self.views = 0
        self.next_view_s = float("-inf")
        self.quality = 0.0
        self._settings = settings
        self._by_attribute: dict[str, AttributeEvidence] = {}

    def __repr__(self) -> str:
        return f"TrackEvidence({self.views} views, {list(self._by_attribute)})"

    @property
    def labels(self) -> Mapping[str, Label]:
        """The label of each attribute; none before the first view."""
        return {name: evidence.label for name, evidence in self._by_attribute.items()}

    def add(
        self, predictions: Sequence[Prediction], index: int, weight: float, now_s: float
    ) -> None:
        """Adds one more view.

        Args:
            predictions: of several faces, one an attribute.
            index: which of the faces it is about.
            weight: how good the view is, above 0 and at most 1.
            now_s: when it was.
        """
        self.quality = max(self.quality, weight)
        self.views += 1
        interval_s = _EARLY_INTERVAL_S if self.views < _EARLY_VIEWS else _LATE_INTERVAL_S
        self.next_view_s = now_s + interval_s - TIME_TOLERANCE_S
        for prediction in predictions:
            name = prediction.attribute
            if name not in self._by_attribute:
                self._by_attribute[name] = AttributeEvidence(LabelRule.of(self._settings, name))
            self._by_attribute[name].add(prediction, index, weight)

    def change(self, settings: LabelSettings) -> None:
        """Applies other thresholds and groups from now on, to what was seen before too."""
        self._settings = settings
        for name, evidence in self._by_attribute.items():
            evidence.change(LabelRule.of(settings, name))
