"""Metrics of persons against the truth of films: pairs of shots, numbers, labels."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations


@dataclass(frozen=True, slots=True)
class ShotOutcome:
    """What one face in one shot came to.

    Attributes:
        true_person: the person that it is of.
        person_id: the number of the person that it was taken for.
        track_right: by attribute that has a true label, whether the likeliest class of the track
            alone is the true one.
        person_right: the same of the person.
    """

    true_person: str
    person_id: int
    track_right: Mapping[str, bool] = field(default_factory=dict)
    person_right: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PersonMetrics:
    """The metrics of one film, or the sum over several.

    Attributes:
        shots: faces in shots, each as often as it is in one.
        true_people: how many people there are in the films.
        people: how many persons were told.
        same_pairs: pairs of shots of a film that are of one person.
        joined_pairs: pairs that were taken for one person.
        right_pairs: those that are both.
        labels: by attribute the number of shots with a true label, and how many are right by the
            track alone and by the person.
    """

    shots: int = 0
    true_people: int = 0
    people: int = 0
    same_pairs: int = 0
    joined_pairs: int = 0
    right_pairs: int = 0
    labels: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)

    def __add__(self, other: "PersonMetrics") -> "PersonMetrics":
        counts = {name: getattr(self, name) + getattr(other, name) for name in _COUNTS}
        names = [*self.labels, *(name for name in other.labels if name not in self.labels)]
        none = (0, 0, 0)
        labels = {}
        for name in names:
            one, two = self.labels.get(name, none), other.labels.get(name, none)
            labels[name] = (one[0] + two[0], one[1] + two[1], one[2] + two[2])
        return PersonMetrics(**counts, labels=labels)

    @property
    def precision(self) -> float:
        """Share of the joined pairs that are of one person."""
        return self.right_pairs / self.joined_pairs if self.joined_pairs else 1.0

    @property
    def recall(self) -> float:
        """Share of the pairs of one person that were joined."""
        return self.right_pairs / self.same_pairs if self.same_pairs else 1.0

    def as_dict(self) -> dict[str, object]:
        """The metrics as JSON has them."""
        labels = {
            name: {"shots": count, "right_by_track": by_track, "right_by_person": by_person}
            for name, (count, by_track, by_person) in self.labels.items()
        }
        own = {"precision": self.precision, "recall": self.recall}
        return {**asdict(self), **own, "labels": labels}


_COUNTS = ("shots", "true_people", "people", "same_pairs", "joined_pairs", "right_pairs")
"""The fields that are counts."""


def measure_persons(outcomes: Sequence[ShotOutcome], true_people: int) -> PersonMetrics:
    """Compares the shots of one film with one another, each pair once.

    Args:
        outcomes: of the faces that were seen.
        true_people: how many people there are in the film.
    """
    pairs = [
        (one.true_person == other.true_person, one.person_id == other.person_id)
        for one, other in combinations(outcomes, 2)
    ]
    labels: dict[str, tuple[int, int, int]] = {}
    for outcome in outcomes:
        for name, is_right in outcome.track_right.items():
            count, by_track, by_person = labels.get(name, (0, 0, 0))
            right = by_track + is_right, by_person + outcome.person_right[name]
            labels[name] = (count + 1, *right)
    return PersonMetrics(
        shots=len(outcomes),
        true_people=true_people,
        people=len({outcome.person_id for outcome in outcomes}),
        same_pairs=sum(is_same for is_same, _ in pairs),
        joined_pairs=sum(is_joined for _, is_joined in pairs),
        right_pairs=sum(is_same and is_joined for is_same, is_joined in pairs),
        labels=labels,
    )
