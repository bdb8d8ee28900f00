"""The engine finds the faces that dlib finds, and gives the vectors that face_recognition gives.

dlib takes about ten seconds a megapixel, so only pictures of up to 1.3 megapixels are searched
here, enlarged ones included; `face-stream bench --parity ../shared/data/photos/*` takes them all.
"""

from pathlib import Path

import cv2
import face_recognition
import numpy as np
import pytest
from numpy.typing import NDArray

from models.engine import DetectionSettings, Engine, load_engine
from models.faces import Detections, Image
from models.reference import ReferenceCnnDetector, ReferenceEmbedder
from stream.benchmarks.parity import BoxParity, compare_boxes, enlarged
from stream.sources.pictures import read_picture

_MAX_PX = 1_300_000
_PHOTOS = (  # smaller than that; the first of them at twice its size too
    "korean-protest.jpg",
    "ellen-selfie.jpg",
    "grammy-selfie.jpg",
    "london-olympics-basketball-men.jpg",
    "sanders-rally.jpg",
)
_MAX_DIFFERENCE = 1e-4  # of a value of an embedding


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The one that computes what dlib does."""
    return load_engine(DetectionSettings(detector="cnn", downscale=1))


@pytest.fixture(scope="module")
def pictures(photos: Path, astronaut: Image) -> list[Image]:
    """Photos and the portrait, at 1× and, where they stay small, at 2×."""
    read = [read_picture(photos / name) for name in _PHOTOS]
    images = [astronaut, *(image for image in read if image is not None)]
    assert len(images) == 1 + len(_PHOTOS)
    small = [image for image in enlarged(images) if image[..., 0].size <= _MAX_PX]
    assert len(small) == len(images) + 2
    return small


@pytest.fixture(scope="module")
def found(engine: Engine, pictures: list[Image]) -> list[Detections]:
    return [engine.find(image) for image in pictures]


def test_the_cnn_finds_what_dlibs_finds(pictures: list[Image], found: list[Detections]) -> None:
    reference, total = ReferenceCnnDetector(), BoxParity()
    for image, faces in zip(pictures, found, strict=True):
        total += compare_boxes(faces.boxes_xyxy, reference.detect(image).boxes_xyxy)
    assert min(total.engine, total.reference) >= 40
    assert total.matched_share >= 0.99, total
    assert total.close_share >= 0.95, total


def test_embeddings_are_dlibs(
    engine: Engine, pictures: list[Image], found: list[Detections]
) -> None:
    chips = np.concatenate(
        [engine.align(image, faces).chips for image, faces in zip(pictures, found, strict=True)]
    )
    ours, theirs = engine.embedder.embed(chips), ReferenceEmbedder().embed(chips)
    np.testing.assert_allclose(ours, theirs, atol=_MAX_DIFFERENCE, rtol=0)


def test_embeddings_are_those_of_face_recognition_as_people_call_it(
    engine: Engine, astronaut: Image
) -> None:
    """From pixels to vectors: its own landmarks and chips, and its own network."""
    faces = engine.find(astronaut)
    ours = engine.describe(astronaut, faces).embeddings
    np.testing.assert_allclose(ours, _encodings(astronaut, faces), atol=_MAX_DIFFERENCE, rtol=0)


def test_embeddings_of_a_group_are_those_of_face_recognition(engine: Engine, photos: Path) -> None:
    image = read_picture(photos / "grammy-selfie.jpg")
    assert image is not None
    faces = engine.find(image)
    assert len(faces) > 5
    ours = engine.describe(image, faces).embeddings
    np.testing.assert_allclose(ours, _encodings(image, faces), atol=_MAX_DIFFERENCE, rtol=0)


def _encodings(image: Image, faces: Detections) -> NDArray[np.float64]:
    """`face_encodings` at our boxes; its places are top, right, bottom, left, all inclusive."""
    rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    corners = np.rint(faces.boxes_xyxy).astype(int).tolist()
    places = [(top, right - 1, bottom - 1, left) for left, top, right, bottom in corners]
    return np.array(face_recognition.face_encodings(rgb, places, model="small"))
