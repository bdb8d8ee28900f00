"""Persons: which tracks of one file are of the same face, and what all their views say.

What is kept of a face stays in the memory of the process that reads the file, and goes with it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stream.labelling.evidence import Evidence, TrackEvidence
from stream.labelling.linkage import average_linkage
from stream.people import Settlement

SAME_PERSON_DISTANCE = 0.6
"""Mean distance of two persons' appearances from which they are two; higher joins more shots, and
different people. Tuned on scenes of people 1 to 50: precision first."""

_WEAK_PENALTY = 0.1
"""How much farther a face counts of which there is no fair view, so that it needs to be nearer to
be joined; higher keeps more profiles and small faces apart. Tuned on edited clips."""

_FAIR_QUALITY = 0.5
"""Quality of the best view from which a face counts without that penalty, 0 to 1; higher keeps more
faces apart."""

_LEAVING_MARGIN = 0.03
"""By how much farther than `SAME_PERSON_DISTANCE` a track may be from its person while it is
followed; higher changes the number of a person less often."""


@dataclass(slots=True, eq=False)
class TrackFace:
    """What is known of the face of one track; it can be pickled.

    Attributes:
        track_id: the track.
        evidence: what its views say.
        beside: tracks that were seen in the same frame, which are other people.
        is_shown: the track was surely a face, and told to the sinks.
        appearance_sum: `(d,)` float32, the sum of its appearances, by the weights of the views.
        weight: the sum of these weights.
    """

    track_id: int
    evidence: TrackEvidence
    beside: set[int] = field(default_factory=set)
    is_shown: bool = False
    appearance_sum: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    weight: float = 0.0

    def add(self, appearance: NDArray[np.float32], weight: float) -> None:
        """Adds the appearance `(d,)` in one more view, of that weight."""
        before = self.appearance_sum if self.weight else np.zeros_like(appearance)
        self.appearance_sum = before + np.float32(weight) * appearance
        self.weight += weight

    @property
    def appearance(self) -> NDArray[np.float32]:
        """`(d,)`, the mean over its views."""
        return self.appearance_sum / np.float32(self.weight)

    @property
    def penalty(self) -> float:
        """By how much it counts as farther than it is from every other face."""
        return _WEAK_PENALTY * max(1 - self.evidence.quality / _FAIR_QUALITY, 0.0)


class Persons:
    """Joins the tracks of one file that are of the same face.

    1. While the file is read, a track belongs to the person whose tracks are nearest on average, if
       they are near enough and none of them was seen beside it; else it is a person of its own.
    2. When all of it was read, all tracks are joined anew, the nearest first.
    """

    def __init__(self) -> None:
        self._faces: dict[int, TrackFace] = {}  # by track
        self._person_ids: dict[int, int] = {}  # by track
        self._visible: frozenset[int] = frozenset()

    def __repr__(self) -> str:
        return f"Persons({len(set(self._person_ids.values()))} of {len(self._faces)} tracks)"

    @property
    def faces(self) -> Sequence[TrackFace]:
        """The faces of all tracks that were shown and viewed, in the order of their ids."""
        return [self._faces[each] for each in sorted(self._faces) if self._faces[each].is_shown]

    def person_id(self, track_id: int) -> int:
        """The number of the person of a track as far as it is known: the id of its first track."""
        return self._person_ids.get(track_id, track_id)

    def add_view(
        self,
        track_id: int,
        evidence: TrackEvidence,
        appearance: NDArray[np.float32],
        weight: float,
    ) -> list[Evidence]:
        """Takes in one more view of a track.

        Args:
            track_id: the track.
            evidence: of the track, which goes on growing.
            appearance: `(d,)`, what tells its face from others.
            weight: how good the view is, above 0 and at most 1.

        Returns:
            What the other tracks of the same person say, as far as it is known.
        """
        face = self._faces.setdefault(track_id, TrackFace(track_id, evidence))
        face.add(appearance, weight)
        self._assign(face)
        person_id = self.person_id(track_id)
        return [
            self._faces[other].evidence.seen
            for other, its_person in self._person_ids.items()
            if its_person == person_id and other != track_id
        ]

    def see(self, track_ids: Collection[int]) -> None:
        """Takes in which tracks are shown in one frame: no two of them are one person."""
        visible = frozenset(track_ids)
        if visible == self._visible:
            return
        self._visible = visible
        for track_id in visible & self._faces.keys():
            face = self._faces[track_id]
            face.is_shown = True
            face.beside |= visible - {track_id}
        self._part(sorted(visible))

    def settled(self) -> Settlement:
        """Which tracks are of one person, by all that was seen of them."""
        return settlement(self.faces)

    def _assign(self, face: TrackFace) -> None:
        """Gives the track of a face to the nearest person, or makes it one of its own."""
        track_id = face.track_id
        own = self.person_id(track_id)
        companions = [t for t, person in self._person_ids.items() if person == own]
        self._person_ids[track_id] = own
        if own == track_id and len(companions) > 1:
            return  # others have joined it
        others = [each for each in self.faces if each.track_id != track_id]
        if not others:
            return
        distances = _distances([face], others)[0]
        members: dict[int, list[int]] = {}
        for row, other in enumerate(others):
            members.setdefault(self.person_id(other.track_id), []).append(row)
        near = {
            person: float(np.average(distances[rows], weights=[others[r].weight for r in rows]))
            for person, rows in members.items()
            if not any(others[row].track_id in face.beside for row in rows)
        }
        nearest = min(near, key=near.__getitem__, default=track_id)
        if near.get(own, np.inf) < SAME_PERSON_DISTANCE + _LEAVING_MARGIN:
            nearest = own
        elif near.get(nearest, np.inf) >= SAME_PERSON_DISTANCE:
            nearest = track_id
        self._join(track_id, nearest)

    def _join(self, track_id: int, person_id: int) -> None:
        """Gives a track to a person, whose number is the id of its first track."""
        self._person_ids[track_id] = person_id
        tracks = [each for each, person in self._person_ids.items() if person == person_id]
        for each in tracks:
            self._person_ids[each] = min(tracks)

    def _part(self, visible: Sequence[int]) -> None:
        """Makes persons of their own of tracks that are seen beside another one of their person."""
        taken: set[int] = set()
        for track_id in visible:
            person_id = self.person_id(track_id)
            if person_id in taken:
                self._person_ids[track_id] = track_id
            taken.add(self.person_id(track_id))


def settlement(faces: Sequence[TrackFace]) -> Settlement:
    """Which of the tracks of a file are of one person, and what all their views say.

    Args:
        faces: of the tracks, in the order of their ids.
    """
    apart = np.array([[o.track_id in face.beside for o in faces] for face in faces], dtype=bool)
    apart = apart.reshape(len(faces), len(faces))
    qualities = np.array([face.evidence.quality for face in faces], dtype=np.float32)
    clusters = average_linkage(
        _distances(faces, faces), qualities, apart | apart.T, SAME_PERSON_DISTANCE
    )
    person_ids = {
        face.track_id: faces[first].track_id for face, first in zip(faces, clusters, strict=True)
    }
    of_person: dict[int, list[TrackEvidence]] = {}
    for face in faces:
        of_person.setdefault(person_ids[face.track_id], []).append(face.evidence)
    labels = {
        person_id: last.labels_with([each.seen for each in earlier]) if earlier else last.labels
        for person_id, (*earlier, last) in of_person.items()
    }
    return Settlement(person_ids, labels)


def _distances(one: Sequence[TrackFace], other: Sequence[TrackFace]) -> NDArray[np.float32]:
    """`(n, m)`, how far the faces are from one another; of weak ones farther than they are."""
    if not (one and other):
        return np.zeros((len(one), len(other)), np.float32)
    first, second = (np.stack([face.appearance for face in faces]) for faces in (one, other))
    squared = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2 * first @ second.T
    penalties = np.add.outer([face.penalty for face in one], [face.penalty for face in other])
    distances: NDArray[np.float32] = (np.sqrt(squared.clip(0)) + penalties).astype(np.float32)
    return distances
