"""Alignment: five landmarks of each face, and the upright chip that they give."""

import math

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from models.dlib_weights import LANDMARKS_FILE, installed_file
from models.faces import LANDMARK_COUNT, Detections, Faces, Image
from models.graphs import CHIP_SIZE

CHIP_PADDING = 0.25
"""Margin of a chip around the face, as a fraction of its width; dlib's embedder was trained with
it."""

_TURNED_DEG = 30.0
"""Roll from which a face is turned upright before its landmarks are located, degrees: dlib's
predictor was made for upright faces."""

_LEVEL_DEG = 10.0
"""Slope of the eyes after that up to which a face counts as upright, degrees: the roll that a
detector says of a face that hangs upside down may be 60 degrees off."""

_MOST_TURNS = 3
"""How often a face is turned at most until its eyes are level."""

_TURNED_SIDE = 2.0
"""Side of what is turned, in sides of the face's square; larger shows more around the face."""


class Aligner:
    """dlib's five-point shape predictor and its chip.

    Both treat the channels alike, so they take BGR as it comes.
    """

    def __init__(self) -> None:
        self._predictor = dlib.shape_predictor(str(installed_file(LANDMARKS_FILE)))

    def locate(
        self, image: Image, detections: Detections, squares_xyxy: NDArray[np.float32]
    ) -> Faces:
        """The detections with their landmarks.

        Args:
            image: the picture.
            detections: the faces in it.
            squares_xyxy: `(n, k, 4)` px, the k squares of each face as dlib's own detector would
                give them; the landmarks are the mean of those located in each.
        """
        landmarks = np.zeros((len(detections), LANDMARK_COUNT, 2), dtype=np.float32)
        for row, squares, roll in zip(
            landmarks, squares_xyxy, detections.rolls_deg.tolist(), strict=True
        ):
            turned = abs(roll) > _TURNED_DEG
            row[:] = self._turned(image, squares, roll) if turned else self._points(image, squares)
        return Faces(detections.boxes_xyxy, landmarks, detections.scores)

    def chips(self, image: Image, faces: Faces) -> NDArray[np.uint8]:
        """Aligned faces, `(n, 150, 150, 3)` uint8 BGR: eyes level, `CHIP_PADDING` around them."""
        chips = np.zeros((len(faces), CHIP_SIZE, CHIP_SIZE, 3), dtype=np.uint8)
        for chip, box, landmarks in zip(chips, faces.boxes_xyxy, faces.landmarks_xy, strict=True):
            points = [dlib.point(round(float(x)), round(float(y))) for x, y in landmarks]
            shape = dlib.full_object_detection(_rectangle(box), points)
            chip[:] = dlib.get_face_chip(image, shape, size=CHIP_SIZE, padding=CHIP_PADDING)
        return chips

    def _points(self, image: Image, squares_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """The landmarks `(5, 2)` of an upright face, the mean over its squares, `(k, 4)`."""
        shapes = [self._predictor(image, _rectangle(square)) for square in squares_xyxy]
        points = [[(point.x, point.y) for point in shape.parts()] for shape in shapes]
        return np.array(points, dtype=np.float32).mean(axis=0)

    def _turned(
        self, image: Image, squares_xyxy: NDArray[np.float32], roll_deg: float
    ) -> NDArray[np.float32]:
        """The landmarks `(5, 2)` of a face that is turned clockwise, located in it upright.

        What the landmarks say of the roll is surer than what the detector says, so the face is
        turned again where its eyes are not level.
        """
        for _ in range(_MOST_TURNS):
            upright, squares, matrix = _upright(image, squares_xyxy, roll_deg)
            points = self._points(upright, squares)
            dx, dy = points[0:2].mean(axis=0) - points[2:4].mean(axis=0)
            slope_deg = math.degrees(math.atan2(dy, dx))
            if abs(slope_deg) <= _LEVEL_DEG:
                break
            roll_deg += slope_deg
        back = cv2.invertAffineTransform(matrix)
        return cv2.transform(points[None], back)[0].astype(np.float32, copy=False)


def _upright(
    image: Image, squares_xyxy: NDArray[np.float32], roll_deg: float
) -> tuple[Image, NDArray[np.float32], NDArray[np.float64]]:
    """What surrounds a face, turned anticlockwise; its squares in it; and how it was turned."""
    left, top, right, bottom = squares_xyxy.mean(axis=0).tolist()
    x, y = (left + right) / 2, (top + bottom) / 2
    size = max(round((right - left) * _TURNED_SIDE), 1)
    matrix = cv2.getRotationMatrix2D((x, y), roll_deg, 1.0)
    matrix[:, 2] += size / 2 - x, size / 2 - y
    upright = cv2.warpAffine(image, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
    squares = squares_xyxy + np.array([size / 2 - x, size / 2 - y] * 2, dtype=np.float32)
    return upright.astype(np.uint8, copy=False), squares, matrix.astype(np.float64, copy=False)


def _rectangle(box_xyxy: NDArray[np.float32]) -> dlib.rectangle:
    """A box as dlib's rectangle, whose right and bottom edges are inclusive."""
    left, top, right, bottom = (round(float(edge)) for edge in box_xyxy)
    return dlib.rectangle(left, top, right - 1, bottom - 1)
