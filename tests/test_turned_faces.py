"""Faces on their side or upside down have the landmarks and the embedding of upright ones."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.aligner import Aligner
from models.detection.centerface_detector import CenterFaceDetector
from models.embedder import dlib_embedder
from models.engine import DescribedFaces, DetectionSettings, Engine
from models.faces import Detections, Image, centres_xy, sizes_wh
from models.pictures.files import decode_picture

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


@pytest.mark.parametrize("name", ["002_1", "004_1"])
def test_large_faces_are_searched_for_in_the_picture_turned_by_quarters(
    engine: Engine, name: str, shared_data: Path
) -> None:
    """Of these portraits upside down the detector alone finds no face."""
    picture = decode_picture((shared_data / "people" / f"{name}.webp").read_bytes())
    assert picture is not None
    large = cv2.copyMakeBorder(cv2.resize(picture, (500, 500)), *4 * [110], cv2.BORDER_CONSTANT)
    upside_down = np.ascontiguousarray(large[::-1, ::-1]).astype(np.uint8)
    alone, found = engine.detector.detect(upside_down), engine.find(upside_down)
    in_the_middle = np.abs(centres_xy(found.boxes_xyxy) - 360).max(axis=1) < 100
    assert len(found) == len(alone) + 1
    assert np.abs(found.rolls_deg[in_the_middle]) == pytest.approx(180, abs=20)


def test_a_detector_of_upright_faces_is_asked_once(engine: Engine, astronaut: Image) -> None:
    asked = []

    class Upright(CenterFaceDetector):
        traits = replace(CenterFaceDetector.traits, turned_margin=None)

        def detect(
            self, image: Image, scale: float = 1.0, threshold: float | None = None
        ) -> Detections:
            asked.append(image.shape)
            return Detections.of([], [])

    Engine(Upright(), engine.aligner, engine.embedder, engine.settings).find(astronaut)
    assert asked == [astronaut.shape]
