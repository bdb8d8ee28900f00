"""Faces that lie on their side or hang upside down.

1. They are searched for in the picture turned by quarters too: the detector is surer of faces that
   are nearly upright.
2. They are turned upright before their landmarks are located: dlib's predictor was made for upright
   faces.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.aligner import Aligner
from models.detection.detector import Detector
from models.faces import Detections, Image, centres_xy, concatenate, iou, sizes_wh

TURNED_DEG = 30.0
"""Roll from which a face is turned, degrees; up to it the predictor copes."""

_UPRIGHT_DEG = 20.0
"""Roll up to which a face that was turned counts as upright, degrees."""

_MOST_TURNS = 3
"""How often a face is turned at most: of one that hangs upside down CenterFace's roll is up to 63
degrees off, of one that is nearly upright it is right."""

_TURNED_SCALE = 0.25
"""Scale of the search of turned pictures, as a share of that of the picture; larger finds smaller
faces that hang upside down, and costs more: at this one a fifth of the search as it is."""

_TURNED_IOU = 0.3
"""Overlap with a face of the picture as it is from which one of the turned picture is the same;
lower takes neighbours for one."""

_SIDE_FACES = 2.5
"""Side of what is turned, in square roots of the area of the face's box; larger shows more around
the face."""


def with_turned(
    found: Detections, image: Image, detector: Detector, scale: float, threshold: float
) -> Detections:
    """The faces found in a picture, and large ones that are found in it turned by quarters only.

    Args:
        found: in the picture as it is.
        image: the picture.
        detector: what found them; one that knows upright faces only is not asked again.
        scale: at which the picture was searched.
        threshold: the score above which a detection is a face.
    """
    margin = detector.traits.turned_margin
    if margin is None:
        return found
    height, width = image.shape[:2]
    for quarters in (1, 2, 3):
        turned = np.ascontiguousarray(np.rot90(image, quarters))
        faces = detector.detect(turned, scale * _TURNED_SCALE, threshold + margin)
        faces = faces.turned_back(quarters, (width, height))
        is_known = (iou(faces.boxes_xyxy, found.boxes_xyxy) > _TURNED_IOU).any(axis=1)
        found = concatenate([found, faces[np.flatnonzero(~is_known)]])
    return found[np.argsort(-found.scores, kind="stable")]


def locate_turned(
    image: Image, face: Detections, detector: Detector, aligner: Aligner, threshold: float
) -> NDArray[np.float32]:
    """The landmarks `(5, 2)` px of a face that is turned.

    The face is turned upright by its roll and searched for there, which gives a better box and a
    better roll; and again, until it is upright.

    Args:
        image: the picture.
        face: one face in it.
        detector: what found it.
        aligner: locates its landmarks.
        threshold: the score above which a detection is a face.
    """
    roll_deg = float(face.rolls_deg[0])
    box = face.boxes_xyxy
    for _ in range(_MOST_TURNS):
        upright, matrix = _turned(image, box, roll_deg)
        middle = np.float32(len(upright) / 2)
        half = np.float32(_side(box) / 2)
        expected = np.array([[middle - half, middle - half, middle + half, middle + half]])
        near = detector.detect_near(upright, expected.astype(np.float32), threshold)
        back = cv2.invertAffineTransform(matrix)
        if not len(near):  # it cannot be seen better than it was
            near = Detections.of(expected, face.scores)
            break
        nearest = np.linalg.norm(centres_xy(near.boxes_xyxy) - middle, axis=1).argmin()
        near = near[np.array([nearest])]
        if abs(float(near.rolls_deg[0])) <= _UPRIGHT_DEG:
            break
        roll_deg += float(near.rolls_deg[0])
        box = _around(cv2.transform(centres_xy(near.boxes_xyxy)[None], back)[0, 0], near)
    found = aligner.locate(upright, near, detector.squares(near.boxes_xyxy))
    return cv2.transform(found.landmarks_xy, back)[0].astype(np.float32, copy=False)


def _turned(
    image: Image, box_xyxy: NDArray[np.float32], roll_deg: float
) -> tuple[Image, NDArray[np.float64]]:
    """The square around a face, turned anticlockwise about its middle, and the affine transform."""
    (x, y), side = centres_xy(box_xyxy)[0].tolist(), max(round(_side(box_xyxy) * _SIDE_FACES), 1)
    matrix = cv2.getRotationMatrix2D((x, y), roll_deg, 1.0)
    matrix[:, 2] += side / 2 - x, side / 2 - y
    turned = cv2.warpAffine(image, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    return turned.astype(np.uint8, copy=False), matrix.astype(np.float64, copy=False)


def _side(box_xyxy: NDArray[np.float32]) -> float:
    """The square root of the area of a box `(1, 4)`, px."""
    return float(np.sqrt(sizes_wh(box_xyxy).clip(1).prod()))


def _around(centre_xy: NDArray[np.float32], face: Detections) -> NDArray[np.float32]:
    """The box of a face, `(1, 4)`, moved to another centre."""
    half = sizes_wh(face.boxes_xyxy) / 2
    return np.concatenate([centre_xy - half, centre_xy + half], axis=1).astype(np.float32)
