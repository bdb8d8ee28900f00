"""dlib's HOG face detector: fast, for upright frontal faces."""

import dlib
import numpy as np
from numpy.typing import NDArray

from models.detector import detect_in_crops, rectangle_xyxy, resized
from models.faces import Detections, Image


class HogDetector:
    """dlib's frontal face detector, on histograms of oriented gradients.

    Args:
        threshold: scores above it are faces; 0 is dlib's own choice, higher finds fewer.
    """

    def __init__(self, *, threshold: float = 0.0) -> None:
        self._threshold = threshold
        self._detector = dlib.get_frontal_face_detector()

    def __repr__(self) -> str:
        return f"HogDetector(threshold={self._threshold:g})"

    def detect(self, image: Image, scale: float = 1.0) -> Detections:
        """All faces of the picture, surest first."""
        searched, back_xy = resized(image, scale)
        # Gradients are taken from the channel where they are strongest, so BGR does as RGB does.
        rectangles, scores, _ = self._detector.run(searched, 0, self._threshold)
        boxes = [rectangle_xyxy(each) for each in rectangles]
        return Detections.of(boxes, list(scores)).mapped(back_xy)

    def detect_near(self, image: Image, boxes_xyxy: NDArray[np.float32]) -> Detections:
        """Searches a crop around each box."""
        return detect_in_crops(self, image, boxes_xyxy)
