"""Frame → tracks: detect, align, embed, classify, track."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.classifier import Classifier, Prediction
from models.engine import Engine
from models.faces import Detections, Image, iou, share_inside
from stream.controls import Controls
from stream.following.change_map import ChangeMap
from stream.following.cuts import CutDetector
from stream.following.schedule import Schedule, SearchPart
from stream.following.template_matching import TemplateMatcher
from stream.following.track_state import TrackState
from stream.following.tracker import Tracker, widths_px
from stream.frames import Frame, SourceInfo
from stream.labelling.evidence import TrackEvidence
from stream.labelling.view_quality import View, view_weights
from stream.settings.schema import LabelSettings
from stream.stopwatch import stage
from stream.tracks import Track

_LOOK_AGAIN = 3  # missed frames after which a face that comes back is viewed at once
_LIVE_VIEWS = 2  # faces looked closer at in one frame of a live source, which must not be late
_WHOLE = 0.9  # of a face: one that is seen less of at the edge may look like somebody else
_SAME_FACE_IOU = 0.4  # of a face in two searches of a frame
_SHOWN_MISSED = 3  # missed frames for which a face is still shown where it should be


class Annotator:
    """Follows the faces of a source and says what they are perceived as.

    Every track is recognised where it should be, or looked for in a small crop around that; the
    whole frame is searched only now and then, for newcomers. So a steady scene costs little
    whatever its size.

    Args:
        engine: finds and embeds faces.
        classifier: says what embeddings look like.
        info: the source; pictures have nothing in common, each is searched on its own.
        settings: attributes, thresholds, groups.
        schedule: says what of each frame is searched for newcomers.
        controls: what the user asks for on the way.
    """

    def __init__(
        self,
        engine: Engine,
        classifier: Classifier,
        info: SourceInfo,
        settings: LabelSettings,
        schedule: Schedule,
        controls: Controls | None = None,
    ) -> None:
        self._engine = engine
        self._classifier = classifier
        self._settings = settings
        self._unrelated = info.kind == "pictures"
        self._views_at_once = _LIVE_VIEWS if info.is_live else None
        self._in_turns = info.is_live  # else all are looked for at once, which costs less
        self._schedule = schedule
        self._controls = controls or Controls()
        self._tracker = Tracker(info.nominal_fps)
        self._cuts = CutDetector()
        self._motion = ChangeMap()
        self._people: dict[int, TrackEvidence] = {}
        self._glances = TemplateMatcher()
        self._now_s = 0.0  # the time of the frame looked at
        self._last_index = 0  # of the last frame; a live source skips some

    def __repr__(self) -> str:
        return f"Annotator({self._engine!r}, {self._schedule!r})"

    @property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """What it may say: attributes and their classes."""
        nobody = np.zeros((0, self._engine.embedder.dimensions), dtype=np.float32)
        return {each.attribute: each.classes for each in self._classify(nobody)}

    @stage("track")
    def annotate(self, frame: Frame) -> tuple[Track, ...]:
        """The people in the next frame, by id."""
        self._now_s = frame.time_s
        frames = max(frame.index - self._last_index, 1)
        cut = self._unrelated or self._cuts.is_cut(frame)
        if cut:
            self._tracker.cut(frames)
            self._schedule.restart()
        if self._unrelated:
            self._tracker.forget()
        share = self._schedule.share(frame, watchful=self._controls.blur)
        self._controls.note = self._schedule.thrift
        if not cut:
            self._follow(frame, frames, thorough=share is not None and share.parts == 1)
        if share is not None:
            self._search(frame, share, self._views_at_once if not cut else None)
        if cut:
            self._tracker.forget()
        self._last_index = frame.index
        trails = sorted(self._tracker.trails, key=lambda trail: trail.track_id)
        self._people = {each.track_id: self._person(each.track_id) for each in trails}
        self._glances.keep(self._people)
        return tuple(self._track(each) for each in trails if each.missed_frames <= _SHOWN_MISSED)

    def _follow(self, frame: Frame, frames: int, *, thorough: bool) -> None:
        """Finds the faces of the tracks again, and looks closer at those for which it is time.

        Where the whole frame is searched anyway nobody is taken for granted.
        """
        returning = {
            trail.track_id for trail in self._tracker.trails if trail.missed_frames >= _LOOK_AGAIN
        }
        recognised = {} if thorough else self._recognised(frame, frames)
        faces = self._faces_near(frame, self._tracker.predicted_xyxy(frames, recognised))
        seen = self._tracker.follow(faces, frames, recognised)
        wide = self._wide_enough(faces)
        whole = share_inside(faces.boxes_xyxy, frame.size_wh) >= _WHOLE
        waiting = [
            track_id
            for track_id, row in seen.items()
            if wide[row]
            and (whole[row] or not self._person(track_id).views)
            and (track_id in returning or self._is_due(track_id))
        ]
        waiting.sort(key=lambda track_id: self._person(track_id).next_view_s)
        due = {track_id: seen[track_id] for track_id in waiting[: self._views_at_once]}
        if due:
            view = self._view(frame.image, faces, list(due.values()))
            for row, track_id in enumerate(due):
                self._learn(track_id, view, row)
        here = {each.track_id: each.box_xyxy for each in self._tracker.trails}
        self._glances.note(frame, {each: here[each] for each in seen if each in here})

    def _recognised(self, frame: Frame, frames: int) -> dict[int, NDArray[np.float32]]:
        """Where tracks are that need not be looked for: they look as they did a moment ago."""
        least_px = self._engine.settings.min_face_px
        expected = {
            trail.track_id: trail.predicted_xyxy(frames)
            for trail in self._tracker.trails
            if trail.may_rest(frame.index + (trail.track_id if self._in_turns else 0))
            and not (trail.width_px >= least_px and self._is_due(trail.track_id))
        }
        return self._glances.recognise(frame, expected)

    def _faces_near(self, frame: Frame, boxes_xyxy: NDArray[np.float32]) -> Detections:
        """The faces near places, `(n, 4)`; where there are none the picture is not asked for."""
        if not len(boxes_xyxy):
            return Detections.of([], [])
        return self._engine.find_near(frame.image, boxes_xyxy)

    def _is_due(self, track_id: int) -> bool:
        return self._now_s >= self._person(track_id).next_view_s

    @stage("search")
    def _search(self, frame: Frame, share: SearchPart, views: int | None) -> None:
        """Looks for newcomers, takes them in, and looks closer at so many of them."""
        faces = self._newcomers(frame, share)
        rows = np.flatnonzero(self._wide_enough(faces)).tolist()[:views]
        if not rows:
            self._tracker.admit(faces, {})
            return
        view = self._view(frame.image, faces, rows)
        signatures = dict(zip(rows, view.signatures, strict=True))
        for track_id, row in self._tracker.admit(faces, signatures).items():
            if row in signatures:
                self._learn(track_id, view, rows.index(row))

    def _is_sure(self, faces: Detections) -> NDArray[np.bool_]:
        return faces.scores > self._engine.settings.threshold

    def _newcomers(self, frame: Frame, share: SearchPart) -> Detections:
        """Who is not known yet; where a search in parts sees somebody, it is looked closer."""
        if self._unrelated:
            everybody = self._engine.find_part(frame.image)
            return everybody[self._is_sure(everybody)]
        regions = self._regions(frame, share)
        if regions is not None and not len(regions):
            return Detections.of([], [])
        image = frame.image
        seen = self._engine.find_part(image, share.part, share.parts, share.coarseness, regions)
        seen = seen[self._tracker.strangers(seen.boxes_xyxy)]
        faces = self._faces_near(frame, seen.boxes_xyxy)
        # The search may have been sure of what the closer look, in other sizes, is not.
        agreed = iou(faces.boxes_xyxy, seen[self._is_sure(seen)].boxes_xyxy) > _SAME_FACE_IOU
        faces = faces[self._is_sure(faces) | agreed.any(axis=1)]
        return faces[self._tracker.strangers(faces.boxes_xyxy)]

    def _regions(self, frame: Frame, share: SearchPart) -> NDArray[np.float32] | None:
        """Where that share must be searched, `(n, 4)` px; None for everywhere."""
        if self._controls.blur:
            return None  # nobody is to be overlooked
        face_px = self._engine.smallest_px(frame.size_wh, share.coarseness)
        here_xyxy, lost_xyxy = self._tracker.here_xyxy, self._tracker.lost_xyxy
        return self._motion.regions(frame, share, here_xyxy, lost_xyxy, face_px)

    def _wide_enough(self, faces: Detections) -> NDArray[np.bool_]:
        return widths_px(faces) >= self._engine.settings.min_face_px

    def _view(self, image: Image, faces: Detections, rows: Sequence[int]) -> View:
        """Embeds and classifies some of the faces, all in one batch."""
        with stage("align"):
            chosen = self._engine.aligner.locate(image, faces[np.array(rows, dtype=np.intp)])
            chips = self._engine.aligner.chips(image, chosen)
        with stage("embed"):
            embeddings = self._engine.embedder.embed(chips)
        signatures = embeddings[:, : self._engine.embedder.identity]
        return View(signatures, self._classify(embeddings), view_weights(chosen, chips))

    @stage("classify")
    def _classify(self, embeddings: NDArray[np.float32]) -> tuple[Prediction, ...]:
        """What is asked for."""
        return tuple(
            each
            for each in self._classifier.predict(embeddings)
            if each.attribute in self._settings.attributes
        )

    def _learn(self, track_id: int, view: View, row: int) -> None:
        """Takes in what one face of a view says about its person."""
        weight = float(view.weights[row])
        person = self._person(self._tracker.sign(track_id, view.signatures[row], weight))
        person.learn(view.predictions, row, weight, self._now_s, self._settings)

    def _person(self, track_id: int) -> TrackEvidence:
        return self._people.setdefault(track_id, TrackEvidence())

    def _track(self, trail: TrackState) -> Track:
        person = self._person(trail.track_id)
        return Track(
            track_id=trail.track_id,
            box_xyxy=trail.box_xyxy,
            score=trail.score,
            labels={name: evidence.label for name, evidence in person.evidence.items()},
            seen_frames=trail.seen_frames,
            missed_frames=trail.missed_frames,
            quality=person.quality,
        )
