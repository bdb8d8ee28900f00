"""The benchmark of tracks and labels: how steady boxes are, how soon newcomers are seen, casts."""

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import track
from numpy.typing import NDArray
from rich.console import Console

from stream.benchmarks.tracking.benchmark import ALL_SCENES, TrackingReport, measure_tracking
from stream.benchmarks.tracking.newcomers import (
    NewcomerMetrics,
    measure_newcomers,
    newcomer_scene,
)
from stream.benchmarks.tracking.scenes import FACES_IN_ALL, FPS, SceneSource, TrueFace, scenes
from stream.benchmarks.tracking.steadiness import Steadiness, measure_steadiness
from stream.benchmarks.tracking.tables import render
from stream.errors import SourceError
from stream.settings import Config
from stream.settings.schema import DetectionSection
from stream.tracks import Track

_CHIPS = [(np.full((64, 64, 3), 128, np.uint8), {"gender": "Female"})] * FACES_IN_ALL
_SCENES = {scene.info.uri: scene for scene in scenes(_CHIPS)}
_NEWCOMERS = newcomer_scene(_CHIPS)


def _moved(face: TrueFace, centre: Sequence[float], size: float = 1.0) -> Track:
    """A track on a face: its centre moved by so many face widths, and its size multiplied."""
    corners = face.box_xyxy.astype(np.float64).reshape(2, 2)
    middle, half = corners.mean(axis=0), (corners[1] - corners[0]) / 2
    middle = middle + 2 * half[0] * np.array(centre)
    box = np.concatenate([middle - size * half, middle + size * half])
    return track(face.face_id, box.tolist())


def _frames(scene: SceneSource) -> range:
    return range(scene.info.frame_count or 0)


@pytest.mark.parametrize("scene", _SCENES.values(), ids=lambda scene: scene.info.uri)
def test_boxes_that_move_with_the_face_are_steady(scene: SceneSource) -> None:
    """Also if a detector draws them larger, and with another middle."""
    tracks = [
        [_moved(face, (0.05, -0.1), 1.2) for face in scene.truth(index)] for index in _frames(scene)
    ]
    found = measure_steadiness(scene, tracks)
    assert found.triples > 100
    assert found.centre < 1e-4 > found.size


def test_jitter_is_the_deviation_of_independent_errors() -> None:
    scene, random = _SCENES["pan"], np.random.default_rng(0)
    tracks = [
        [
            _moved(face, random.normal(0, 0.02, 2), 1 + random.normal(0, 0.01))
            for face in scene.truth(index)
        ]
        for index in _frames(scene)
    ]
    found = measure_steadiness(scene, tracks)
    assert found.centre == pytest.approx(0.02, rel=0.1)
    assert found.size == pytest.approx(0.01, rel=0.1)


def test_a_jump_counts_in_three_triples() -> None:
    """Errors of 0, 0, d, 0, 0 have the second differences d, -2d, d: the sum of squares is 6 d²."""
    scene = _SCENES["pan"]
    tracks = [
        [_moved(face, (0.1 if index == 50 else 0.0, 0.0)) for face in scene.truth(index)]
        for index in _frames(scene)
    ]
    found = measure_steadiness(scene, tracks)
    assert found.triples == 3 * (len(tracks) - 2)
    assert found.centre_squares == pytest.approx(3 * 6 * 0.1**2 / 2, rel=1e-3)  # mean of x and y
    assert found.size_squares == pytest.approx(0, abs=1e-6)


def test_only_neighbouring_frames_of_one_track_are_compared() -> None:
    scene = _SCENES["pan"]

    def shown(index: int) -> list[Track]:
        (face, *_) = scene.truth(index)
        here = _moved(face, (0.0, 0.1 if index >= 20 else 0.0))
        return [track(7 + (index >= 20), here.box_xyxy.tolist())]

    changed = [shown(index) for index in range(40)]
    assert measure_steadiness(scene, changed).centre < 1e-4  # another track may lie elsewhere
    gap = [[] if index % 3 == 2 else shown(index) for index in range(40)]
    assert measure_steadiness(scene, gap) == Steadiness()


def test_steadiness_adds_up() -> None:
    total = Steadiness(1, 6.0, 0.0) + Steadiness(1, 6.0, 6.0) + Steadiness()
    assert (total.triples, total.centre, total.size) == (2, 1, pytest.approx(math.sqrt(0.5)))
    assert total.as_dict() == {"triples": 2, "centre": 1, "size": pytest.approx(math.sqrt(0.5))}
    assert (Steadiness().centre, Steadiness().size) == (0, 0)


def _entries() -> dict[int, int]:
    """By face id the first frame that all of it is in."""
    entries: dict[int, int] = {}
    for index in _frames(_NEWCOMERS):
        for face in _NEWCOMERS.truth(index):
            if face.visible > 0.95:
                entries.setdefault(face.face_id, index)
    return entries


def test_newcomers_come_one_after_the_other_and_stay_apart() -> None:
    entries = _entries()
    assert sorted(entries) == list(range(FACES_IN_ALL))
    assert min(entries.values()) >= FPS
    last = [face.box_xyxy for face in _NEWCOMERS.truth(_frames(_NEWCOMERS)[-1])]
    boxes: NDArray[np.float32] = np.array(last)
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= (1280, 720)).all()
    for one in range(FACES_IN_ALL):
        for other in range(one):
            apart = np.maximum(boxes[one, :2] - boxes[other, 2:], boxes[other, :2] - boxes[one, 2:])
            assert apart.max() > 20
    phases = {index % 10 for index in entries.values()}
    assert len(phases) >= 7


@pytest.mark.parametrize("late_frames", [0, 5, 12])
def test_a_delay_counts_from_when_a_face_is_wholly_in_the_picture(late_frames: int) -> None:
    entries = _entries()
    tracks = [
        [
            _moved(face, (0, 0))
            for face in _NEWCOMERS.truth(index)
            if index >= entries[face.face_id] + late_frames
        ]
        for index in _frames(_NEWCOMERS)
    ]
    found = measure_newcomers(_NEWCOMERS, tracks)
    assert found.delays_s == (late_frames / FPS,) * FACES_IN_ALL


def test_a_face_that_is_seen_sooner_counts_as_nought() -> None:
    tracks = [
        [_moved(face, (0, 0)) for face in _NEWCOMERS.truth(index)] for index in _frames(_NEWCOMERS)
    ]
    assert measure_newcomers(_NEWCOMERS, tracks).delays_s == (0,) * FACES_IN_ALL


def test_a_face_that_is_never_seen() -> None:
    found = measure_newcomers(_NEWCOMERS, [[] for _ in _frames(_NEWCOMERS)])
    assert found.delays_s == (math.inf,) * FACES_IN_ALL
    assert found.as_dict() == {
        "faces": FACES_IN_ALL,
        "never_seen": FACES_IN_ALL,
        "p50_s": None,
        "p95_s": None,
        "max_s": None,
    }


def test_percentiles_are_rounded_up_to_a_delay() -> None:
    found = NewcomerMetrics((0.4, 0.1)) + NewcomerMetrics((0.2, math.inf))
    assert [found.percentile_s(percent) for percent in (50, 66, 100)] == [0.4, 0.4, math.inf]


@pytest.fixture
def small_folder(tmp_path: Path) -> Path:
    """A folder laid out as FairFace's, with faces of two casts, one of which cannot be read."""
    (tmp_path / "train").mkdir()
    with (tmp_path / "fairface_label_train.csv").open("w", newline="") as lines:
        table = csv.writer(lines)
        table.writerow(["file", "age", "gender", "race", "service_test"])
        for number in range(2 * FACES_IN_ALL + 1):
            name = f"train/{number}.png"
            table.writerow([name, "20-29", "Male" if number else "Female", "White", "False"])
            image = np.full((64, 64, 3), 5 * number, np.uint8)
            (tmp_path / name).write_bytes(
                b"" if number == 3 else cv2.imencode(".png", image)[1].tobytes()
            )
    return tmp_path


_COARSE = Config(detection=DetectionSection(downscale=4.0))


def test_the_report_names_its_casts(small_folder: Path) -> None:
    """Grey chips are no faces, so that nothing is found, and all is reported."""
    report = measure_tracking(small_folder, _COARSE, range(1, 2))
    assert report.casts == (1,)
    assert report.newcomers.delays_s == (math.inf,) * FACES_IN_ALL
    figures = json.loads(json.dumps(report.as_dict()))
    assert figures["casts"] == [1]
    assert list(figures["scenes"])[-1] == ALL_SCENES
    assert figures["scenes"][ALL_SCENES]["jitter"] == {"triples": 0, "centre": 0, "size": 0}
    table = _rendered(report)
    assert "with cast 1" in table
    assert figures["crf"] is None
    assert "H.264" not in table
    assert "cast 1, as H.264 of CRF 28" in _rendered(replace(report, crf=28))
    assert "never" in table


def test_a_cast_that_the_folder_has_not(small_folder: Path) -> None:
    with pytest.raises(SourceError, match="too few faces for cast 2: it takes 39 that can be read"):
        measure_tracking(small_folder, _COARSE, range(2, 4))


def _rendered(report: TrackingReport) -> str:
    Console(width=120, file=(written := StringIO())).print(render(report))
    return written.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "cannot be read: it is no table of text"),
        (b"a,b\n1,2\n", "has no column age, file, gender, race"),
        (b"file,age,gender,race\nval/1.jpg,20-29\n", "line 2: a cell is empty"),
        (b"file,age,gender,race\n,1,2,3\n", "line 2: a cell is empty"),
    ],
)
def test_a_table_that_is_not_fairface_s_is_one_line(
    content: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / "fairface_label_val.csv").write_bytes(content)
    with pytest.raises(SourceError, match=f"fairface_label_val.csv.* {said}"):
        measure_tracking(tmp_path, Config(), range(1))
