"""What only the CNN detector on ONNX Runtime does: box voting."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from models.detection.cnn_detector import CnnDetector, box_voting
from models.faces import Detections, Image, centres_xy, iou

_HEAD_XYXY = np.array([[52, 55, 148, 150]], dtype=np.float32)  # the astronaut's face, by eye
_SQUARE = (0, 0, 100, 100)


@pytest.fixture(scope="module")
def head(astronaut: Image) -> Image:
    return np.ascontiguousarray(astronaut[20:220, 118:318])


def test_the_near_search_follows_a_face_more_steadily_than_the_full_one(
    cnn_detector: CnnDetector, head: Image
) -> None:
    """A face moves by one pixel a step: how far do the boxes' steps differ from that?"""

    def jitter_px(find: Callable[[Image], Detections]) -> float:
        shifts = [np.array([[1, 0, step], [0, 1, 0]], dtype=np.float32) for step in range(10)]
        size = (200, 200)
        moved = [cv2.warpAffine(head, shift, size).astype(np.uint8) for shift in shifts]
        centres = [centres_xy(find(image).boxes_xyxy)[0, 0] for image in moved]
        return float(np.abs(np.diff(centres) - 1).mean())

    full = jitter_px(cnn_detector.detect)
    near = jitter_px(lambda image: cnn_detector.detect_near(image, _HEAD_XYXY))
    assert near < full / 2


@pytest.mark.parametrize("threshold", [0.0, 0.5])
@pytest.mark.parametrize(("below", "faces"), [(0.3, 1), (0.39, 1), (0.41, 0), (0.7, 0)])
def test_a_window_a_little_under_the_threshold_is_a_face_where_one_is_expected(
    threshold: float, below: float, faces: int
) -> None:
    found = box_voting(Detections.of([_SQUARE], [threshold - below]), threshold)
    assert len(found) == faces
    assert found.boxes_xyxy.tolist() == [list(_SQUARE)] * faces


@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_a_box_is_the_mean_of_its_windows_weighted_by_their_scores(threshold: float) -> None:
    """A window that only votes is 0.8 under the threshold where its vote counts nothing."""
    boxes = [_SQUARE, (20, 0, 120, 100), (0, 60, 100, 160), (900, 0, 1000, 100)]
    scores = np.array([1.2, -0.3, 0.9, -0.7]) + threshold
    found = box_voting(Detections.of(boxes, scores), threshold)
    # The third shares a quarter with the first: it is a face of its own, and no vote.
    expected = [[20 * 0.5 / 2.5, 0, 100 + 20 * 0.5 / 2.5, 100], [0, 60, 100, 160]]
    np.testing.assert_allclose(found.boxes_xyxy, expected, rtol=1e-5)
    np.testing.assert_allclose(found.scores, [1.2 + threshold, 0.9 + threshold], rtol=1e-6)


def test_a_badly_seen_face_is_followed_though_a_full_search_passes_it_over(
    cnn_detector: CnnDetector, head: Image
) -> None:
    score = float(cnn_detector.detect(head).scores[0])
    near_score = float(cnn_detector.detect_near(head, _HEAD_XYXY).scores[0])
    strict = max(score, near_score) + 0.2
    assert len(cnn_detector.detect(head, 1.0, strict)) == 0
    (box,) = cnn_detector.detect_near(head, _HEAD_XYXY, strict).boxes_xyxy
    assert iou(box[None], _HEAD_XYXY).item() > 0.6
