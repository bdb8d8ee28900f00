"""The benchmark of tracks and labels: the annotator on all scenes, and the sum of the metrics."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from models.faces import Image
from stream.assembly import LoadedModel
from stream.benchmarks.label_table import open_label_table
from stream.benchmarks.tracking.label_metrics import (
    FaceOutcome,
    LabelMetrics,
    label_changes,
    most_probable_class,
)
from stream.benchmarks.tracking.newcomers import (
    NewcomerMetrics,
    measure_newcomers,
    newcomer_scene,
)
from stream.benchmarks.tracking.scenes import FACES_IN_ALL, SceneSource, scenes
from stream.benchmarks.tracking.steadiness import Steadiness, measure_steadiness
from stream.benchmarks.tracking.tracking_metrics import TrackingMetrics, match, measure_tracks
from stream.errors import SourceError
from stream.settings import Config
from stream.sources.pictures import read_picture
from stream.tracks import Track

ALL_SCENES = "all"
"""The name under which the sum over all scenes is reported."""

_LABEL_FILES = ("fairface_label_train.csv", "fairface_label_val.csv")
"""The tables of labels as FairFace publishes them; the first that exists is read."""

_ATTRIBUTES = ("gender", "race", "age")
"""The attributes that FairFace's tables have."""

_SINGLE_EVERY = 20
"""Every how many frames one is labelled on its own; a smaller number measures more, and longer."""


@dataclass(frozen=True, slots=True)
class SceneReport:
    """The metrics of the scenes of one name: of tracks, boxes, and labels by attribute."""

    tracking: TrackingMetrics
    steadiness: Steadiness
    labels: Mapping[str, LabelMetrics]

    def __add__(self, other: "SceneReport") -> "SceneReport":
        labels = {name: self.labels[name] + other.labels[name] for name in self.labels}
        steadiness = self.steadiness + other.steadiness
        return SceneReport(self.tracking + other.tracking, steadiness, labels)

    def as_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        labels = {name: metrics.as_dict() for name, metrics in self.labels.items()}
        return {
            **self.tracking.as_dict(),
            "jitter": self.steadiness.as_dict(),
            "labels": labels,
        }


@dataclass(frozen=True, slots=True)
class TrackingReport:
    """All that one benchmark of tracks and labels measured.

    Attributes:
        casts: the numbers of the casts, `FACES_IN_ALL` faces each; 0 is the first of the table.
        crf: the rate factor of H.264 that the scenes were coded with; None for none.
        scenes: by the name of the scene; `ALL_SCENES`, the last, is the sum.
        newcomers: how soon newcomers were seen, in a scene of their own that is in no sum.
    """

    casts: tuple[int, ...]
    crf: int | None
    scenes: Mapping[str, SceneReport]
    newcomers: NewcomerMetrics

    def as_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        return {
            "casts": list(self.casts),
            "crf": self.crf,
            "scenes": {name: each.as_dict() for name, each in self.scenes.items()},
            "newcomers": self.newcomers.as_dict(),
        }


def measure_tracking(
    folder: Path, config: Config, casts: range = range(1), crf: int | None = None
) -> TrackingReport:
    """Runs all scenes with faces of a data set that is laid out as FairFace's.

    The classifier that ships was never fitted on the first 5,000 of them, and how labels are
    weighed and kept was chosen on the second half of these: the first 2,500 are unseen by both.

    Args:
        folder: holds the table of labels and the pictures it names, aligned chips.
        config: the settings, as for `run`.
        casts: which casts, at least one, each of `FACES_IN_ALL` faces; 0 has the first ones.
        crf: a rate factor of H.264, with which the scenes are coded first; None for none.

    Raises:
        SourceError: there is no such table, or it names too few faces.
    """
    reports: dict[str, SceneReport] = {}
    newcomers, model = NewcomerMetrics(), LoadedModel(config)
    for chips in _casts(folder, casts):
        for scene in scenes(chips):
            name, report = scene.info.uri, measure_scene(scene.coded(crf), model)
            reports[name] = reports[name] + report if name in reports else report
        scene = newcomer_scene(chips).coded(crf)
        annotator = model.annotator(scene.info)
        tracks_by_frame = [annotator.annotate(frame) for frame in scene.frames()]
        newcomers += measure_newcomers(scene, tracks_by_frame)
    all_scenes = {**reports, ALL_SCENES: _total(reports.values())}
    return TrackingReport(tuple(casts), crf, all_scenes, newcomers)


def measure_scene(scene: SceneSource, model: LoadedModel) -> SceneReport:
    """Runs one scene through the annotator, as a video and frame by frame."""
    annotator = model.annotator(scene.info)
    single_annotator = model.annotator(replace(scene.info, kind="pictures"))
    tracks_by_frame: list[tuple[Track, ...]] = []
    single: dict[int, list[Track]] = {}  # by face id
    for frame in scene.frames():
        tracks_by_frame.append(annotator.annotate(frame))
        if frame.index % _SINGLE_EVERY == 0:
            tracks = {each.track_id: each for each in single_annotator.annotate(frame)}
            pairs = match(scene.truth(frame.index), tuple(tracks.values()))
            for face_id, track_id in pairs.items():
                single.setdefault(face_id, []).append(tracks[track_id])
    tracking = measure_tracks(scene, tracks_by_frame)
    last_seen = {track.track_id: track for tracks in tracks_by_frame for track in tracks}
    settled = {
        face_id: last_seen[track_id]
        for face_id, track_id in main_tracks(scene, tracks_by_frame).items()
    }
    labels = {
        attribute: LabelMetrics(
            _outcomes(scene, attribute, settled, single),
            label_changes(tracks_by_frame, attribute),
            tracking.track_minutes,
        )
        for attribute in annotator.attributes
        if attribute in _ATTRIBUTES
    }
    return SceneReport(tracking, measure_steadiness(scene, tracks_by_frame), labels)


def _total(reports: Iterable[SceneReport]) -> SceneReport:
    """The sum of reports, at least one."""
    first, *others = reports
    return sum(others, first)


def _outcomes(
    scene: SceneSource,
    attribute: str,
    settled: Mapping[int, Track],
    single: Mapping[int, Sequence[Track]],
) -> tuple[FaceOutcome, ...]:
    """The outcome of each face that had a label at the end and in some single frame.

    Args:
        scene: has the true labels.
        attribute: what the labels are of.
        settled: by face id, the last of its track.
        single: by face id, its tracks in the frames that were labelled on their own.
    """
    outcomes = []
    for face_id, track in settled.items():
        end = track.labels.get(attribute)
        views = [view.labels[attribute] for view in single.get(face_id, ()) if view.labels]
        if end is None or not views:
            continue
        true = scene.faces[face_id].labels[attribute]
        outcomes.append(
            FaceOutcome(
                settled_right=most_probable_class(end) == true,
                views=len(views),
                views_right=sum(most_probable_class(view) == true for view in views),
                shown_right=None if end.text is None else end.text == true,
            )
        )
    return tuple(outcomes)


def main_tracks(scene: SceneSource, tracks_by_frame: Sequence[Sequence[Track]]) -> dict[int, int]:
    """By face id, the track that covered the face in most frames."""
    together: dict[int, Counter[int]] = {}
    for index, tracks in enumerate(tracks_by_frame):
        for face_id, track_id in match(scene.truth(index), tracks).items():
            together.setdefault(face_id, Counter())[track_id] += 1
    return {face_id: counts.most_common(1)[0][0] for face_id, counts in together.items()}


def _casts(folder: Path, casts: range) -> Iterator[list[tuple[Image, Mapping[str, str]]]]:
    """The faces of each cast, with their labels."""
    chips = islice(labelled_chips(folder), casts.start * FACES_IN_ALL, None)
    for number in casts:
        cast = list(islice(chips, FACES_IN_ALL))
        if len(cast) < FACES_IN_ALL:
            raise SourceError(
                f"{folder} has too few faces for cast {number}: it takes "
                f"{(number + 1) * FACES_IN_ALL} that can be read"
            )
        yield cast


def labelled_chips(folder: Path) -> Iterator[tuple[Image, Mapping[str, str]]]:
    """The faces in the order of the table; those whose picture cannot be read are left out."""
    table = next((folder / name for name in _LABEL_FILES if (folder / name).is_file()), None)
    if table is None:
        raise SourceError(f"{folder} has no {' or '.join(_LABEL_FILES)}: give FairFace's folder")
    with open_label_table(table, {"file", *_ATTRIBUTES}) as rows:
        for row in rows:
            if not all(row[column] for column in ("file", *_ATTRIBUTES)):
                raise SourceError(f"{table}, line {rows.line_num}: a cell is empty")
            image = read_picture(folder / row["file"])
            if image is not None:
                yield image, {attribute: row[attribute] for attribute in _ATTRIBUTES}
