"""Faces on their side or upside down have the landmarks and the embedding of upright ones."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.aligner import Aligner
from models.centerface_detector import CenterFaceDetector
from models.embedder import dlib_embedder
from models.engine import DescribedFaces, DetectionSettings, Engine
from models.faces import Image, sizes_wh

_FACE_XY = (226, 118)
"""About the middle of the face in scikit-image's portrait, px."""


@pytest.fixture(scope="module")
def engine(centerface_detector: CenterFaceDetector) -> Engine:
    settings = DetectionSettings(downscale=1)
    return Engine(centerface_detector, Aligner(), dlib_embedder(), settings)


def _turned(image: Image, degrees: float) -> tuple[Image, NDArray[np.float64]]:
    """The picture turned clockwise about the face, which comes to its middle, and how it was."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(_FACE_XY, -degrees, 1.0)
    matrix[:, 2] += width / 2 - _FACE_XY[0], height / 2 - _FACE_XY[1]
    return cv2.warpAffine(image, matrix, (width, height)).astype(np.uint8), matrix


def _described(engine: Engine, image: Image) -> DescribedFaces:
    found = engine.find(image)
    return engine.describe(image, found[np.array([0])])


@pytest.mark.parametrize("degrees", range(15, 360, 15))
def test_a_turned_face_is_described_as_the_upright_one(
    engine: Engine, astronaut: Image, degrees: int
) -> None:
    upright = _described(engine, astronaut)
    picture, matrix = _turned(astronaut, degrees)
    turned = _described(engine, picture)
    assert np.linalg.norm(turned.appearances - upright.appearances) < 0.3
    expected = cv2.transform(upright.faces.landmarks_xy, matrix)
    off_px = np.linalg.norm(turned.faces.landmarks_xy - expected, axis=2)
    assert off_px.max() < 0.1 * sizes_wh(upright.faces.boxes_xyxy)[0, 0]


def test_an_upright_face_beside_it_keeps_its_landmarks(engine: Engine, astronaut: Image) -> None:
    alone = _described(engine, astronaut).faces
    upside_down = np.ascontiguousarray(astronaut[::-1, ::-1])
    both = np.ascontiguousarray(np.hstack([astronaut, upside_down]))
    faces = engine.align(both, engine.find(both)).faces
    assert len(faces) == 2
    by_place = np.argsort(faces.boxes_xyxy[:, 0])
    np.testing.assert_allclose(faces.landmarks_xy[by_place[0]], alone.landmarks_xy[0], atol=2)
    mirrored = np.array([1023, 511]) - faces.landmarks_xy[by_place[1]]
    np.testing.assert_allclose(mirrored, alone.landmarks_xy[0], atol=8)


def test_a_face_that_is_not_found_again_keeps_the_place_it_had(
    engine: Engine, astronaut: Image
) -> None:
    """Of a flat picture nothing is found, whatever a detection says."""
    found = engine.find(astronaut)[np.array([0])]
    found.rolls_deg[:] = 90
    aligned = engine.align(np.full_like(astronaut, 90), found)
    left, top, right, bottom = found.boxes_xyxy[0]
    assert (aligned.faces.landmarks_xy[0] > (left - 40, top - 40)).all()
    assert (aligned.faces.landmarks_xy[0] < (right + 40, bottom + 40)).all()
