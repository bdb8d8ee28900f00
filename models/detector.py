"""The contract of every face detector, and what several detectors share.

Every detector looks through a window of 80×80 px and shrinks the picture step by step until larger
faces fit it; none enlarges. So a picture of scale 1 gives up the faces of about 80 px and more, and
a search at scale s those of about 80 / s px and more (see `DetectionSettings`).
"""

from typing import Protocol, runtime_checkable

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from models.crops import crops
from models.faces import Detections, Image, concatenate

WINDOW_PX = 80
"""Height and width of the smallest face that a detector finds, in px of the picture searched."""

MIN_SIDE_PX = WINDOW_PX // 2
"""Height and width under which no face is searched for in a picture, px: half a face. A smaller one
is too small for the network's convolutions (dlib's own overrun their memory on it)."""

CROP_PX = 160
"""Side of the crop that is searched near a known face, px; larger finds faces that moved farther
and costs more."""

CROP_FACE_PX = WINDOW_PX * 1.2
"""Width of the known face in that crop, px: a fifth above the window's, so that of the three levels
of a crop the middle one shows it in the window's size; larger finds a face that has shrunk more,
and loses one that grows sooner."""


class Detector(Protocol):
    """Finds faces; boxes are px of the picture given, at whatever scale it was searched."""

    def detect(self, image: Image, scale: float = 1.0) -> Detections:
        """All faces of the picture, searched at `scale` times its size, surest first."""

    def detect_near(self, image: Image, boxes_xyxy: NDArray[np.float32]) -> Detections:
        """The faces near places, `(n, 4)`, where faces are expected; one may be found twice."""


@runtime_checkable
class DivisibleDetector(Detector, Protocol):
    """A detector whose search can be spread over several frames."""

    def detect_part(
        self,
        image: Image,
        scale: float,
        part: int,
        parts: int,
        regions_xyxy: NDArray[np.float32] | None = None,
    ) -> Detections:
        """What one of so many parts of a search finds: all together see what `detect` sees.

        Only faces in regions, `(n, 4)` px, and close to them are searched for; None is everywhere.
        """


def detect_in_crops(
    detector: Detector, image: Image, boxes_xyxy: NDArray[np.float32]
) -> Detections:
    """`detect_near` for a detector that takes one picture at a time."""
    pixels, transforms = crops(image, boxes_xyxy, CROP_PX, CROP_FACE_PX)
    found = [
        detector.detect(crop).mapped(*transform)
        for crop, transform in zip(pixels, transforms, strict=True)
    ]
    return concatenate(found)


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
