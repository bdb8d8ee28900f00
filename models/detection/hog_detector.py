"""dlib's HOG face detector: fast, for upright frontal faces."""

import threading

import dlib
import numpy as np
from numpy.typing import NDArray

from models.detection.detector import DLIB_TRAITS, detect_in_crops, rectangle_xyxy, resized
from models.faces import Detections, Image


class HogDetector:
    """dlib's frontal face detector, on histograms of oriented gradients.

    dlib's object keeps the pyramid of the picture it searches and lets other threads run meanwhile:
    shared by two, it corrupts memory. So each thread has one of its own.
    """

    traits = DLIB_TRAITS

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def __repr__(self) -> str:
        return "HogDetector()"

    def detect(
        self, image: Image, scale: float = 1.0, threshold: float | None = None
    ) -> Detections:
        """All faces of the picture, surest first."""
        threshold = self.traits.threshold if threshold is None else threshold
        searched, back_xy = resized(image, scale)
        # Gradients are taken from the channel where they are strongest, so BGR does as RGB does.
        # Of a part of a larger picture, dlib reads a copy that it has already freed.
        whole = np.ascontiguousarray(searched)
        rectangles, scores, _ = self._own_detector().run(whole, 0, threshold)
        boxes = [rectangle_xyxy(each) for each in rectangles]
        return Detections.of(boxes, list(scores)).mapped(back_xy)

    def detect_near(
        self, image: Image, boxes_xyxy: NDArray[np.float32], threshold: float | None = None
    ) -> Detections:
        """Searches a crop around each box."""
        return detect_in_crops(self, image, boxes_xyxy, threshold)

    def squares(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """The boxes themselves, one a face."""
        return boxes_xyxy[:, None]

    def _own_detector(self) -> dlib.fhog_object_detector:
        """The detector of the thread that asks."""
        if not hasattr(self._of_thread, "detector"):
            self._of_thread.detector = dlib.get_frontal_face_detector()
        return self._of_thread.detector
