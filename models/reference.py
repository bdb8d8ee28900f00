"""The reference: the same steps through `face_recognition` and dlib themselves.

The engine's parity and speed are measured against it, and `runtime = "dlib"` runs it. Importing
this module loads every model of `face_recognition`, which takes a second or two, so it is imported
only where it is used. `face_recognition` is an extra: without it the import is a `ModelError`.
"""

import warnings
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.detection.detector import (
    DLIB_TRAITS,
    MIN_SIDE_PX,
    detect_in_crops,
    rectangle_xyxy,
    resized,
)
from models.embedder import DLIB_DIMENSIONS, DLIB_NAME
from models.faces import Detections, Image
from models.program.system_libraries import check_reference

check_reference()
with warnings.catch_warnings():
    # Its models package asks pkg_resources for its files, which warns that it is deprecated.
    warnings.filterwarnings("ignore", message=".*pkg_resources")
    from face_recognition import api


class ReferenceCnnDetector:
    """dlib's own CNN detector; its threshold cannot be lowered below 0."""

    traits = DLIB_TRAITS

    def __repr__(self) -> str:
        return "ReferenceCnnDetector()"

    def detect(
        self, image: Image, scale: float = 1.0, threshold: float | None = None
    ) -> Detections:
        """All faces of the picture, surest first."""
        threshold = self.traits.threshold if threshold is None else threshold
        searched, back_xy = resized(image, scale)
        if min(searched.shape[:2]) < MIN_SIDE_PX:
            return Detections.of([], [])
        found = [
            each for each in api.cnn_face_detector(_rgb(searched), 0) if each.confidence > threshold
        ]
        boxes = [rectangle_xyxy(each.rect) for each in found]
        return Detections.of(boxes, [each.confidence for each in found]).mapped(back_xy)

    def detect_near(
        self, image: Image, boxes_xyxy: NDArray[np.float32], threshold: float | None = None
    ) -> Detections:
        """Searches a crop around each box."""
        return detect_in_crops(self, image, boxes_xyxy, threshold)

    def squares(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """The boxes themselves, one a face."""
        return boxes_xyxy[:, None]


class ReferenceEmbedder:
    """dlib's own face recognition network."""

    name = DLIB_NAME
    dimensions = appearance_dimensions = DLIB_DIMENSIONS

    def __repr__(self) -> str:
        return f"ReferenceEmbedder({self.name})"

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """`(n, 150, 150, 3)` uint8 BGR → `(n, 128)` float32, one after another."""
        vectors = [api.face_encoder.compute_face_descriptor(_rgb(chip)) for chip in chips]
        return np.array(vectors, dtype=np.float32).reshape(-1, self.dimensions)


def embed_file(path: Path, detector: Literal["hog", "cnn"]) -> NDArray[np.float32]:
    """The faces of a picture by the calls that users of `face_recognition` write, `(n, 128)`."""
    image = api.load_image_file(path)
    places = api.face_locations(image, model=detector)
    vectors = api.face_encodings(image, places)
    return np.array(vectors, dtype=np.float32).reshape(-1, DLIB_DIMENSIONS)


def locate_and_encode(image: Image, upsample: int = 1) -> list[tuple[int, int, int, int]]:
    """Faces found (HOG) and encoded by the same calls; left, top, right, bottom of each, px."""
    rgb = _rgb(image)
    places = api.face_locations(rgb, number_of_times_to_upsample=upsample)
    api.face_encodings(rgb, places)
    return [(left, top, right, bottom) for top, right, bottom, left in places]


def _rgb(image: Image) -> Image:
    """A BGR picture as the RGB that dlib takes."""
    return np.ascontiguousarray(image[..., ::-1])
