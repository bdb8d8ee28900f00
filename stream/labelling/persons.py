"""Persons: which tracks of one file are of the same face, while the file is read and at its end."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from stream.labelling.evidence import Evidence, TrackEvidence
from stream.labelling.settling import SAME_PERSON_DISTANCE, settlement
from stream.labelling.track_faces import TrackFace
from stream.people import Settlement

_LEAVING_MARGIN = 0.03
"""By how much farther than `SAME_PERSON_DISTANCE` a track may be from its person while it is
followed; higher changes the number of a person less often."""

_COMPARED = 2000
"""Tracks that one is compared with while the file is read, the newest; more cost more a view."""


class Persons:
    """Joins the tracks of one file that are of the same face.

    1. While the file is read, a track belongs to the person whose tracks are nearest on average, if
       they are near enough and none of them was seen beside it; else it is a person of its own.
    2. When all of it was read, all tracks are joined anew, the nearest first.

    Args:
        empty: `(d,)`, the appearance of a chip in which there is nothing to see.
    """

    def __init__(self, empty: NDArray[np.float32]) -> None:
        self._empty = empty
        self._tracks: list[TrackFace] = []
        self._rows: dict[int, int] = {}  # by track, its place in the list and in the arrays
        self._person_ids = np.zeros(0, np.int64)
        self._appearances = np.zeros((0, len(empty)), np.float32)
        self._weights = np.zeros(0, np.float32)  # 0 until a track is shown
        self._penalties = np.zeros(0, np.float32)
        self._visible: frozenset[int] = frozenset()
        self._has_new_view = False  # since tracks were seen last

    def __repr__(self) -> str:
        return f"Persons({len(np.unique(self._person_ids))} of {len(self._tracks)} tracks)"

    @property
    def faces(self) -> Sequence[TrackFace]:
        """The faces of all tracks that were shown and viewed, in the order of their tracks."""
        shown = (face for face in self._tracks if face.is_shown)
        return sorted(shown, key=lambda face: face.tracks)

    def person_id(self, track_id: int) -> int:
        """The number of the person of a track as far as it is known: the id of its first track."""
        row = self._rows.get(track_id)
        return track_id if row is None else int(self._person_ids[row])

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
        self._has_new_view = True
        row = self._row(track_id, evidence)
        face = self._tracks[row]
        face.add(appearance, weight)
        self._appearances[row], self._penalties[row] = face.appearance, face.penalty
        self._assign(row)
        others = np.flatnonzero(self._person_ids == self._person_ids[row])
        return [self._tracks[other].evidence.seen for other in others if other != row]

    def see(self, track_ids: Collection[int]) -> None:
        """Takes in which tracks are shown in one frame: no two of them are one person."""
        visible = frozenset(track_ids)
        if visible == self._visible and not self._has_new_view:
            return
        self._visible, self._has_new_view = visible, False
        taken: set[int] = set()
        for track_id in sorted(visible & self._rows.keys()):
            row = self._rows[track_id]
            face = self._tracks[row]
            self._weights[row] = max(face.evidence.quality, self._weights[row])
            face.is_shown = True
            face.beside |= visible - {track_id}
            if int(self._person_ids[row]) in taken:
                self._person_ids[row] = track_id
            taken.add(int(self._person_ids[row]))

    def settled(self) -> Settlement:
        """Which tracks are of one person, by all that was seen of them."""
        return settlement(self.faces)

    def _row(self, track_id: int, evidence: TrackEvidence) -> int:
        """The place of a track, which is made for one that is new."""
        if track_id not in self._rows:
            self._rows[track_id] = len(self._tracks)
            self._tracks.append(TrackFace((track_id,), evidence, self._empty))
            self._person_ids = np.append(self._person_ids, track_id)
            self._appearances = np.vstack([self._appearances, self._empty])
            self._weights = np.append(self._weights, np.float32(0))
            self._penalties = np.append(self._penalties, np.float32(0))
        return self._rows[track_id]

    def _assign(self, row: int) -> None:
        """Gives a track to the nearest person, or makes it one of its own."""
        (track_id,), own = self._tracks[row].tracks, int(self._person_ids[row])
        if own == track_id and (self._person_ids == own).sum() > 1:
            return  # others have joined it
        means = self._mean_distances(row)
        nearest = min(means, key=means.__getitem__, default=track_id)
        if means.get(own, np.inf) < SAME_PERSON_DISTANCE + _LEAVING_MARGIN:
            nearest = own
        elif means.get(nearest, np.inf) >= SAME_PERSON_DISTANCE:
            nearest = track_id
        self._person_ids[row] = nearest
        if nearest > track_id:  # a person has the number of its first track
            self._person_ids[self._person_ids == nearest] = track_id

    def _mean_distances(self, row: int) -> dict[int, float]:
        """By person that a track may be of, the mean distance of its other tracks."""
        rows = np.flatnonzero(self._weights[-_COMPARED:]) + max(len(self._weights) - _COMPARED, 0)
        rows = rows[rows != row]
        if not len(rows):
            return {}
        away = self._appearances[rows] - self._appearances[row]
        distances = np.sqrt(np.einsum("ij,ij->i", away, away))
        distances += self._penalties[rows] + self._penalties[row]
        persons, places = np.unique(self._person_ids[rows], return_inverse=True)
        weights = self._weights[rows]
        means = np.bincount(places, weights * distances) / np.bincount(places, weights)
        beside = self._tracks[row].beside | (self._visible - {self._tracks[row].tracks[0]})
        barred = {self.person_id(track_id) for track_id in beside}
        return {
            person: mean
            for person, mean in zip(persons.tolist(), means.tolist(), strict=True)
            if person not in barred
        }
