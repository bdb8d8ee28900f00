"""One contract for every detector, and what detectors share."""

from collections.abc import Callable

import cv2
import dlib
import numpy as np
import pytest
from models.divisible_cnn_detector import DivisibleCnnDetector
from numpy.typing import NDArray

from models.cnn_detector import CnnDetector
from models.detector import Detector, rectangle_xyxy, resized
from models.faces import Detections, Image, centres_xy, iou
from models.hog_detector import HogDetector
from models.reference import ReferenceCnnDetector

_FACE_XYXY = np.array([[170, 75, 266, 170]], dtype=np.float32)  # the astronaut's, by eye
_NO_BOXES = np.zeros((0, 4), dtype=np.float32)

_MAKERS: dict[str, Callable[..., Detector]] = {
    "cnn": CnnDetector,
    "divisible": DivisibleCnnDetector,
    "hog": HogDetector,
    "reference": ReferenceCnnDetector,
}


@pytest.fixture(scope="module", params=list(_MAKERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def detector(name: str) -> Detector:
    return _MAKERS[name]()


@pytest.fixture(scope="module")
def head(astronaut: Image) -> Image:
    """The head alone: a seventh of the work for dlib."""
    return np.ascontiguousarray(astronaut[20:220, 118:318])


_HEAD_XYXY = _FACE_XYXY - np.array([118, 20, 118, 20], dtype=np.float32)


def _assert_is_the_face(found: Detections, box_xyxy: NDArray[np.float32]) -> None:
    assert len(found) == 1
    assert found.boxes_xyxy.dtype == found.scores.dtype == np.float32
    assert iou(found.boxes_xyxy, box_xyxy).item() > 0.6
    assert found.scores[0] > 0


def test_a_face_is_found_where_it_is(detector: Detector, head: Image) -> None:
    _assert_is_the_face(detector.detect(head), _HEAD_XYXY)


def test_a_picture_without_a_face_gives_an_empty_result(
    detector: Detector, astronaut: Image
) -> None:
    found = detector.detect(np.ascontiguousarray(astronaut[:130, :130]))
    assert found.boxes_xyxy.shape == (0, 4)
    assert found.scores.shape == (0,)


def test_a_picture_that_looks_grey(detector: Detector, head: Image) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(head, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    _assert_is_the_face(detector.detect(grey.astype(np.uint8)), _HEAD_XYXY)


@pytest.mark.parametrize("size_wh", [(1, 1), (5, 400), (400, 5), (7, 7), (39, 39), (41, 41)])
def test_a_tiny_picture_gives_no_face(detector: Detector, size_wh: tuple[int, int]) -> None:
    width, height = size_wh
    assert len(detector.detect(np.full((height, width, 3), 128, dtype=np.uint8))) == 0


@pytest.mark.parametrize(
    "name", ["cnn", "divisible", "reference"], indirect=True
)  # HOG finds whole faces
def test_a_face_that_the_edge_cuts(detector: Detector, head: Image) -> None:
    left = int(_HEAD_XYXY[0, 0]) + 15  # of 96 px
    found = detector.detect(np.ascontiguousarray(head[:, left:]))
    _assert_is_the_face(found, _HEAD_XYXY - np.array([left, 0, left, 0], dtype=np.float32))
    assert found.boxes_xyxy[0, 0] < 0


@pytest.mark.parametrize(
    "wrong_by", [(0, 0, 0, 0), (12, 12, 12, 12), (-15, 8, -15, 8), (-6, -6, 8, 8)]
)
def test_searching_near_a_slightly_wrong_box(
    detector: Detector, head: Image, wrong_by: tuple[int, ...]
) -> None:
    near = _HEAD_XYXY + np.array(wrong_by, dtype=np.float32)
    _assert_is_the_face(detector.detect_near(head, near), _HEAD_XYXY)


def test_searching_near_nothing(detector: Detector, head: Image) -> None:
    assert len(detector.detect_near(head, _NO_BOXES)) == 0


def test_searching_where_no_face_is_any_more(detector: Detector, astronaut: Image) -> None:
    corner = np.array([[400, 100, 490, 190]], dtype=np.float32)
    assert len(detector.detect_near(astronaut, corner)) == 0


def test_searching_near_boxes_outside_the_picture(detector: Detector, head: Image) -> None:
    partly = np.array([[-40, -40, 50, 50]], dtype=np.float32)
    outside = np.array([[900, -400, 1000, -300]], dtype=np.float32)
    empty = np.array([[30, 30, 30, 30]], dtype=np.float32)
    boxes = np.concatenate([partly, _HEAD_XYXY, outside, empty])
    _assert_is_the_face(detector.detect_near(head, boxes), _HEAD_XYXY)


def test_searching_near_finds_a_large_face_at_its_own_size(detector: Detector, head: Image) -> None:
    large = cv2.resize(head, None, fx=3, fy=3).astype(np.uint8)
    _assert_is_the_face(detector.detect_near(large, _HEAD_XYXY * 3), _HEAD_XYXY * 3)


def test_the_threshold_is_obeyed(detector: Detector, name: str, head: Image) -> None:
    score = float(detector.detect(head).scores[0])
    assert len(_MAKERS[name](threshold=score + 0.01).detect(head)) == 0
    found = _MAKERS[name](threshold=score - 0.01).detect(head)
    _assert_is_the_face(found, _HEAD_XYXY)


def test_two_faces_the_surest_first(detector: Detector, head: Image) -> None:
    blurred = cv2.GaussianBlur(head, None, 3).astype(np.uint8)
    found = detector.detect(np.ascontiguousarray(np.hstack([blurred, head])))
    assert len(found) == 2
    assert found.scores[0] > found.scores[1]
    assert (centres_xy(found.boxes_xyxy)[:, 0] > 200).tolist() == [True, False]


def test_a_search_at_another_scale(detector: Detector, head: Image) -> None:
    shrunk = cv2.resize(head, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
    assert len(detector.detect(shrunk)) == 0  # its face has 48 px
    _assert_is_the_face(detector.detect(shrunk, 2.0), _HEAD_XYXY / 2)


def test_it_says_what_it_is(detector: Detector, name: str) -> None:
    assert repr(detector).startswith(type(detector).__name__)
    assert "threshold=0" in repr(detector)


def test_the_last_pixel_of_dlibs_rectangle_lies_inside_the_box() -> None:
    assert rectangle_xyxy(dlib.rectangle(0, 0, 79, 79)) == (0, 0, 80, 80)
    assert rectangle_xyxy(dlib.rectangle(-3, 5, 0, 5)) == (-3, 5, 1, 6)


def test_the_way_back_from_a_search_at_another_scale_is_that_of_whole_pixels() -> None:
    image = np.zeros((30, 101, 3), dtype=np.uint8)
    for scale, (height, width) in ((0.25, (8, 25)), (1.5, (45, 152)), (0.001, (1, 1))):
        searched, back_xy = resized(image, scale)
        assert searched.shape == (height, width, 3)
        assert back_xy == (101 / width, 30 / height)
    searched, back_xy = resized(image, 1)
    assert searched is image
    assert back_xy == (1, 1)
