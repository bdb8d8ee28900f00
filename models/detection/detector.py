"""The contract of every face detector, and what several detectors share."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from models.detection.crops import crops
from models.faces import Detections, Image, concatenate, non_maximum_suppression

WINDOW_PX = 80
"""Height and width of the window through which dlib's detectors look, px of the picture searched:
the size of the smallest face that they find. They shrink the picture step by step until larger
faces fit it; none enlarges."""

MIN_SIDE_PX = WINDOW_PX // 2
"""Height and width under which dlib's networks search no picture, px: half a face. A smaller one is
too small for their convolutions (dlib's own overrun their memory on it)."""

CROP_PX = 160
"""Side of the crop that dlib's detectors search near a known face, px; larger finds faces that
moved farther and costs more."""

CROP_FACE_PX = WINDOW_PX * 1.2
"""Width of the known face in that crop, px: a fifth above the window's, so that of the three levels
of a crop the middle one shows it in the window's size; larger finds a face that has shrunk more,
and loses one that grows sooner."""

NEIGHBOUR_IOU = 0.4
"""Overlap above which two detections in neighbouring crops are one face."""

_AUTO_MAX_PX = 1920 * 1080
"""Largest picture that dlib's detectors search unless told otherwise, px; a search of more costs
over half a second on two cores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorTraits:
    """What differs from detector to detector, as the engine needs to know it.

    Attributes:
        smallest_px: width of the smallest face that is found at scale 1, px; of narrower ones, if
            any are found, many are missed.
        threshold: the score above which a detection is a face by default.
        thresholds: the lowest and the highest threshold that make sense; what scores under the
            lowest is no face anywhere.
        clear_score: the score of most clear faces.
        candidate_margin: how far under the threshold a detection may score and still be worth a
            closer look.
        entry_margin: how far under the threshold a new face in a video may score; it is shown when
            it was found again in the next frames.
        turned_margin: how far over the threshold a face must score that is found in the picture
            turned by quarters; None where that is not searched.
        max_scale: the largest scale that is searched unless the user enlarges the picture.
        max_px: the largest picture that is searched unless the user fixes the scale, px.
    """

    smallest_px: float
    threshold: float
    thresholds: tuple[float, float]
    clear_score: float
    candidate_margin: float = 0.0
    entry_margin: float = 0.0
    turned_margin: float | None = None
    max_scale: float = float("inf")
    max_px: float = float("inf")


DLIB_TRAITS = DetectorTraits(
    smallest_px=WINDOW_PX,
    threshold=0.0,
    thresholds=(-1.0, 2.0),
    clear_score=1.0,
    max_px=_AUTO_MAX_PX,
)
"""Of both detectors of dlib: 0 is its own choice of a threshold, and its CNN gives most clear faces
a score of about 1."""


class Detector(Protocol):
    """Finds faces; boxes are px of the picture given, at whatever scale it was searched.

    Several threads may search with one detector at once.
    """

    @property
    def traits(self) -> DetectorTraits:
        """What differs from other detectors."""

    def detect(
        self, image: Image, scale: float = 1.0, threshold: float | None = None
    ) -> Detections:
        """All faces of the picture that score higher than the threshold, surest first.

        Args:
            image: the picture.
            scale: by what it is multiplied before it is searched.
            threshold: that of `traits` unless given.
        """

    def detect_near(
        self, image: Image, boxes_xyxy: NDArray[np.float32], threshold: float | None = None
    ) -> Detections:
        """The faces near places, `(n, 4)`, where faces are expected, each once.

        A face there may score a little under the threshold.
        """

    def squares(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """The squares of the same faces in which landmarks are located, `(n, k, 4)` px.

        Each is as dlib's own detectors draw it, for which dlib's predictor was made. A detector
        whose boxes only say roughly where that is gives several a face, which vary around it.
        """


def detect_in_crops(
    detector: Detector,
    image: Image,
    boxes_xyxy: NDArray[np.float32],
    threshold: float | None = None,
) -> Detections:
    """`detect_near` for a detector that takes one picture at a time."""
    pixels, transforms = crops(image, boxes_xyxy, CROP_PX, CROP_FACE_PX)
    found = [
        detector.detect(crop, 1.0, threshold).mapped(*transform)
        for crop, transform in zip(pixels, transforms, strict=True)
    ]
    return non_maximum_suppression(concatenate(found), NEIGHBOUR_IOU)


def scaled_wh(image: Image, scale: float) -> tuple[int, int]:
    """Width and height of the picture at that scale, in whole px, at least one."""
    height, width = image.shape[:2]
    return max(1, round(width * scale)), max(1, round(height * scale))


def resized(image: Image, scale: float) -> tuple[Image, tuple[float, float]]:
    """The picture at that scale, and by how much its x and y are multiplied on the way back.

    Its size is rounded to whole pixels, so that is not quite 1 / scale.
    """
    if scale == 1:
        return image, (1.0, 1.0)
    height, width = image.shape[:2]
    size_wh = scaled_wh(image, scale)
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    searched = cv2.resize(image, size_wh, interpolation=flags).astype(np.uint8, copy=False)
    return searched, (width / size_wh[0], height / size_wh[1])


def rectangle_xyxy(rectangle: dlib.rectangle) -> tuple[int, int, int, int]:
    """dlib's rectangle, whose right and bottom edges are inclusive, as our box."""
    return rectangle.left(), rectangle.top(), rectangle.right() + 1, rectangle.bottom() + 1
