"""Tracks and labels measured on scenes whose truth is known."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.table import Table

from models.faces import Image
from stream.annotator import Track
from stream.config import Config
from stream.errors import SourceError
from stream.run import load_annotator
from stream.scenes import CAST_SIZE, SceneSource, scenes
from stream.sources.pictures import read_picture
from stream.tracking_figures import TrackingFigures, match, measure

_LABEL_FILES = ("fairface_label_train.csv", "fairface_label_val.csv")
_ATTRIBUTES = ("gender", "race")
_SINGLE_EVERY = 10  # frames: how often a single frame is labelled on its own
_ALL = "all"

Cast = Sequence[tuple[Image, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """How many labels were right: of whole tracks, and of single frames on their own."""

    settled: int = 0
    settled_right: int = 0
    single: int = 0
    single_right: int = 0

    def __add__(self, other: "LabelFigures") -> "LabelFigures":
        return LabelFigures(
            *(getattr(self, name) + getattr(other, name) for name in self.__slots__)
        )

    @property
    def settled_accuracy(self) -> float:
        """Of the label a person has in the end."""
        return self.settled_right / self.settled if self.settled else 0.0

    @property
    def single_accuracy(self) -> float:
        """Of labels given frame by frame."""
        return self.single_right / self.single if self.single else 0.0


@dataclass(frozen=True, slots=True)
class SceneReport:
    """What was measured on the scenes of one name."""

    tracking: TrackingFigures
    labels: LabelFigures

    def __add__(self, other: "SceneReport") -> "SceneReport":
        return SceneReport(self.tracking + other.tracking, self.labels + other.labels)

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        return {
            **asdict(self.tracking),
            "idf1": self.tracking.idf1,
            "label_changes_per_minute": self.tracking.label_changes_per_minute,
            **asdict(self.labels),
            "settled_accuracy": self.labels.settled_accuracy,
            "single_accuracy": self.labels.single_accuracy,
        }


def tracking_report(folder: Path, config: Config, casts: int = 1) -> dict[str, SceneReport]:
    """Runs all scenes with the first faces of a data set that is laid out as FairFace's.

    The classifier that ships was never fitted on the first 5,000 of them.

    Args:
        folder: holds the table of labels and the pictures it names, aligned chips.
        config: the settings, as for `run`.
        casts: how often, each time with other faces.

    Returns:
        By the name of the scene; `all`, the last, is the sum.

    Raises:
        SourceError: there is no such table, or it names too few faces.
    """
    faces = _faces(folder)
    reports: dict[str, SceneReport] = {}
    for number in range(casts):
        cast = [face for _, face in zip(range(CAST_SIZE), faces, strict=False)]
        if len(cast) < CAST_SIZE:
            raise SourceError(f"{folder} has only {number * CAST_SIZE + len(cast)} faces")
        for scene in scenes(cast):
            report = measure_scene(scene, config)
            for name in (scene.info.uri, _ALL):
                reports[name] = reports[name] + report if name in reports else report
    reports[_ALL] = reports.pop(_ALL)
    return reports


def measure_scene(scene: SceneSource, config: Config) -> SceneReport:
    """One scene through the annotator, as a video and frame by frame."""
    annotator = load_annotator(config, scene.info)
    alone = load_annotator(config, replace(scene.info, kind="pictures"))
    tracks_by_frame: list[tuple[Track, ...]] = []
    single: list[bool] = []
    for frame in scene.frames():
        tracks_by_frame.append(annotator.annotate(frame))
        if frame.index % _SINGLE_EVERY == 0:
            tracks = alone.annotate(frame)
            pairs = match(scene.truth(frame.index), tracks)
            single += _right(scene, {each.track_id: each for each in tracks}, pairs)
    last_seen = {track.track_id: track for tracks in tracks_by_frame for track in tracks}
    settled = _right(scene, last_seen, _own_tracks(scene, tracks_by_frame))
    return SceneReport(
        measure(scene, tracks_by_frame),
        LabelFigures(len(settled), sum(settled), len(single), sum(single)),
    )


def render(reports: Mapping[str, SceneReport]) -> Table:
    """The reports as a table for people."""
    table = Table(title="tracks and labels, against scenes of known truth")
    for heading in (
        "scene",
        "IDF1",
        "switches",
        "fragments",
        "label changes / min",
        "settled right",
        "single frames right",
    ):
        table.add_column(heading, justify="left" if heading == "scene" else "right")
    for name, report in reports.items():
        table.add_row(
            name,
            f"{report.tracking.idf1:.3f}",
            str(report.tracking.switches),
            str(report.tracking.fragments),
            f"{report.tracking.label_changes_per_minute:.2f}",
            f"{report.labels.settled_accuracy:.1%}",
            f"{report.labels.single_accuracy:.1%}",
        )
    return table


def _right(scene: SceneSource, tracks: Mapping[int, Track], pairs: Mapping[int, int]) -> list[bool]:
    """For each actor and attribute with a label, whether its likeliest class is the true one."""
    outcomes = []
    for actor, track_id in pairs.items():
        for attribute in _ATTRIBUTES:
            label = tracks[track_id].labels.get(attribute)
            if label is not None:
                likeliest = max(label.probabilities, key=label.probabilities.__getitem__)
                outcomes.append(likeliest == scene.actors[actor].labels[attribute])
    return outcomes


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
