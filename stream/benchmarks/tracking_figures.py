"""How well tracks follow the truth of a scene."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np

from models.faces import iou
from stream.benchmarks.scenes import SceneSource, TrueFace
from stream.tracks import Track

# The truth's box is a mean over many faces: it overlaps most of them by 0.7 and more, but the odd
# one that fills its chip in another way by 0.4, though it is followed without fail.
_MATCH_IOU = 0.3
_SEEN = 0.6  # of a face: what is seen less of need not be found, and may be


@dataclass(frozen=True, slots=True)
class TrackingFigures:
    """Of one scene or several.

    Attributes:
        true_faces: how often a face was there to be seen.
        tracked_faces: how often a track said there was one.
        identified: how often it was there and its own track said so.
        switches: how often a person's track changed.
        fragments: how often a person's track was interrupted while the face was seen.
        tracks: how many tracks there were.
        track_minutes: how long they lasted, added up.
    """

    true_faces: int = 0
    tracked_faces: int = 0
    identified: int = 0
    switches: int = 0
    fragments: int = 0
    tracks: int = 0
    track_minutes: float = 0.0

    def __add__(self, other: "TrackingFigures") -> "TrackingFigures":
        return TrackingFigures(
            *(getattr(self, name) + getattr(other, name) for name in self.__slots__)
        )

    @property
    def idf1(self) -> float:
        """Identity F1 (Ristani et al., ECCV Workshops 2016)."""
        total = self.true_faces + self.tracked_faces
        return 2 * self.identified / total if total else 1.0

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        return {**asdict(self), "idf1": self.idf1}


def measure(scene: SceneSource, tracks_by_frame: Sequence[Sequence[Track]]) -> TrackingFigures:
    """Compares the tracks of each frame with the truth."""
    pairs: list[dict[int, int]] = []  # of each frame: actor → track
    true_faces = tracked_faces = 0
    for index, tracks in enumerate(tracks_by_frame):
        truth = scene.truth(index)
        matched = match(truth, tracks)
        seen = {face.actor for face in truth if face.visible >= _SEEN}
        hidden = sum(actor not in seen for actor in matched)
        true_faces += len(seen)
        tracked_faces += len(tracks) - hidden
        pairs.append({actor: track for actor, track in matched.items() if actor in seen})
    return TrackingFigures(
        true_faces=true_faces,
        tracked_faces=tracked_faces,
        identified=_identified(pairs),
        switches=sum(_switches(pairs, actor) for actor in range(len(scene.actors))),
        fragments=_fragments(scene, pairs),
        tracks=len({track.track_id for tracks in tracks_by_frame for track in tracks}),
        track_minutes=sum(map(len, tracks_by_frame)) / (scene.info.fps or 1.0) / 60,
    )


def match(truth: Sequence[TrueFace], tracks: Sequence[Track]) -> dict[int, int]:
    """Which actor each track stands for in one frame: actor → track id."""
    from scipy.optimize import linear_sum_assignment

    if not truth or not tracks:
        return {}
    overlap = iou(
        np.array([face.box_xyxy for face in truth]), np.array([each.box_xyxy for each in tracks])
    )
    in_front = np.array([[face.visible] for face in truth])  # decides where boxes coincide
    gain = overlap + 1e-3 * in_front
    return {
        truth[int(row)].actor: tracks[int(column)].track_id
        for row, column in zip(*linear_sum_assignment(gain, maximize=True), strict=True)
        if overlap[row, column] >= _MATCH_IOU
    }


def _identified(pairs: Sequence[Mapping[int, int]]) -> int:
    """Matches under the best one-to-one naming of tracks over the whole scene."""
    from scipy.optimize import linear_sum_assignment

    together = Counter(pair for frame in pairs for pair in frame.items())
    if not together:
        return 0
    actors = sorted({actor for actor, _ in together})
    ids = sorted({track for _, track in together})
    table = np.array([[together[actor, track] for track in ids] for actor in actors])
    rows, columns = linear_sum_assignment(table, maximize=True)
    return int(table[rows, columns].sum())


def _switches(pairs: Sequence[Mapping[int, int]], actor: int) -> int:
    ids = [frame[actor] for frame in pairs if actor in frame]
    return sum(before != after for before, after in pairwise(ids))


def _fragments(scene: SceneSource, pairs: Sequence[Mapping[int, int]]) -> int:
    """Times a seen face loses its track and gets one again."""
    count = 0
    for actor in range(len(scene.actors)):
        tracked = [
            actor in pairs[index]
            for index in range(len(pairs))
            if any(face.actor == actor and face.visible >= _SEEN for face in scene.truth(index))
        ]
        runs = sum(now and not before for before, now in pairwise([False, *tracked]))
        count += max(runs - 1, 0)
    return count
