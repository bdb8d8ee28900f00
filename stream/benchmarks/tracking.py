"""Tracks and labels measured on scenes whose truth is known."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table

from models.faces import Image
from stream.assembly import load_annotator
from stream.benchmarks.label_figures import FaceOutcome, LabelFigures, label_changes, likeliest
from stream.benchmarks.scenes import CAST_SIZE, SceneSource, scenes
from stream.benchmarks.tracking_figures import TrackingFigures, match, measure
from stream.errors import SourceError
from stream.settings import Config
from stream.sources.pictures import read_picture
from stream.tracks import Track

_LABEL_FILES = ("fairface_label_train.csv", "fairface_label_val.csv")
_ATTRIBUTES = ("gender", "race", "age")
_SINGLE_EVERY = 20  # frames: how often a single frame is labelled on its own
_ALL = "all"

Cast = Sequence[tuple[Image, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class SceneReport:
    """What was measured on the scenes of one name: tracks, and labels by attribute."""

    tracking: TrackingFigures
    labels: Mapping[str, LabelFigures]

    def __add__(self, other: "SceneReport") -> "SceneReport":
        labels = {name: self.labels[name] + other.labels[name] for name in self.labels}
        return SceneReport(self.tracking + other.tracking, labels)

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        labels = {name: figures.as_dict() for name, figures in self.labels.items()}
        return {**self.tracking.as_dict(), "labels": labels}


def tracking_report(folder: Path, config: Config, casts: int = 1) -> dict[str, SceneReport]:
    """Runs all scenes with the first faces of a data set that is laid out as FairFace's.

    The classifier that ships was never fitted on the first 5,000 of them, and how labels are
    weighed and kept was chosen on the second half of these: the first 2,500 are unseen by both.

    Args:
        folder: holds the table of labels and the pictures it names, aligned chips.
        config: the settings, as for `run`.
        casts: how often, each time with `CAST_SIZE` other faces.

    Returns:
        By the name of the scene; `all`, the last, is the sum.

    Raises:
        SourceError: there is no such table, or it names too few faces.
    """
    faces = _faces(folder)
    reports: dict[str, SceneReport] = {}
    for number in range(casts):
        cast = list(islice(faces, CAST_SIZE))
        if len(cast) < CAST_SIZE:
            raise SourceError(f"{folder} has only {number * CAST_SIZE + len(cast)} faces")
        for scene in scenes(cast):
            name, report = scene.info.uri, measure_scene(scene, config)
            reports[name] = reports[name] + report if name in reports else report
    return {**reports, _ALL: total(reports.values())}


def total(reports: Iterable[SceneReport]) -> SceneReport:
    """Of several scenes; at least one."""
    first, *others = reports
    return sum(others, first)


def measure_scene(scene: SceneSource, config: Config) -> SceneReport:
    """One scene through the annotator, as a video and frame by frame."""
    annotator = load_annotator(config, scene.info)
    alone = load_annotator(config, replace(scene.info, kind="pictures"))
    tracks_by_frame: list[tuple[Track, ...]] = []
    single: dict[int, list[Track]] = {}  # by actor
    for frame in scene.frames():
        tracks_by_frame.append(annotator.annotate(frame))
        if frame.index % _SINGLE_EVERY == 0:
            tracks = {each.track_id: each for each in alone.annotate(frame)}
            pairs = match(scene.truth(frame.index), tuple(tracks.values()))
            for actor, track_id in pairs.items():
                single.setdefault(actor, []).append(tracks[track_id])
    tracking = measure(scene, tracks_by_frame)
    last_seen = {track.track_id: track for tracks in tracks_by_frame for track in tracks}
    settled = {
        actor: last_seen[track_id]
        for actor, track_id in _own_tracks(scene, tracks_by_frame).items()
    }
    labels = {
        attribute: LabelFigures(
            _outcomes(scene, attribute, settled, single),
            label_changes(tracks_by_frame, attribute),
            tracking.track_minutes,
        )
        for attribute in config.labels.attributes
        if attribute in _ATTRIBUTES
    }
    return SceneReport(tracking, labels)


def render(reports: Mapping[str, SceneReport]) -> RenderableType:
    """The reports as tables for people."""
    tracks = _table("tracks, against scenes of known truth", "scene", _TRACK_HEADINGS)
    for name, report in reports.items():
        figures = report.tracking
        tracks.add_row(
            name,
            str(figures.tracks),
            f"{figures.track_minutes:.1f}",
            f"{figures.idf1:.3f}",
            str(figures.switches),
            str(figures.fragments),
        )
    labels = _table("labels, over all scenes", "attribute", _LABEL_HEADINGS)
    for attribute, each in reports[_ALL].labels.items():
        counts = each.as_dict()
        labels.add_row(
            attribute,
            f"{counts['faces']} / {counts['views']}",
            f"{each.settled_accuracy:.1%}",
            f"{each.single_accuracy:.1%}",
            f"{each.gain * 100:+.1f} ± {each.gain_margin * 100:.1f}",
            f"{counts['shown_right']} / {counts['shown']}",
            f"{each.changes} ({each.changes_per_minute:.2f})",
        )
    return Group(tracks, labels)


_TRACK_HEADINGS = ("tracks", "minutes", "IDF1", "switches", "fragments")
_LABEL_HEADINGS = (
    "faces / frames",
    "settled right",
    "single frames right",
    "gain (95 %)",
    "right of shown",
    "changes (a minute)",
)


def _table(title: str, first: str, headings: Sequence[str]) -> Table:
    table = Table(title=title)
    table.add_column(first)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _outcomes(
    scene: SceneSource,
    attribute: str,
    settled: Mapping[int, Track],
    single: Mapping[int, Sequence[Track]],
) -> tuple[FaceOutcome, ...]:
    """Of each actor that had a label, in the end and in a single frame."""
    outcomes = []
    for actor, track in settled.items():
        end = track.labels.get(attribute)
        views = [view.labels[attribute] for view in single.get(actor, ()) if view.labels]
        if end is None or not views:
            continue
        true = scene.actors[actor].labels[attribute]
        outcomes.append(
            FaceOutcome(
                settled_right=likeliest(end) == true,
                views=len(views),
                views_right=sum(likeliest(view) == true for view in views),
                shown_right=None if end.text is None else end.text == true,
            )
        )
    return tuple(outcomes)


def _own_tracks(scene: SceneSource, tracks_by_frame: Sequence[Sequence[Track]]) -> dict[int, int]:
    """For each actor the track that stood for it most often."""
    together: dict[int, Counter[int]] = {}
    for index, tracks in enumerate(tracks_by_frame):
        for actor, track_id in match(scene.truth(index), tracks).items():
            together.setdefault(actor, Counter())[track_id] += 1
    return {actor: counts.most_common(1)[0][0] for actor, counts in together.items()}


def _faces(folder: Path) -> Iterator[tuple[Image, Mapping[str, str]]]:
    """The faces in the order of the table, those that cannot be read left out."""
    table = next((folder / name for name in _LABEL_FILES if (folder / name).is_file()), None)
    if table is None:
        raise SourceError(f"{folder} has no {' or '.join(_LABEL_FILES)}: give FairFace's folder")
    with table.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            image = read_picture(folder / row["file"])
            if image is not None:
                yield image, {attribute: row[attribute] for attribute in _ATTRIBUTES}
