"""Metrics of tracks against the ground truth of scenes: IDF1, identity switches, fragments."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np

from models.faces import iou
from stream.benchmarks.tracking.scenes import SceneSource, TrueFace
from stream.tracks import Track

_MATCH_IOU = 0.3
"""Overlap from which a track covers a true face. The true box is a median over many faces: it
overlaps most of them by 0.7 and more, but a face that fills its chip otherwise by 0.4 only."""

MIN_VISIBLE = 0.6
"""Visible share of a face from which it must be found; a face that is hidden more may be found."""

_IN_FRONT_GAIN = 1e-3
"""Gain in overlap of a fully visible face over a hidden one, so that of two faces whose boxes
coincide the one in front is matched."""


@dataclass(frozen=True, slots=True)
class TrackingMetrics:
    """The metrics of one scene, or the sum over several.

    Attributes:
        true_faces: visible true faces, over all frames.
        tracked_faces: faces of tracks, over all frames, those on hidden faces left out.
        identified: true faces that are covered by the track assigned to them for the whole scene.
        switches: changes from one track to another on the same face.
        fragments: interruptions of tracking while a face was visible.
        tracks: number of tracks.
        track_minutes: length of all tracks together, minutes.
    """

    true_faces: int = 0
    tracked_faces: int = 0
    identified: int = 0
    switches: int = 0
    fragments: int = 0
    tracks: int = 0
    track_minutes: float = 0.0

    def __add__(self, other: "TrackingMetrics") -> "TrackingMetrics":
        return TrackingMetrics(
            *(getattr(self, name) + getattr(other, name) for name in self.__slots__)
        )

    @property
    def idf1(self) -> float:
        """Identity F1 (Ristani et al., ECCV Workshops 2016)."""
        total = self.true_faces + self.tracked_faces
        return 2 * self.identified / total if total else 1.0

    def as_dict(self) -> dict[str, object]:
        """The metrics as JSON has them."""
        return {**asdict(self), "idf1": self.idf1}


def measure_tracks(
    scene: SceneSource, tracks_by_frame: Sequence[Sequence[Track]]
) -> TrackingMetrics:
    """Compares the tracks of each frame with the ground truth of a scene."""
    pairs: list[dict[int, int]] = []  # of each frame: face id → track id
    true_faces = tracked_faces = 0
    for index, tracks in enumerate(tracks_by_frame):
        truth = scene.truth(index)
        matched = match(truth, tracks)
        seen = {face.face_id for face in truth if face.visible >= MIN_VISIBLE}
        hidden = sum(face_id not in seen for face_id in matched)
        true_faces += len(seen)
        tracked_faces += len(tracks) - hidden
        pairs.append({each: track_id for each, track_id in matched.items() if each in seen})
    return TrackingMetrics(
        true_faces=true_faces,
        tracked_faces=tracked_faces,
        identified=_identified(pairs),
        switches=sum(_switches(pairs, face_id) for face_id in range(len(scene.faces))),
        fragments=_fragments(scene, pairs),
        tracks=len({track.track_id for tracks in tracks_by_frame for track in tracks}),
        track_minutes=sum(map(len, tracks_by_frame)) / (scene.info.fps or 1.0) / 60,
    )


def match(truth: Sequence[TrueFace], tracks: Sequence[Track]) -> dict[int, int]:
    """The true faces of one frame that tracks cover, each with its track: face id → track id."""
    from scipy.optimize import linear_sum_assignment

    if not truth or not tracks:
        return {}
    overlap = iou(
        np.array([face.box_xyxy for face in truth]), np.array([each.box_xyxy for each in tracks])
    )
    gain = overlap + _IN_FRONT_GAIN * np.array([[face.visible] for face in truth])
    return {
        truth[int(row)].face_id: tracks[int(column)].track_id
        for row, column in zip(*linear_sum_assignment(gain, maximize=True), strict=True)
        if overlap[row, column] >= _MATCH_IOU
    }


def _identified(pairs: Sequence[Mapping[int, int]]) -> int:
    """Matches under the best one-to-one assignment of tracks to faces over the whole scene."""
    from scipy.optimize import linear_sum_assignment

    together = Counter(pair for frame in pairs for pair in frame.items())
    if not together:
        return 0
    face_ids = sorted({face_id for face_id, _ in together})
    track_ids = sorted({track_id for _, track_id in together})
    table = np.array([[together[face_id, each] for each in track_ids] for face_id in face_ids])
    rows, columns = linear_sum_assignment(table, maximize=True)
    return int(table[rows, columns].sum())


def _switches(pairs: Sequence[Mapping[int, int]], face_id: int) -> int:
    ids = [frame[face_id] for frame in pairs if face_id in frame]
    return sum(before != after for before, after in pairwise(ids))


def _fragments(scene: SceneSource, pairs: Sequence[Mapping[int, int]]) -> int:
    """How often a visible face loses its track and gets one again."""
    count = 0
    for face_id in range(len(scene.faces)):
        tracked = [
            face_id in pairs[index]
            for index in range(len(pairs))
            for face in scene.truth(index)
            if face.face_id == face_id and face.visible >= MIN_VISIBLE
        ]
        runs = sum(now and not before for before, now in pairwise([False, *tracked]))
        count += max(runs - 1, 0)
    return count
