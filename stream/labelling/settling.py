"""Which tracks of a file are of one person, by all that was seen of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stream.labelling.linkage import average_linkage
from stream.labelling.track_faces import TrackFace, distances, joined_face
from stream.people import Settlement

SAME_PERSON_DISTANCE = 0.62
"""Mean distance of the faces of two persons from which they are two; higher joins more shots, and
different people. Tuned on scenes of people 1 to 50, precision first."""

_LONE_DISTANCE = 0.66
"""The same for a track that is alone when all others are joined; tuned likewise."""

_LONE_MARGIN = 0.08
"""By how much farther every other person must be for that; lower joins more. Tuned likewise."""

_MOST_FACES = 1500
"""Faces that are joined at a time; more take memory by their square. Of a file with more tracks the
first ones are joined for good before the next ones come."""


def persons_of(faces: Sequence[TrackFace]) -> list[list[TrackFace]]:
    """The faces of each person, in the order of their first tracks.

    1. The two nearest are joined until none are near enough (average linkage).
    2. A track that is alone then joins a person of several tracks that is nearly as near, if no
       other person is.

    Two that were seen in one frame are never joined.

    Args:
        faces: in the order of their tracks.
    """
    apart, between = _apart(faces), distances(faces, faces)
    weights = np.array([face.quality for face in faces], dtype=np.float32)
    clusters = average_linkage(between, weights, apart, SAME_PERSON_DISTANCE)
    clusters = _with_lone_ones(clusters, between, weights, apart)
    return [
        [faces[row] for row in np.flatnonzero(clusters == each).tolist()]
        for each in np.flatnonzero(np.bincount(clusters))  # np.unique imports numpy.ma: 0.07 s
    ]


def settlement(faces: Sequence[TrackFace], at_a_time: int = _MOST_FACES) -> Settlement:
    """Which of the tracks of a file are of one person, and what all their views say.

    Args:
        faces: of the tracks, in their order.
        at_a_time: how many are joined at a time.
    """
    closed: list[TrackFace] = []
    persons: list[TrackFace] = []
    for start in range(0, len(faces), at_a_time):
        persons = [
            joined_face(each) for each in persons_of([*persons, *faces[start : start + at_a_time]])
        ]
        persons.sort(key=lambda person: person.tracks[-1])
        persons, left = persons[-at_a_time:], persons[:-at_a_time]
        closed += left  # those seen longest ago
    persons += closed
    return Settlement(
        {track_id: person.tracks[0] for person in persons for track_id in person.tracks},
        {person.tracks[0]: person.evidence.labels for person in persons},
    )


def _apart(faces: Sequence[TrackFace]) -> NDArray[np.bool_]:
    """`(n, n)`, which faces were seen in one frame."""
    rows = {track_id: row for row, face in enumerate(faces) for track_id in face.tracks}
    apart = np.zeros((len(faces), len(faces)), dtype=bool)
    for row, face in enumerate(faces):
        apart[row, [rows[track_id] for track_id in face.beside & rows.keys()]] = True
    return apart | apart.T


def _with_lone_ones(
    clusters: NDArray[np.intp],
    between: NDArray[np.float32],
    weights: NDArray[np.float32],
    apart: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """The clusters, those of one face joined to one of several where that is clear."""
    sizes = np.bincount(clusters)
    names = np.flatnonzero(sizes)
    sizes = sizes[names]
    lone, several = names[sizes == 1], names[sizes > 1]
    if not (len(lone) and len(several)):
        return clusters
    members = weights[:, None] * (clusters[:, None] == several)
    far = between[lone] @ members / members.sum(axis=0)
    among_lone = between[np.ix_(lone, lone)] + np.diag(np.full(len(lone), np.inf, np.float32))
    rivals = np.column_stack([far, among_lone.min(axis=1, initial=np.inf)])
    nearest = far.argmin(axis=1)
    rows = np.arange(len(lone))
    distance = far[rows, nearest]
    rivals[rows, nearest] = np.inf
    barred = (apart[lone].astype(np.float32) @ (members > 0))[rows, nearest] > 0
    is_clear = (distance < _LONE_DISTANCE) & (rivals.min(axis=1) - distance > _LONE_MARGIN)
    joined = clusters.copy()
    chosen = is_clear & ~barred
    joined[lone[chosen]] = several[nearest[chosen]]
    return joined
