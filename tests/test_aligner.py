"""Landmarks and chips, against dlib's own in RGB."""

import dlib
import numpy as np
import pytest

from models.aligner import Aligner
from models.faces import Detections, Faces, Image
from models.networks.dlib_weights import LANDMARKS_FILE, installed_file

_BOX = (170, 75, 266, 170)
_TILTED_OUT = (430.0, 20.0, 540.0, 130.0)  # reaches beyond the right edge


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    return Aligner()


def _located(aligner: Aligner, image: Image, detections: Detections) -> Faces:
    """The boxes are squares as dlib's detector gives them."""
    return aligner.locate(image, detections, detections.boxes_xyxy[:, None])


def test_landmarks_and_chips_are_dlibs_own(aligner: Aligner, astronaut: Image) -> None:
    detections = Detections.of([_BOX, _TILTED_OUT], [1, 1])
    faces = _located(aligner, astronaut, detections)
    chips = aligner.chips(astronaut, faces)

    rgb = np.ascontiguousarray(astronaut[..., ::-1])
    predictor = dlib.shape_predictor(str(installed_file(LANDMARKS_FILE)))
    for index, (left, top, right, bottom) in enumerate(detections.boxes_xyxy.astype(int).tolist()):
        shape = predictor(rgb, dlib.rectangle(left, top, right - 1, bottom - 1))
        expected = [(point.x, point.y) for point in shape.parts()]
        assert faces.landmarks_xy[index].tolist() == [list(map(float, each)) for each in expected]
        chip = dlib.get_face_chip(rgb, shape, size=150, padding=0.25)
        np.testing.assert_array_equal(chips[index, ..., ::-1], chip)


def test_landmarks_lie_where_the_face_is(aligner: Aligner, astronaut: Image) -> None:
    (points,) = _located(aligner, astronaut, Detections.of(_BOX, 1)).landmarks_xy
    right_eye_outer, right_eye_inner, left_eye_outer, left_eye_inner, nose = points
    assert left_eye_outer[0] < left_eye_inner[0] < nose[0] < right_eye_inner[0]
    assert right_eye_inner[0] < right_eye_outer[0]
    assert nose[1] > points[:4, 1].max()


def test_the_eyes_of_a_chip_are_level(aligner: Aligner, astronaut: Image) -> None:
    faces = _located(aligner, astronaut, Detections.of(_BOX, 1))
    chip = aligner.chips(astronaut, faces)[0]
    inside = Detections.of((30, 30, 120, 120), 1)
    points = _located(aligner, chip, inside).landmarks_xy[0]
    assert abs(points[:2, 1].mean() - points[2:4, 1].mean()) < 3
    assert points[:4, 0].mean() == pytest.approx(75, abs=4)


def test_no_faces(aligner: Aligner, astronaut: Image) -> None:
    faces = _located(aligner, astronaut, Detections.of([], []))
    assert faces.landmarks_xy.shape == (0, 5, 2)
    assert aligner.chips(astronaut, faces).shape == (0, 150, 150, 3)


def test_a_face_in_a_picture_of_one_pixel(aligner: Aligner) -> None:
    pixel: Image = np.full((1, 1, 3), 77, dtype=np.uint8)
    faces = _located(aligner, pixel, Detections.of((0, 0, 1, 1), 1))
    assert aligner.chips(pixel, faces).shape == (1, 150, 150, 3)


_VARIED = np.array(
    [[172, 80, 264, 172], [166, 72, 266, 172], [174, 70, 270, 166]], dtype=np.float32
)


def test_landmarks_are_the_mean_over_the_squares_of_a_face(
    aligner: Aligner, astronaut: Image
) -> None:
    each = _located(aligner, astronaut, Detections.of(_VARIED, np.ones(3))).landmarks_xy
    assert (each != each[0]).any(), "the squares differ enough to give other landmarks"
    detections = Detections.of([_BOX, _TILTED_OUT], [1, 1])
    squares = np.stack([_VARIED, np.tile(detections.boxes_xyxy[1], (3, 1))])
    found = aligner.locate(astronaut, detections, squares)
    np.testing.assert_allclose(found.landmarks_xy[0], each.mean(axis=0), atol=1e-4)
    alone = _located(aligner, astronaut, detections).landmarks_xy[1]
    np.testing.assert_allclose(found.landmarks_xy[1], alone, atol=1e-4)
    assert found.landmarks_xy.dtype == np.float32
