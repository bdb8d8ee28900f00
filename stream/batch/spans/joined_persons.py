"""Persons of joined spans: which tracks of all spans are of one person."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from stream.labelling.settling import settlement
from stream.labelling.track_faces import TrackFace, joined_face
from stream.people import Settlement
from stream.tracks import Label

_Place: TypeAlias = tuple[int, int]
"""The number of a span, and a track of it."""


class JoinedPersons:
    """Joins the tracks of all spans of a file that are of the same face, by what each span noted.

    Persons have the number of their first track in the joined run, which is known when its frames
    come: that of each track is asked for in the order of the frames.

    Args:
        faces: by span, the faces of its tracks.
        same: by span, by track, the track of the span before that goes on in it.
    """

    def __init__(
        self, faces: Sequence[Sequence[TrackFace]], same: Sequence[Mapping[int, int]]
    ) -> None:
        self._same = same
        tracks: dict[_Place, list[TrackFace]] = {}
        for span, of_span in enumerate(faces):
            for face in of_span:
                tracks.setdefault(self._origin(span, face.tracks[0]), []).append(face)
        keys = {place: key for key, place in enumerate(tracks)}
        numbered = [
            replace(joined_face(of_track), tracks=(key,), beside=set())
            for key, of_track in enumerate(tracks.values())
        ]
        for span, of_span in enumerate(faces):
            for face in of_span:
                beside = {self._origin(span, track_id) for track_id in face.beside}
                own = numbered[keys[self._origin(span, face.tracks[0])]]
                own.beside |= {keys[place] for place in beside & keys.keys()}
        self._keys = keys
        self._settled = settlement(numbered)
        self._numbers: dict[int, int] = {}  # by person of these keys
        self._person_ids: dict[int, int] = {}  # by track of the joined run

    def __repr__(self) -> str:
        return f"JoinedPersons({len(self._settled.labels)} of {len(self._keys)} tracks)"

    def person_id(self, span: int, track_id: int, joined_id: int) -> int:
        """The number of the person of a track.

        Args:
            span: of which number.
            track_id: in that span.
            joined_id: in the joined run.
        """
        if joined_id not in self._person_ids:
            key = self._keys.get(self._origin(span, track_id))
            person_id = joined_id
            if key is not None:
                person_id = self._numbers.setdefault(self._settled.person_ids[key], joined_id)
            self._person_ids[joined_id] = person_id
        return self._person_ids[joined_id]

    def settled(self) -> Settlement:
        """The persons of the tracks that were asked for."""
        labels: dict[int, Mapping[str, Label]] = {
            number: self._settled.labels[key] for key, number in self._numbers.items()
        }
        return Settlement(self._person_ids, labels)

    def _origin(self, span: int, track_id: int) -> _Place:
        """Where a track began that may go on over several spans."""
        while span and track_id in self._same[span]:
            track_id = self._same[span][track_id]
            span -= 1
        return span, track_id
