"""What is known of the face of a track, by which tracks of one file are compared.

It stays in the memory of the processes that read the file, and goes with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stream.labelling.evidence import TrackEvidence

_TELLING_DISTANCE = 0.62
"""Distance from the appearance of an empty chip under which a face shows little: it counts as
farther from every other by what it falls short, for dark, blurred and turned faces look alike.
Higher keeps more faces apart. 19 in 20 of people 1 to 50 are beyond 0.61, dark ones under 0.45."""


@dataclass(slots=True, eq=False)
class TrackFace:
    """The face of one track, or of several that were joined for good; it can be pickled.

    Attributes:
        tracks: their ids, in order.
        evidence: what their views say.
        empty: `(d,)` float32, the appearance of a chip in which there is nothing to see.
        beside: tracks that were seen in the same frame, which are other people.
        is_shown: a track was surely a face, and told to the sinks.
        appearance: `(d,)` float32, the mean of the appearances, by the weights of their views.
        weight: the sum of these weights.
        spread: mean squared distance of the tracks' appearances from that; 0 for one track.
    """

    tracks: tuple[int, ...]
    evidence: TrackEvidence
    empty: NDArray[np.float32]
    beside: set[int] = field(default_factory=set)
    is_shown: bool = False
    appearance: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    weight: float = 0.0
    spread: float = 0.0

    @property
    def quality(self) -> float:
        """How good its best view was, 0 to 1."""
        return self.evidence.quality

    @property
    def penalty(self) -> float:
        """By how much it counts as farther than it is from every other face."""
        return max(_TELLING_DISTANCE - float(np.linalg.norm(self.appearance - self.empty)), 0.0)

    def add(self, appearance: NDArray[np.float32], weight: float) -> None:
        """Adds the appearance `(d,)` in one more view, of that weight."""
        self.weight += weight
        if not len(self.appearance):
            self.appearance = np.zeros_like(appearance)
        share = np.float32(weight / self.weight)
        self.appearance = self.appearance + share * (appearance - self.appearance)


def joined_face(faces: Sequence[TrackFace]) -> TrackFace:
    """Several faces, in the order of their tracks, as one that is compared in their place."""
    if len(faces) == 1:
        return faces[0]
    weights = [face.quality for face in faces]
    appearances = np.stack([face.appearance for face in faces])
    mean = np.average(appearances, axis=0, weights=weights).astype(np.float32)
    deviations = ((appearances - mean) ** 2).sum(axis=1) + [face.spread for face in faces]
    return TrackFace(
        tracks=tuple(sorted(track_id for face in faces for track_id in face.tracks)),
        evidence=joined_evidence([face.evidence for face in faces]),
        empty=faces[0].empty,
        beside=set().union(*(face.beside for face in faces)),
        is_shown=any(face.is_shown for face in faces),
        appearance=mean,
        weight=sum(face.weight for face in faces),
        spread=float(np.average(deviations, weights=weights)),
    )


def joined_evidence(parts: Sequence[TrackEvidence]) -> TrackEvidence:
    """What several tracks of one person say together; that of one alone is as it is."""
    *earlier, last = parts
    return last.joined([part.seen for part in earlier], max(part.quality for part in parts))


def distances(one: Sequence[TrackFace], other: Sequence[TrackFace]) -> NDArray[np.float32]:
    """`(n, m)`, how far faces are from one another, penalties included."""
    if not (one and other):
        return np.zeros((len(one), len(other)), np.float32)
    first, second = (np.stack([face.appearance for face in faces]) for faces in (one, other))
    squared = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2 * first @ second.T
    squared += np.add.outer([face.spread for face in one], [face.spread for face in other])
    penalties = np.add.outer([face.penalty for face in one], [face.penalty for face in other])
    return (np.sqrt(squared.clip(0)) + penalties).astype(np.float32)
