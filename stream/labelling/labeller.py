"""What the faces of tracks are perceived as: which are viewed, and what their views say."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.classification.classifier import Classifier, Prediction
from models.classification.view_quality import ViewQuality
from models.engine import Engine
from models.faces import Detections, fraction_inside, sizes_wh
from stream.frames import Frame
from stream.labelling.evidence import Evidence, TrackEvidence
from stream.labelling.label_rule import NO_TREE
from stream.labelling.view_quality import view_weights
from stream.settings.schema import LabelSettings
from stream.stopwatch import stage
from stream.tracks import Label

_MIN_INSIDE = 0.9
"""Share of a face inside the picture from which a further view of it counts: one that is cut off
at the edge may look like another."""


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """Some faces of one frame, described and classified.

    Attributes:
        appearances: `(n, d)` float32, the parts of their embeddings that tell faces apart.
        predictions: one an attribute, of the n faces.
        weights: `(n,)` float32, how good each view is, above 0 and at most 1.
    """

    appearances: NDArray[np.float32]
    predictions: tuple[Prediction, ...]
    weights: NDArray[np.float32]


class Labeller:
    """Chooses the faces that are due for a view, and gathers what their views say.

    Args:
        engine: describes faces.
        classifier: says what they look like.
        settings: attributes, thresholds, groups.
        tree: the model's coarser words, by attribute.
    """

    def __init__(
        self,
        engine: Engine,
        classifier: Classifier,
        settings: LabelSettings,
        tree: Mapping[str, Mapping[str, Sequence[str]]] = NO_TREE,
    ) -> None:
        self._engine = engine
        self._classifier = classifier
        self._settings = settings
        self._tree = tree
        self._attributes = settings.of(classifier.classes)
        self._evidence: dict[int, TrackEvidence] = {}

    def __repr__(self) -> str:
        return f"Labeller({', '.join(self.attributes)}; {len(self._evidence)} tracks)"

    @property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """What it may say: the attributes that are asked for, and their classes."""
        classes = self._classifier.classes
        return {name: classes[name] for name in self._attributes}

    def next_due(
        self, frame: Frame, boxes_xyxy: Mapping[int, NDArray[np.float32]], most: int | None
    ) -> set[int]:
        """The tracks that are to be viewed in a frame, those that wait longest.

        Args:
            frame: the picture.
            boxes_xyxy: by track, where its face should be, `(4,)` px.
            most: how many may be viewed; None for all.
        """
        due = {
            track_id: box for track_id, box in boxes_xyxy.items() if self._is_due(track_id, frame)
        }
        faces = Detections.of(list(due.values()), np.zeros(len(due)))
        return set(self.due(frame, faces, {each: row for row, each in enumerate(due)}, (), most))

    def wide_rows(self, faces: Detections, most: int | None) -> list[int]:
        """The rows of the faces that are large enough for a label, the first so many of them.

        Args:
            faces: what was found in a frame.
            most: how many are wanted; None for all.
        """
        return np.flatnonzero(self._is_wide_enough(faces)).tolist()[:most]

    def due(
        self,
        frame: Frame,
        faces: Detections,
        rows: Mapping[int, int],
        returning: Collection[int],
        most: int | None,
    ) -> dict[int, int]:
        """The tracks to view now, those that wait longest first, and the rows of their faces.

        Args:
            frame: the picture.
            faces: what was found in it.
            rows: by track, the row of its face.
            returning: tracks that were lost and are found again: they are due at once.
            most: how many may be viewed; None for all.
        """
        due = [each for each in rows if each in returning or self._is_due(each, frame)]
        if not due:
            return {}
        wide = self._is_wide_enough(faces)
        whole = fraction_inside(faces.boxes_xyxy, frame.size_wh) >= _MIN_INSIDE
        waiting = [
            track_id
            for track_id in due
            if wide[rows[track_id]] and (whole[rows[track_id]] or track_id not in self._evidence)
        ]
        waiting.sort(key=self._next_view_s)
        return {track_id: rows[track_id] for track_id in waiting[:most]}

    def view(self, frame: Frame, faces: Detections, rows: Sequence[int]) -> Views:
        """Describes and classifies some of the faces of a frame, all in one batch."""
        with stage("describe"):
            chosen = faces[np.array(rows, dtype=np.intp)]
            described = self._engine.describe(frame.image, chosen)
        with stage("classify"):
            widths_px = sizes_wh(described.faces.boxes_xyxy)[:, 0]
            quality = ViewQuality.of(described.chips, widths_px)
            predictions = self._classifier.predict(described.embeddings, self._attributes, quality)
        clear_score = self._engine.detector.traits.clear_score
        weights = view_weights(described.faces, quality, clear_score)
        return Views(described.appearances, predictions, weights)

    def evidence(self, track_id: int) -> TrackEvidence:
        """The evidence of a track, which grows with its views."""
        if track_id not in self._evidence:
            self._evidence[track_id] = TrackEvidence(self._settings, self._tree)
        return self._evidence[track_id]

    def add_view(
        self,
        track_id: int,
        views: Views,
        index: int,
        time_s: float,
        elsewhere: Sequence[Evidence] = (),
    ) -> None:
        """Adds one of the views to the evidence of a track.

        Args:
            track_id: the track.
            views: of several faces.
            index: which of them it is.
            time_s: when it was.
            elsewhere: what other tracks of the same person say.
        """
        weight = float(views.weights[index])
        self.evidence(track_id).add(views.predictions, index, weight, time_s, elsewhere)

    def labels(self, track_id: int) -> Mapping[str, Label]:
        """The labels of a track, by attribute; empty before its first view."""
        evidence = self._evidence.get(track_id)
        return {} if evidence is None else evidence.labels

    def quality(self, track_id: int) -> float:
        """How good the best view of a track was, 0 to 1."""
        evidence = self._evidence.get(track_id)
        return 0.0 if evidence is None else evidence.quality

    def change(self, settings: LabelSettings) -> None:
        """Applies other thresholds and groups from now on; the attributes are the same."""
        self._settings = settings
        for evidence in self._evidence.values():
            evidence.change(settings)

    def keep(self, track_ids: Collection[int]) -> None:
        """Drops the evidence of all other tracks."""
        self._evidence = {
            track_id: evidence
            for track_id, evidence in self._evidence.items()
            if track_id in track_ids
        }

    def _is_wide_enough(self, faces: Detections) -> NDArray[np.bool_]:
        return sizes_wh(faces.boxes_xyxy)[:, 0] >= self._engine.settings.min_face_px

    def _is_due(self, track_id: int, frame: Frame) -> bool:
        return self._next_view_s(track_id) <= frame.time_s

    def _next_view_s(self, track_id: int) -> float:
        evidence = self._evidence.get(track_id)
        return float("-inf") if evidence is None else evidence.next_view_s
