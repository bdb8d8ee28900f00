"""The benchmark of persons: films through the annotator, their tracks joined across shots."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stream.annotator import Annotator
from stream.assembly import LoadedModel
from stream.benchmarks.tracking.benchmark import main_tracks
from stream.benchmarks.tracking.films import PEOPLE_IN_FILM, PERSON, film, read_people
from stream.benchmarks.tracking.label_metrics import most_probable_class
from stream.benchmarks.tracking.person_metrics import (
    PersonMetrics,
    ShotOutcome,
    measure_persons,
)
from stream.benchmarks.tracking.scenes import SceneSource
from stream.errors import ConfigError, SourceError
from stream.labelling.track_faces import TrackFace
from stream.settings import Config
from stream.tracks import Label


@dataclass(frozen=True, slots=True)
class PersonReport:
    """What the benchmark of persons measured.

    Attributes:
        films: the numbers of the films, `PEOPLE_IN_FILM` people each; 0 has the first ones.
        crf: the rate factor of H.264 that the films were coded with; None for none.
        online: by what was known of each track in its last frame.
        settled: by what was known at the end.
    """

    films: tuple[int, ...]
    crf: int | None
    online: PersonMetrics
    settled: PersonMetrics

    def as_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        return {
            "films": list(self.films),
            "crf": self.crf,
            "online": self.online.as_dict(),
            "settled": self.settled.as_dict(),
        }


def measure_people(
    folder: Path, config: Config, films: range = range(1), crf: int | None = None
) -> PersonReport:
    """Runs films of the people in a folder, in which each is seen in several shots.

    Thresholds were chosen on people 1 to 50 of the pictures that this project has for tests, which
    are films 0 to 4; the others are unseen.

    Args:
        folder: holds pictures named `PERSON_PICTURE`, and `labels.csv` where labels are known.
        config: the settings, as for `run`.
        films: which films, at least one.
        crf: a rate factor of H.264, with which the films are coded first; None for none.

    Raises:
        SourceError: there are too few people.
        ConfigError: the settings keep all tracks apart.
    """
    people, model = read_people(folder), LoadedModel(config)
    online, settled = PersonMetrics(), PersonMetrics()
    for number in films:
        cast = people[number * PEOPLE_IN_FILM : (number + 1) * PEOPLE_IN_FILM]
        if len(cast) < PEOPLE_IN_FILM:
            raise SourceError(
                f"{folder} has too few people for film {number}: it takes "
                f"{(number + 1) * PEOPLE_IN_FILM}"
            )
        now, at_end = measure_film(film(cast, number).coded(crf), model)
        online, settled = online + now, settled + at_end
    return PersonReport(tuple(films), crf, online, settled)


def measure_film(scene: SceneSource, model: LoadedModel) -> tuple[PersonMetrics, PersonMetrics]:
    """Runs one film: what was known of each shot in its last frame, and what at the end.

    Raises:
        ConfigError: the settings keep all tracks apart.
    """
    annotator = model.annotator(scene.info)
    if not isinstance(annotator, Annotator) or annotator.settle is None:
        raise ConfigError("labels.across_shots = false: there are no persons to be measured")
    tracks_by_frame = [annotator.annotate(frame) for frame in scene.frames()]
    last = {track.track_id: track for tracks in tracks_by_frame for track in tracks}
    settlement = annotator.settle()
    alone = {face.tracks[0]: face for face in annotator.faces or ()}
    online, settled = [], []
    for face_id, track_id in main_tracks(scene, tracks_by_frame).items():
        if track_id not in alone:
            continue  # it was never viewed
        truth, own = scene.faces[face_id].labels, alone[track_id]
        known = last[track_id]
        online.append(_outcome(truth, own, known.person_id, known.labels))
        person_id = settlement.person_ids[track_id]
        settled.append(_outcome(truth, own, person_id, settlement.labels[person_id]))
    true_people = len({face.labels[PERSON] for face in scene.faces})
    return measure_persons(online, true_people), measure_persons(settled, true_people)


def _outcome(
    truth: Mapping[str, str], own: TrackFace, person_id: int, labels: Mapping[str, Label]
) -> ShotOutcome:
    """What one face in one shot came to, given the labels that its person has."""
    means = {mean.attribute: mean for mean in own.evidence.seen.means()}
    alone = {
        name: mean.classes[int(mean.probabilities[0].argmax())] for name, mean in means.items()
    }
    return ShotOutcome(
        true_person=truth[PERSON],
        person_id=person_id,
        track_right={name: alone[name] == truth[name] for name in truth if name in alone},
        person_right={
            name: most_probable_class(labels[name]) == truth[name]
            for name in truth
            if name in alone
        },
    )
