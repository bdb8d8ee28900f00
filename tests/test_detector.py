"""One contract for every detector, and what detectors share."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import cv2
import dlib
import numpy as np
import pytest
from numpy.typing import NDArray

from models.detection.centerface_detector import CenterFaceDetector
from models.detection.cnn_detector import CnnDetector
from models.detection.detector import Detector, rectangle_xyxy, resized
from models.detection.hog_detector import HogDetector
from models.faces import Detections, Image, centres_xy, iou, sizes_wh
from models.reference import ReferenceCnnDetector

_FACE_XYXY = np.array([[170, 75, 266, 170]], dtype=np.float32)  # the astronaut's, by eye
_NO_BOXES = np.zeros((0, 4), dtype=np.float32)

_MAKERS: dict[str, Callable[[], Detector]] = {
    "centerface": CenterFaceDetector,
    "cnn": CnnDetector,
    "hog": HogDetector,
    "reference": ReferenceCnnDetector,
    "centerface-int8": lambda: CenterFaceDetector(precision="int8", device="cpu"),
    "centerface-mixed": lambda: CenterFaceDetector(precision="mixed", device="cpu"),
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
    assert found.boxes_xyxy.dtype == found.scores.dtype == found.rolls_deg.dtype == np.float32
    assert abs(found.rolls_deg[0]) < 20
    assert iou(found.boxes_xyxy, box_xyxy).item() > 0.6
    assert found.scores[0] > 0


def test_a_face_is_found_where_it_is(detector: Detector, head: Image) -> None:
    _assert_is_the_face(detector.detect(head), _HEAD_XYXY)


def test_a_picture_without_a_face_gives_an_empty_result(
    detector: Detector, astronaut: Image
) -> None:
    found = detector.detect(np.ascontiguousarray(astronaut[:130, :130]))
    assert found.boxes_xyxy.shape == (0, 4)
    assert found.scores.shape == found.rolls_deg.shape == (0,)


def test_a_picture_that_looks_grey(detector: Detector, head: Image) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(head, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    _assert_is_the_face(detector.detect(grey.astype(np.uint8)), _HEAD_XYXY)


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.01, 2.0])
@pytest.mark.parametrize("size_wh", [(1, 1), (5, 400), (400, 5), (7, 7), (39, 39), (41, 41)])
def test_a_tiny_picture_gives_no_face(
    detector: Detector, size_wh: tuple[int, int], scale: float
) -> None:
    width, height = size_wh
    picture = np.full((height, width, 3), 128, dtype=np.uint8)
    assert len(detector.detect(picture, scale)) == 0
    assert len(detector.detect_near(picture, np.array([[0, 0, width, height]], np.float32))) == 0


def test_a_part_of_a_larger_picture_need_not_be_copied(
    detector: Detector, astronaut: Image, head: Image
) -> None:
    part = astronaut[20:220, 118:318]
    assert not part.flags.c_contiguous
    for found, expected in (
        (detector.detect(part), detector.detect(head)),
        (detector.detect_near(part, _HEAD_XYXY), detector.detect_near(head, _HEAD_XYXY)),
    ):
        np.testing.assert_array_equal(found.boxes_xyxy, expected.boxes_xyxy)
        np.testing.assert_array_equal(found.scores, expected.scores)


def test_a_picture_is_not_written_to(detector: Detector, head: Image) -> None:
    before = head.copy()
    detector.detect(head)
    detector.detect_near(head, _HEAD_XYXY)
    np.testing.assert_array_equal(head, before)


def test_several_threads_may_search_at_once(detector: Detector, head: Image) -> None:
    # They are of several sizes, since what a detector keeps of a picture has the picture's size.
    pictures = [head, np.ascontiguousarray(head[:, ::-1]), head[10:, 5:], head[:-15, :-10]]
    alone = [detector.detect(each).boxes_xyxy for each in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda each: detector.detect(each), pictures * 6))
    for number, found in enumerate(together):
        np.testing.assert_allclose(found.boxes_xyxy, alone[number % len(pictures)], atol=0.01)


def test_near_search_finds_what_the_search_finds(detector: Detector, head: Image) -> None:
    found = detector.detect(head)
    _assert_is_the_face(detector.detect_near(head, found.boxes_xyxy), _HEAD_XYXY)


def test_the_squares_of_faces_are_where_dlibs_detector_finds_them(
    detector: Detector, head: Image
) -> None:
    squares = detector.squares(detector.detect(head).boxes_xyxy)
    assert squares.dtype == np.float32
    assert squares.shape == (1, squares.shape[1], 4)
    widths, heights = sizes_wh(squares[0]).T
    np.testing.assert_allclose(widths, heights, atol=0.01)
    assert iou(squares.mean(axis=1), _HEAD_XYXY).item() > 0.7
    assert iou(squares[0], _HEAD_XYXY).min() > 0.6
    assert detector.squares(_NO_BOXES).shape == (0, squares.shape[1], 4)


def test_what_it_says_of_itself_fits_together(detector: Detector) -> None:
    traits = detector.traits
    lowest, highest = traits.thresholds
    assert lowest < traits.threshold < highest
    assert traits.threshold < traits.clear_score
    assert 0 <= traits.entry_margin <= traits.candidate_margin <= traits.threshold - lowest
    assert traits.smallest_px > 0 and traits.max_scale >= 1 and traits.max_px > 0


@pytest.mark.parametrize(
    "name", ["centerface", "cnn", "reference", "centerface-int8"], indirect=True
)  # HOG finds whole faces
def test_a_face_that_the_edge_cuts(detector: Detector, head: Image) -> None:
    left = int(_HEAD_XYXY[0, 0]) + 15  # of 96 px
    found = detector.detect(np.ascontiguousarray(head[:, left:]))
    _assert_is_the_face(found, _HEAD_XYXY - np.array([left, 0, left, 0], dtype=np.float32))
    assert found.boxes_xyxy[0, 0] < 2


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
    found = detector.detect_near(head, boxes)
    # In a crop that shows a part of it, a part may be taken for a face, with little certainty.
    _assert_is_the_face(found[found.scores > detector.traits.threshold], _HEAD_XYXY)


def test_searching_near_finds_a_large_face_at_its_own_size(detector: Detector, head: Image) -> None:
    large = cv2.resize(head, None, fx=3, fy=3).astype(np.uint8)
    _assert_is_the_face(detector.detect_near(large, _HEAD_XYXY * 3), _HEAD_XYXY * 3)


def test_the_threshold_is_obeyed(detector: Detector, head: Image) -> None:
    score = float(detector.detect(head).scores[0])
    assert len(detector.detect(head, 1.0, score + 0.01)) == 0
    _assert_is_the_face(detector.detect(head, 1.0, score - 0.01), _HEAD_XYXY)


def test_a_lower_threshold_finds_more_and_loses_nothing(
    detector: Detector, astronaut: Image
) -> None:
    lowest, highest = detector.traits.thresholds
    small = np.ascontiguousarray(astronaut[:260, 60:320])
    found = [
        detector.detect(small, 1.0, threshold).scores
        for threshold in np.linspace(highest, max(lowest, detector.traits.threshold - 0.4), 5)
    ]
    for fewer, more in pairwise(found):
        assert len(fewer) <= len(more)
        np.testing.assert_allclose(more[: len(fewer)], fewer, atol=1e-5)
    assert len(found[-1]) >= 1


def test_two_faces_the_surest_first(detector: Detector, head: Image) -> None:
    blurred = cv2.GaussianBlur(head, None, 3).astype(np.uint8)
    found = detector.detect(np.ascontiguousarray(np.hstack([blurred, head])))
    assert len(found) == 2
    assert found.scores[0] > found.scores[1]
    assert (centres_xy(found.boxes_xyxy)[:, 0] > 200).tolist() == [True, False]


def test_a_search_at_another_scale(detector: Detector, head: Image) -> None:
    """Boxes are px of the picture; a face too small for the scale is not found."""
    wide_px = _HEAD_XYXY[0, 2] - _HEAD_XYXY[0, 0]
    shrunk = cv2.resize(head, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
    too_coarse = detector.traits.smallest_px / float(wide_px) / 2  # half of what it needs
    assert len(detector.detect(head, too_coarse)) == 0
    _assert_is_the_face(detector.detect(shrunk, 2.0), _HEAD_XYXY / 2)


@pytest.mark.parametrize("scale", [1.0, 1.3, 1.15, 2.0])
def test_boxes_are_px_of_the_picture_at_every_scale(
    detector: Detector, name: str, head: Image, scale: float
) -> None:
    if name == "reference" and scale > 1.3:
        pytest.skip("dlib takes seconds for it")
    _assert_is_the_face(detector.detect(head, scale), _HEAD_XYXY)


def test_it_says_what_it_is(detector: Detector) -> None:
    assert repr(detector).startswith(type(detector).__name__)


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


def test_dlibs_detectors_give_their_own_box_as_the_only_square(
    detector: Detector, name: str
) -> None:
    """So what they find is described as dlib itself describes it."""
    if name.startswith("centerface"):
        pytest.skip("its boxes are rectangles")
    boxes = np.concatenate([_FACE_XYXY, _FACE_XYXY * 2 + np.float32(0.3)])
    np.testing.assert_array_equal(detector.squares(boxes), boxes[:, None])


def test_centerfaces_squares_differ_and_as_a_whole_do_not_depend_on_the_boxs_form(
    centerface_detector: CenterFaceDetector,
) -> None:
    boxes = np.array([[0, 0, 100, 100], [300, 40, 380, 165]], dtype=np.float32)  # of one area
    squares = centerface_detector.squares(boxes)
    assert len(np.unique(squares[0], axis=0)) == squares.shape[1] > 1
    around = squares - np.tile(centres_xy(boxes), 2)[:, None]
    np.testing.assert_allclose(around[0], around[1], atol=1e-4)
    whole = around[0].mean(axis=0)
    assert np.abs(centres_xy(whole[None])).max() < 6
    assert sizes_wh(whole[None]) == pytest.approx(98.5, abs=0.01)
