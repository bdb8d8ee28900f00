"""What only the detector for video does: integers, and a search in parts."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.detector import CnnDetector
from models.faces import Detections, Image, centres_xy, concatenate, iou, sizes_wh
from models.video_detector import VideoDetector, joined, plan

_SIDES = st.integers(1, 2000)


@pytest.fixture(scope="module", params=[True, False], ids=["integers", "floats"])
def video(request: pytest.FixtureRequest) -> VideoDetector:
    return VideoDetector(quantized=request.param)


@given(width=_SIDES, height=_SIDES, parts=st.integers(1, 40))
def test_the_parts_are_the_whole_search(width: int, height: int, parts: int) -> None:
    divided = plan((width, height), parts)
    assert len(divided) == parts
    whole = [band for bands in plan((width, height), 1) for band in bands]
    assert all((band.top, band.bottom) == (0, band.size_wh[1]) for band in whole)
    for level in whole:
        bands = [band for bands in divided for band in bands if band.size_wh == level.size_wh]
        assert (bands[0].top, bands[-1].bottom) == (0, level.bottom)
        assert all(above.bottom == below.top for above, below in pairwise(bands))


@given(parts=st.integers(1, 40))
def test_parts_cost_about_the_same(parts: int) -> None:
    size_wh = (1280, 720)
    costs = [
        sum(band.size_wh[0] * (band.bottom - band.top) for band in bands)
        for bands in plan(size_wh, parts)
    ]
    assert max(costs) - min(costs) <= 2 * size_wh[0]  # cuts are made between rows


def test_half_a_search_sees_every_other_scale() -> None:
    first, second = plan((640, 480), 2)
    assert [band.size_wh for band in first[:2]] == [(640, 480), (444, 333)]
    assert {(533, 400), (370, 278)} <= {band.size_wh for band in second}


@pytest.mark.parametrize("parts", [2, 5, 20])
def test_all_parts_together_find_what_a_search_at_once_finds(
    video: VideoDetector, astronaut: Image, parts: int
) -> None:
    pair = np.ascontiguousarray(np.hstack([astronaut, astronaut[:, ::-1]]))
    at_once = video.detect(pair)
    assert len(at_once) == 2
    in_parts = concatenate([video.detect_part(pair, 1.0, part, parts) for part in range(parts)])
    overlaps = iou(at_once.boxes_xyxy, in_parts.boxes_xyxy)
    assert (overlaps.max(axis=1) > 0.6).all()
    assert (overlaps.max(axis=0) > 0.3).all()  # a face may be seen in two parts, none is made up


def test_a_part_looks_at_its_own_rows_alone(video: VideoDetector, astronaut: Image) -> None:
    """And at what a window around their edges reaches: 56 px to either side."""
    pair = np.ascontiguousarray(np.hstack([astronaut, astronaut[:, ::-1]]))
    counts = []
    for part, bands in enumerate(plan((1024, 512), 20)):
        found = video.detect_part(pair, 1.0, part, 20)
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
    video: VideoDetector, astronaut: Image
) -> None:
    """Windows are 80 px wide and lie 8 px apart, the first around pixel 14 of a border of 11."""
    ((left, top, right, bottom),) = video.detect(astronaut).boxes_xyxy.astype(np.float64)
    scale = 427 / 512  # of the second level, on which a face of 96 px fills the window
    assert [(right - left) * scale, (bottom - top) * scale] == pytest.approx([80, 80], abs=1e-3)
    first = 14.5 - 11 - 80 / 2
    steps = np.array([left * scale - first, top * scale - first]) / 8
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)


def test_faces_far_from_the_region_are_not_looked_for(
    video: VideoDetector, astronaut: Image
) -> None:
    pair = np.ascontiguousarray(np.hstack([astronaut, astronaut[:, ::-1]]))
    both = video.detect(pair)
    middles = centres_xy(both.boxes_xyxy)
    for middle, other in (middles, middles[::-1]):
        region = np.concatenate([middle - 20, middle + 20]).astype(np.float32)
        found = video.detect_part(pair, 1.0, 0, 1, region[None])
        assert len(found) == 1
        gaps = np.linalg.norm(centres_xy(found.boxes_xyxy) - [middle, other], axis=1)
        assert gaps[0] < 15 < gaps[1]
    nowhere = np.zeros((0, 4), dtype=np.float32)
    assert len(video.detect_part(pair, 1.0, 0, 1, nowhere)) == 0


def test_faces_in_several_regions_are_found_like_each_on_its_own(
    video: VideoDetector, astronaut: Image
) -> None:
    pair = np.ascontiguousarray(np.hstack([astronaut, astronaut[:, ::-1]]))
    middles = centres_xy(video.detect(pair).boxes_xyxy)
    regions = np.concatenate([middles - 20, middles + 20], axis=1).astype(np.float32)
    found = video.detect_part(pair, 1.0, 0, 1, regions)
    alone = concatenate([video.detect_part(pair, 1.0, 0, 1, each[None]) for each in regions])
    assert len(found) == 2
    assert (iou(found.boxes_xyxy, alone.boxes_xyxy).max(axis=1) > 0.8).all()


@given(
    st.lists(st.tuples(*[st.integers(0, 300)] * 4), min_size=1, max_size=12),
    st.sampled_from([0, 20, 150]),
)
def test_regions_joined_are_searched_with_less_effort(
    places: list[tuple[int, int, int, int]], margin: int
) -> None:
    boxes = np.array([(x, y, x + wide, y + high) for x, y, wide, high in places], np.float32)
    regions = joined(boxes, margin, 500)
    within = (boxes[:, None, :2] >= regions[:, :2]) & (boxes[:, None, 2:] <= regions[:, 2:])
    assert within.all(axis=-1).any(axis=1).all()
    hull = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])[None]
    effort, apart, at_once = (
        (sizes_wh(each) + 2 * margin).prod(axis=1).sum() + 500 * len(each)
        for each in (regions, boxes, hull)
    )
    assert effort <= min(apart, at_once)


def test_a_part_of_a_search_gives_what_may_be_a_face_too(astronaut: Image) -> None:
    sure = VideoDetector().detect(astronaut)
    strict = VideoDetector(threshold=float(sure.scores.max()) + 0.1)
    assert len(strict.detect(astronaut)) == 0
    glimpsed = strict.detect_part(astronaut, 1.0, 0, 1)
    assert iou(sure.boxes_xyxy, glimpsed.boxes_xyxy).max() > 0.9
    assert glimpsed.scores.max() == sure.scores.max()


@pytest.mark.parametrize("name", ["ellen-selfie.jpg", "grammy-selfie.jpg", "sanders-rally.jpg"])
def test_it_sees_what_dlib_sees(shared_data: Path, video: VideoDetector, name: str) -> None:
    """Judged on photos: the ranges of the layers are those of clips."""
    photo = _photo(shared_data, name)
    expected, found = CnnDetector().detect(photo), video.detect(photo)
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
    floats, integers = (VideoDetector(quantized=each).detect(photo) for each in (False, True))
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


def test_near_boxes_are_those_of_floats(video: VideoDetector, astronaut: Image) -> None:
    near = video.detect(astronaut).boxes_xyxy + np.float32(6)
    one, other = (each.detect_near(astronaut, near) for each in (video, CnnDetector()))
    assert len(one) == len(other) == 1
    assert iou(one.boxes_xyxy, other.boxes_xyxy).item() > 0.85


def test_the_near_search_is_steady(video: VideoDetector, astronaut: Image) -> None:
    """A face moves by one pixel a step: the box follows within half a pixel a step."""
    (box,) = video.detect(astronaut).boxes_xyxy
    centres = []
    for step in range(10):
        shift = np.array([[1, 0, step], [0, 1, 0]], dtype=np.float32)
        moved = cv2.warpAffine(astronaut, shift, astronaut.shape[1::-1]).astype(np.uint8)
        found: Detections = video.detect_near(moved, box[None])
        centres.append(centres_xy(found.boxes_xyxy)[0, 0])
    assert np.abs(np.diff(centres) - 1).mean() < 0.5


def test_a_face_followed_for_long_keeps_its_size(video: VideoDetector, astronaut: Image) -> None:
    """Each box is where the next search is made: a bias would grow from frame to frame."""

    def width_px(detector: CnnDetector | VideoDetector) -> float:
        boxes = video.detect(astronaut).boxes_xyxy
        for _ in range(15):
            boxes = detector.detect_near(astronaut, boxes).boxes_xyxy
        return float(sizes_wh(boxes)[0, 0])

    assert width_px(video) == pytest.approx(width_px(CnnDetector()), rel=0.05)


def test_threads_do_not_disturb_one_another(video: VideoDetector, astronaut: Image) -> None:
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    expected = [video.detect(each).boxes_xyxy for each in (astronaut, mirrored)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(video.detect, 6 * [astronaut, mirrored]))
    for turn, each in enumerate(found):
        np.testing.assert_array_equal(each.boxes_xyxy, expected[turn % 2])
