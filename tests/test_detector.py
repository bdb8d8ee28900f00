"""One contract for every detector, and what only the CNN on ONNX Runtime does."""

from collections.abc import Callable

import cv2
import dlib
import numpy as np
import pytest
from numpy.typing import NDArray

from models.detector import (
    CnnDetector,
    Detector,
    HogDetector,
    _strips,
    rectangle_xyxy,
    refined,
    resized,
)
from models.dlib_weights import DETECTOR_FILE, installed_file
from models.faces import Detections, Image, centres_xy, iou
from models.graphs import detector_graph
from models.pyramid import tiled_layout
from models.reference import ReferenceCnnDetector
from models.runtime import Session
from models.video_detector import VideoDetector

_FACE_XYXY = np.array([[170, 75, 266, 170]], dtype=np.float32)  # the astronaut's, by eye
_NO_BOXES = np.zeros((0, 4), dtype=np.float32)

_MAKERS: dict[str, Callable[..., Detector]] = {
    "cnn": CnnDetector,
    "video": VideoDetector,
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


def test_one_face(detector: Detector, head: Image) -> None:
    _assert_is_the_face(detector.detect(head), _HEAD_XYXY)


def test_no_face(detector: Detector, astronaut: Image) -> None:
    found = detector.detect(np.ascontiguousarray(astronaut[:130, :130]))
    assert found.boxes_xyxy.shape == (0, 4)
    assert found.scores.shape == (0,)


def test_a_picture_that_looks_grey(detector: Detector, head: Image) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(head, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    _assert_is_the_face(detector.detect(grey.astype(np.uint8)), _HEAD_XYXY)


@pytest.mark.parametrize("size_wh", [(1, 1), (5, 400), (400, 5), (7, 7), (39, 39), (41, 41)])
def test_tiny_pictures(detector: Detector, size_wh: tuple[int, int]) -> None:
    width, height = size_wh
    assert len(detector.detect(np.full((height, width, 3), 128, dtype=np.uint8))) == 0


@pytest.mark.parametrize(
    "name", ["cnn", "video", "reference"], indirect=True
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


# --- boxes of dlib, votes and strips ---


def test_the_last_pixel_of_dlibs_rectangle_lies_inside_the_box() -> None:
    assert rectangle_xyxy(dlib.rectangle(0, 0, 79, 79)) == (0, 0, 80, 80)
    assert rectangle_xyxy(dlib.rectangle(-3, 5, 0, 5)) == (-3, 5, 1, 6)


def test_a_box_of_the_hog_detector_is_dlibs_rectangle(head: Image) -> None:
    (rectangle,), (score,), _ = dlib.get_frontal_face_detector().run(head, 0, 0.0)
    found = HogDetector().detect(head)
    edges = rectangle.left(), rectangle.top(), rectangle.right() + 1, rectangle.bottom() + 1
    assert found.boxes_xyxy.tolist() == [list(edges)]
    assert found.scores.tolist() == [np.float32(score)]


def test_the_way_back_from_a_search_at_another_scale_is_that_of_whole_pixels() -> None:
    image = np.zeros((30, 101, 3), dtype=np.uint8)
    for scale, (height, width) in ((0.25, (8, 25)), (1.5, (45, 152)), (0.001, (1, 1))):
        searched, back_xy = resized(image, scale)
        assert searched.shape == (height, width, 3)
        assert back_xy == (101 / width, 30 / height)
    searched, back_xy = resized(image, 1)
    assert searched is image
    assert back_xy == (1, 1)


_SQUARE = (0, 0, 100, 100)


@pytest.mark.parametrize("threshold", [0.0, 0.5])
@pytest.mark.parametrize(("below", "faces"), [(0.3, 1), (0.39, 1), (0.41, 0), (0.7, 0)])
def test_a_window_a_little_under_the_threshold_is_a_face_where_one_is_expected(
    threshold: float, below: float, faces: int
) -> None:
    found = refined(Detections.of([_SQUARE], [threshold - below]), threshold)
    assert len(found) == faces
    assert found.boxes_xyxy.tolist() == [list(_SQUARE)] * faces


@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_a_box_is_the_mean_of_its_windows_weighted_by_their_scores(threshold: float) -> None:
    """A window that only votes is 0.8 under the threshold where its vote counts nothing."""
    boxes = [_SQUARE, (20, 0, 120, 100), (0, 60, 100, 160), (900, 0, 1000, 100)]
    scores = np.array([1.2, -0.3, 0.9, -0.7]) + threshold
    found = refined(Detections.of(boxes, scores), threshold)
    # The third shares a quarter with the first: it is a face of its own, and no vote.
    expected = [[20 * 0.5 / 2.5, 0, 100 + 20 * 0.5 / 2.5, 100], [0, 60, 100, 160]]
    np.testing.assert_allclose(found.boxes_xyxy, expected, rtol=1e-5)
    np.testing.assert_allclose(found.scores, [1.2 + threshold, 0.9 + threshold], rtol=1e-6)


def test_a_badly_seen_face_is_followed_though_a_full_search_passes_it_over(head: Image) -> None:
    score = float(CnnDetector().detect(head).scores[0])
    near_score = float(CnnDetector().detect_near(head, _HEAD_XYXY).scores[0])
    strict = CnnDetector(threshold=max(score, near_score) + 0.2)
    assert len(strict.detect(head)) == 0
    (box,) = strict.detect_near(head, _HEAD_XYXY).boxes_xyxy
    assert iou(box[None], _HEAD_XYXY).item() > 0.6


def test_a_canvas_over_four_megapixels_is_searched_in_strips_that_give_the_same() -> None:
    layout = tiled_layout(1000, 1900)
    assert layout.width * layout.height > 4_000_000
    strips = list(_strips(layout))
    assert len(strips) > 2
    shape = (1, 3, layout.height, layout.width)
    canvas = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8).astype(np.float32)
    session = Session(detector_graph(installed_file(DETECTOR_FILE)), device="cpu")
    whole = session.run(canvas)
    parts = [session.run(canvas[:, :, top:bottom])[:, rows] for top, bottom, rows in strips]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-4)
    assert max(bottom - top for top, bottom, _ in strips) * layout.width < 2_000_000


def test_a_canvas_of_up_to_four_megapixels_is_searched_in_one_piece() -> None:
    layout = tiled_layout(640, 480)
    ((top, bottom, rows),) = _strips(layout)
    assert (top, bottom, rows.start) == (0, layout.height, 0)
