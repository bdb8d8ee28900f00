"""Alignment: five landmarks of each face, and the upright chip that they give."""

import dlib
import numpy as np
from numpy.typing import NDArray

from models.faces import LANDMARK_COUNT, Detections, Faces, Image
from models.networks.dlib_weights import LANDMARKS_FILE, installed_file
from models.networks.graphs import CHIP_SIZE

CHIP_PADDING = 0.25
"""Margin of a chip around the face, as a fraction of its width; dlib's embedder was trained with
it."""

CHIP_FACE_SHARE = 1 / (1 + 2 * CHIP_PADDING)
"""Width of the face as a share of that of an aligned chip."""


class Aligner:
    """dlib's five-point shape predictor and its chip.

    Both treat the channels alike, so they take BGR as it comes.
    """

    def __init__(self) -> None:
        self._predictor = dlib.shape_predictor(str(installed_file(LANDMARKS_FILE)))

    def locate(
        self, image: Image, detections: Detections, squares_xyxy: NDArray[np.float32]
    ) -> Faces:
        """The detections, which should be upright, with their landmarks.

        Args:
            image: the picture.
            detections: the faces in it.
            squares_xyxy: `(n, k, 4)` px, the k squares of each face as dlib's own detector would
                give them; the landmarks are the mean of those located in each.
        """
        landmarks = np.zeros((len(detections), LANDMARK_COUNT, 2), dtype=np.float32)
        for row, squares in zip(landmarks, squares_xyxy, strict=True):
            shapes = [self._predictor(image, _rectangle(square)) for square in squares]
            points = [[(point.x, point.y) for point in shape.parts()] for shape in shapes]
            row[:] = np.mean(points, axis=0)
        return Faces(detections.boxes_xyxy, landmarks, detections.scores)

    def chips(self, image: Image, faces: Faces) -> NDArray[np.uint8]:
        """Aligned faces, `(n, 150, 150, 3)` uint8 BGR: eyes level, `CHIP_PADDING` around them."""
        chips = np.zeros((len(faces), CHIP_SIZE, CHIP_SIZE, 3), dtype=np.uint8)
        for chip, box, landmarks in zip(chips, faces.boxes_xyxy, faces.landmarks_xy, strict=True):
            points = [dlib.point(round(float(x)), round(float(y))) for x, y in landmarks]
            shape = dlib.full_object_detection(_rectangle(box), points)
            chip[:] = dlib.get_face_chip(image, shape, size=CHIP_SIZE, padding=CHIP_PADDING)
        return chips


def _rectangle(box_xyxy: NDArray[np.float32]) -> dlib.rectangle:
    """A box as dlib's rectangle, whose right and bottom edges are inclusive."""
    left, top, right, bottom = (round(float(edge)) for edge in box_xyxy)
    return dlib.rectangle(left, top, right - 1, bottom - 1)
