"""Frame → tracks: detect, align, embed, classify, track."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.classifier import Classifier, grouped
from models.engine import Engine
from models.faces import Faces
from stream.config import LabelSettings
from stream.frames import Frame, SourceInfo
from stream.labels import Evidence, Label
from stream.tracker import Tracker, Trail, widths_px

_AUTO_SEARCH_S = 0.4  # a newcomer is seen at the latest so long after he came
_ASSUMED_FPS = 25.0  # of a source that does not say
_EARLY_VIEWS, _EARLY_EVERY, _LATE_EVERY = 5, 5, 30  # frames between two views of one person
_FULL_QUALITY_PX = 100.0  # faces that wide or wider count in full


@dataclass(frozen=True, slots=True)
class Track:
    """One person in one frame.

    Attributes:
        track_id: the same from frame to frame.
        box_xyxy: `(4,)` float32, px of the frame.
        score: the detector's confidence when the face was last seen.
        labels: by attribute; empty while the face is too small to say.
        seen_frames: in how many frames it was found.
        missed_frames: for how many it has not been; 0 is now.
        quality: how good the best view so far was, 0 to 1.
    """

    track_id: int
    box_xyxy: NDArray[np.float32]
    score: float
    labels: Mapping[str, Label]
    seen_frames: int
    missed_frames: int
    quality: float


@dataclass(slots=True, eq=False)
class _Person:
    """What is remembered of a track: sums of probabilities, never an embedding."""

    evidence: dict[str, Evidence] = field(default_factory=dict)
    views: int = 0
    next_view: int = 0
    quality: float = 0.0


class Annotator:
    """Follows the faces of a source and says what they are perceived as.

    Every track is looked for in a small crop around where it should be; the whole frame is
    searched only now and then, for newcomers. So a steady scene costs little whatever its size.

    Args:
        engine: finds and embeds faces.
        classifier: says what embeddings look like.
        info: the source; pictures have nothing in common, each is searched on its own.
        settings: attributes, thresholds, groups.
        frame_skip: frames between two searches of the whole frame; None for what suits the rate.
    """

    def __init__(
        self,
        engine: Engine,
        classifier: Classifier,
        info: SourceInfo,
        settings: LabelSettings,
        frame_skip: int | None = None,
    ) -> None:
        self._engine = engine
        self._classifier = classifier
        self._settings = settings
        self._unrelated = info.kind == "pictures"
        auto = round((info.fps or _ASSUMED_FPS) * _AUTO_SEARCH_S) - 1
        self._search_every = 1 + (max(auto, 0) if frame_skip is None else frame_skip)
        self._tracker = Tracker()
        self._people: dict[int, _Person] = {}
        self._frames = 0

    def annotate(self, frame: Frame) -> tuple[Track, ...]:
        """The people in the next frame, by id."""
        if self._unrelated:
            self._tracker.forget()
        searched = self._unrelated or self._frames % self._search_every == 0
        nearby = self._engine.find_near(frame.image, self._tracker.predicted_xyxy())
        self._view(frame, nearby, self._tracker.follow(nearby))
        if searched:
            found = self._engine.find(frame.image)
            self._view(frame, found, self._tracker.admit(found))
        self._frames += 1
        self._people = {
            trail.track_id: self._people[trail.track_id] for trail in self._tracker.trails
        }
        return tuple(self._track(trail) for trail in self._tracker.trails)

    def _view(self, frame: Frame, faces: Faces, rows_by_id: Mapping[int, int]) -> None:
        """Takes in what the faces of this frame say about their tracks, all in one batch."""
        widths = widths_px(faces)
        due: list[tuple[_Person, int]] = []
        for track_id, row in rows_by_id.items():
            person = self._people.setdefault(track_id, _Person())
            wide_enough = widths[row] >= self._engine.settings.min_face_px
            if wide_enough and self._frames >= person.next_view:
                due.append((person, row))
        if not due:
            return
        chosen = faces[np.array([row for _, row in due], dtype=np.intp)]
        predictions = self._classifier.predict(self._engine.embed(frame.image, chosen))
        for row, (person, face_row) in enumerate(due):
            quality = min(float(widths[face_row]) / _FULL_QUALITY_PX, 1.0)
            person.quality = max(person.quality, quality)
            person.views += 1
            every = _EARLY_EVERY if person.views < _EARLY_VIEWS else _LATE_EVERY
            person.next_view = self._frames + every
            for prediction in predictions:
                if prediction.attribute in self._settings.attributes:
                    evidence = person.evidence.setdefault(prediction.attribute, Evidence())
                    groups = self._settings.groups_of(prediction.attribute)
                    evidence.add(grouped(prediction, groups), row, quality)

    def _track(self, trail: Trail) -> Track:
        person = self._people[trail.track_id]
        labels = {
            attribute: evidence.label(self._settings.min_confidence)
            for attribute, evidence in person.evidence.items()
        }
        return Track(
            track_id=trail.track_id,
            box_xyxy=trail.box_xyxy,
            score=trail.score,
            labels=labels,
            seen_frames=trail.seen_frames,
            missed_frames=trail.missed_frames,
            quality=person.quality,
        )
