"""The metrics of tracking on tracks made up by hand, and the tracker on scenes of known truth."""

from collections.abc import Sequence

import numpy as np
import pytest

from models.faces import Detections, centres_xy, sizes_wh
from stream.benchmarks.tracking.scenes import FACES_IN_ALL, FPS, SceneSource, scenes
from stream.benchmarks.tracking.tracking_metrics import TrackingMetrics, measure_tracks
from stream.following.tracker import Tracker
from stream.tracks import Track

_CHIP = np.full((224, 224, 3), 128, dtype=np.uint8)
_SCENES = scenes([(_CHIP, {"gender": "Female", "race": "White"})] * FACES_IN_ALL)

_MIN_VISIBLE = 0.6
"""Visible share of a face from which the made-up detector finds it."""

_NOISE = 0.012
"""Standard deviation of the edges of its boxes, in face widths."""

_MISS_RATE = 0.03
"""Share of the faces near tracks that it misses."""

_SEARCH_EVERY = 10
"""Every how many frames all of the frame is searched."""

_SHOWN_MISSED = 3
"""Missed frames for which the annotator shows a face where it should be."""


def _scene(name: str) -> SceneSource:
    (scene,) = (each for each in _SCENES if each.info.uri == name)
    return scene


def _track(track_id: int, box: np.ndarray) -> Track:
    return Track(track_id, box, 1.0, {}, 1, 0, 1.0)


def _perfect(scene: SceneSource) -> list[list[Track]]:
    return [
        [
            _track(face.face_id, face.box_xyxy)
            for face in scene.truth(index)
            if face.visible >= _MIN_VISIBLE
        ]
        for index in range(scene.info.frame_count or 0)
    ]


@pytest.mark.parametrize("scene", _SCENES, ids=lambda scene: scene.info.uri)
def test_tracks_that_equal_the_truth_are_perfect(scene: SceneSource) -> None:
    metrics = measure_tracks(scene, _perfect(scene))
    assert metrics.idf1 > 0.999
    assert (metrics.switches, metrics.fragments) == (0, 0)
    assert metrics.tracks == len(scene.faces)


def test_tracks_that_change_places_are_counted() -> None:
    scene = _scene("pan")
    tracks = _perfect(scene)
    half = len(tracks) // 2
    swapped = [[_track(2 - each.track_id, each.box_xyxy) for each in row] for row in tracks[half:]]
    metrics = measure_tracks(scene, [*tracks[:half], *swapped])
    assert metrics.switches == 2  # the one in the middle keeps its number
    assert metrics.idf1 == pytest.approx(2 / 3, abs=0.01)


def test_a_gap_is_a_fragment_and_costs_what_it_is_long() -> None:
    scene = _scene("pan")
    tracks = _perfect(scene)
    tracks[20:30] = [[each for each in row if each.track_id != 1] for row in tracks[20:30]]
    metrics = measure_tracks(scene, tracks)
    assert (metrics.switches, metrics.fragments) == (0, 1)
    assert metrics.identified == metrics.true_faces - 10


def test_false_alarms_lower_idf1() -> None:
    scene = _scene("pan")
    far = np.array([0, 0, 40, 40], dtype=np.float32)
    metrics = measure_tracks(scene, [[*row, _track(99, far)] for row in _perfect(scene)])
    assert metrics.idf1 == pytest.approx(2 * 3 / (3 + 4))


@pytest.mark.parametrize("scene", _SCENES, ids=lambda scene: scene.info.uri)
@pytest.mark.parametrize("seed", range(3))
def test_the_tracker_keeps_people_apart(scene: SceneSource, seed: int) -> None:
    """With a detector that is noisy and misses faces, and without embeddings."""
    metrics = measure_tracks(scene, _followed(scene, seed))
    if scene.info.uri == "leave and return":  # out of the frame for a second
        assert metrics.idf1 > 0.8
        return
    assert metrics.idf1 > 0.95
    if scene.info.uri == "cross":  # a hidden face may take the other's track
        return
    # A face that was hidden is found again up to three frames late.
    hidden = 2 if scene.info.uri == "occlude" else 0
    assert metrics.switches == 0
    assert metrics.fragments <= hidden


def _followed(scene: SceneSource, seed: int) -> list[list[Track]]:
    random = np.random.default_rng(seed)
    tracker, rows = Tracker(FPS), []
    for index in range(scene.info.frame_count or 0):
        boxes = _found(scene, index, random)
        expected = tracker.predicted_xyxy()
        gaps = np.abs(centres_xy(boxes)[:, None] - centres_xy(expected)[None]).max(axis=-1)
        near = (gaps < 0.8 * sizes_wh(expected)[None, :, 0]).any(axis=1)
        near &= random.random(len(boxes)) > _MISS_RATE
        tracker.follow(_faces(boxes[near]))
        if index % _SEARCH_EVERY == 0:
            found = _faces(boxes)
            new = found[tracker.unexplained_rows(found.boxes_xyxy)]
            tracker.admit(new, np.ones(len(new), dtype=np.bool_), {})
        rows.append(
            [
                _track(each.track_id, each.box_xyxy)
                for each in tracker.states
                if each.missed_frames <= _SHOWN_MISSED
            ]
        )
    return rows


def _found(scene: SceneSource, index: int, random: np.random.Generator) -> np.ndarray:
    seen = [face.box_xyxy for face in scene.truth(index) if face.visible >= _MIN_VISIBLE]
    boxes = np.array(seen, dtype=np.float32).reshape(-1, 4)
    return boxes + random.normal(0, _NOISE, boxes.shape).astype(np.float32) * sizes_wh(boxes)[:, :1]


def _faces(boxes: np.ndarray) -> Detections:
    return Detections.of(boxes, np.ones(len(boxes)))


def test_metrics_add_up() -> None:
    parts: Sequence[TrackingMetrics] = [
        measure_tracks(each, _perfect(each)) for each in _SCENES[:2]
    ]
    total = sum(parts, TrackingMetrics())
    assert total.true_faces == parts[0].true_faces + parts[1].true_faces
    assert total.idf1 > 0.999
