"""What only the HOG detector does."""

import dlib
import numpy as np

from models.detection.hog_detector import HogDetector
from models.faces import Image


def test_a_box_of_the_hog_detector_is_dlibs_rectangle(astronaut: Image) -> None:
    head = np.ascontiguousarray(astronaut[20:220, 118:318])
    (rectangle,), (score,), _ = dlib.get_frontal_face_detector().run(head, 0, 0.0)
    found = HogDetector().detect(head)
    edges = rectangle.left(), rectangle.top(), rectangle.right() + 1, rectangle.bottom() + 1
    assert found.boxes_xyxy.tolist() == [list(edges)]
    assert found.scores.tolist() == [np.float32(score)]
