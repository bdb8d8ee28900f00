"""What only the divisible detector does: integers, and a search in parts."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.cnn_detector import CnnDetector
from models.divisible_cnn_detector import DivisibleCnnDetector
from models.faces import Detections, Image, centres_xy, concatenate, iou, sizes_wh
from models.search_plan import search_plan


@pytest.fixture(scope="module", params=[True, False], ids=["integers", "floats"])
def divisible(request: pytest.FixtureRequest) -> DivisibleCnnDetector:
    return DivisibleCnnDetector(quantized=request.param)


@pytest.mark.parametrize("parts", [2, 5, 20])
def test_all_parts_together_find_what_a_search_at_once_finds(
    divisible: DivisibleCnnDetector, astronaut: Image, parts: int
) -> None:
    pair = np.ascontiguousarray(np.hstack([astronaut, astronaut[:, ::-1]]))
    at_once = divisible.detect(pair)
    assert len(at_once) == 2
    in_parts = concatenate([divisible.detect_part(pair, 1.0, part, parts) for part in range(parts)])
    overlaps = iou(at_once.boxes_xyxy, in_parts.boxes_xyxy)
    assert (overlaps.max(axis=1) > 0.6).all()
    assert (overlaps.max(axis=0) > 0.3).all()  # a face may be seen in two parts, none is made up


def test_a_part_looks_at_its_own_rows_alone(
    divisible: DivisibleCnnDetector, astronaut: Image
) -> None:
    """And at what a window around their edges reaches: 56 px to either side."""
    pair = np.ascontiguousarray(np.hstack([astronaut, astronaut[:, ::-1]]))
    counts = []
    for part, bands in enumerate(search_plan((1024, 512), 20)):
        found = divisible.detect_part(pair, 1.0, part, 20)
        counts.append(len(found))
        for (_, y), (width, _) in zip(
            centres_xy(found.boxes_xyxy), sizes_wh(found.boxes_xyxy), strict=True
        ):
            scale = 80 / width
            (band,) = [each for each in bands if each.size_wh[0] == round(1024 * scale)]
            assert band.top - 56 <= y * scale <= band.bottom + 56
    assert sum(counts) >= 2
    assert counts.count(0) >= 10


def test_a_box_is_that_of_a_window_to_the_half_pixel(
    divisible: DivisibleCnnDetector, astronaut: Image
) -> None:
    """Windows are 80 px wide and lie 8 px apart, the first around pixel 14 of a border of 11."""
    ((left, top, right, bottom),) = divisible.detect(astronaut).boxes_xyxy.astype(np.float64)
    scale = 427 / 512  # of the second level, on which a face of 96 px fills the window
    assert [(right - left) * scale, (bottom - top) * scale] == pytest.approx([80, 80], abs=1e-3)
    first = 14.5 - 11 - 80 / 2
    steps = np.array([left * scale - first, top * scale - first]) / 8
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)


def test_faces_far_from_the_region_are_not_looked_for(
    divisible: DivisibleCnnDetector, astronaut: Image
) -> None:
    pair = np.ascontiguousarray(np.hstack([astronaut, astronaut[:, ::-1]]))
    both = divisible.detect(pair)
    middles = centres_xy(both.boxes_xyxy)
    for middle, other in (middles, middles[::-1]):
        region = np.concatenate([middle - 20, middle + 20]).astype(np.float32)
        found = divisible.detect_part(pair, 1.0, 0, 1, region[None])
        assert len(found) == 1
        gaps = np.linalg.norm(centres_xy(found.boxes_xyxy) - [middle, other], axis=1)
        assert gaps[0] < 15 < gaps[1]
    nowhere = np.zeros((0, 4), dtype=np.float32)
    assert len(divisible.detect_part(pair, 1.0, 0, 1, nowhere)) == 0


def test_faces_in_several_regions_are_found_like_each_on_its_own(
    divisible: DivisibleCnnDetector, astronaut: Image
) -> None:
    pair = np.ascontiguousarray(np.hstack([astronaut, astronaut[:, ::-1]]))
    middles = centres_xy(divisible.detect(pair).boxes_xyxy)
    regions = np.concatenate([middles - 20, middles + 20], axis=1).astype(np.float32)
    found = divisible.detect_part(pair, 1.0, 0, 1, regions)
    alone = concatenate([divisible.detect_part(pair, 1.0, 0, 1, each[None]) for each in regions])
    assert len(found) == 2
    assert (iou(found.boxes_xyxy, alone.boxes_xyxy).max(axis=1) > 0.8).all()


def test_a_part_of_a_search_gives_what_may_be_a_face_too(astronaut: Image) -> None:
    sure = DivisibleCnnDetector().detect(astronaut)
    strict = DivisibleCnnDetector(threshold=float(sure.scores.max()) + 0.1)
    assert len(strict.detect(astronaut)) == 0
    candidates = strict.detect_part(astronaut, 1.0, 0, 1)
    assert iou(sure.boxes_xyxy, candidates.boxes_xyxy).max() > 0.9
    assert candidates.scores.max() == sure.scores.max()


@pytest.mark.parametrize("name", ["ellen-selfie.jpg", "grammy-selfie.jpg", "sanders-rally.jpg"])
def test_it_sees_what_dlib_sees(
    shared_data: Path, divisible: DivisibleCnnDetector, name: str
) -> None:
    """Judged on photos: the ranges of the layers are those of clips."""
    photo = _photo(shared_data, name)
    expected, found = CnnDetector().detect(photo), divisible.detect(photo)
    overlaps = iou(expected.boxes_xyxy, found.boxes_xyxy)
    surely = expected.scores > 0.05
    assert surely.sum() >= 6
    assert (overlaps[surely].max(axis=1) > 0.6).all()
    assert (found.scores[overlaps.max(axis=0) < 0.5] < 0.05).all()  # none that is sure is made up
    differences = expected.scores[surely] - found.scores[overlaps[surely].argmax(axis=1)]
    assert np.abs(differences).max() < 0.15
    assert np.abs(differences).mean() < 0.04


@pytest.mark.parametrize("name", ["ellen-selfie.jpg", "grammy-selfie.jpg", "sanders-rally.jpg"])
def test_integers_score_the_windows_that_floats_score(shared_data: Path, name: str) -> None:
    """Both look at the same pixels: what differs is the arithmetic alone."""
    photo = _photo(shared_data, name)
    floats, integers = (
        DivisibleCnnDetector(quantized=each).detect(photo) for each in (False, True)
    )
    overlaps = iou(floats.boxes_xyxy, integers.boxes_xyxy)
    surely = floats.scores > 0.1
    assert (overlaps[surely].max(axis=1) > 0.6).all()
    differences = floats.scores[surely] - integers.scores[overlaps[surely].argmax(axis=1)]
    assert np.abs(differences).max() < 0.1
    assert np.abs(differences).mean() < 0.03


def _photo(shared_data: Path, name: str) -> Image:
    photo = cv2.imread(str(shared_data / "photos" / name))
    assert photo is not None
    return photo.astype(np.uint8)


def test_near_boxes_are_those_of_floats(divisible: DivisibleCnnDetector, astronaut: Image) -> None:
    near = divisible.detect(astronaut).boxes_xyxy + np.float32(6)
    one, other = (each.detect_near(astronaut, near) for each in (divisible, CnnDetector()))
    assert len(one) == len(other) == 1
    assert iou(one.boxes_xyxy, other.boxes_xyxy).item() > 0.85


def test_the_near_search_is_steady(divisible: DivisibleCnnDetector, astronaut: Image) -> None:
    """A face moves by one pixel a step: the box follows within half a pixel a step."""
    (box,) = divisible.detect(astronaut).boxes_xyxy
    centres = []
    for step in range(10):
        shift = np.array([[1, 0, step], [0, 1, 0]], dtype=np.float32)
        moved = cv2.warpAffine(astronaut, shift, astronaut.shape[1::-1]).astype(np.uint8)
        found: Detections = divisible.detect_near(moved, box[None])
        centres.append(centres_xy(found.boxes_xyxy)[0, 0])
    assert np.abs(np.diff(centres) - 1).mean() < 0.5


def test_a_face_followed_for_long_keeps_its_size(
    divisible: DivisibleCnnDetector, astronaut: Image
) -> None:
    """Each box is where the next search is made: a bias would grow from frame to frame."""

    def width_px(detector: CnnDetector | DivisibleCnnDetector) -> float:
        boxes = divisible.detect(astronaut).boxes_xyxy
        for _ in range(15):
            boxes = detector.detect_near(astronaut, boxes).boxes_xyxy
        return float(sizes_wh(boxes)[0, 0])

    assert width_px(divisible) == pytest.approx(width_px(CnnDetector()), rel=0.05)


def test_threads_do_not_disturb_one_another(
    divisible: DivisibleCnnDetector, astronaut: Image
) -> None:
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    expected = [divisible.detect(each).boxes_xyxy for each in (astronaut, mirrored)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(divisible.detect, 6 * [astronaut, mirrored]))
    for turn, each in enumerate(found):
        np.testing.assert_array_equal(each.boxes_xyxy, expected[turn % 2])
