"""Boxes: overlaps, clipping, suppression, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from models.faces import (
    Detections,
    Faces,
    centres_xy,
    clip,
    concatenate,
    fraction_inside,
    iou,
    non_maximum_suppression,
    sizes_wh,
    without_nested,
)

Boxes = NDArray[np.float32]
_WHOLE = st.integers(-500, 500).map(float)


@st.composite
def _boxes(draw: st.DrawFn, min_side_px: int = 0) -> Boxes:
    count = draw(st.integers(0, 12))
    corners = draw(hnp.arrays(np.float32, (count, 2), elements=_WHOLE))
    sides = st.integers(min_side_px, 300).map(float)
    return np.hstack([corners, corners + draw(hnp.arrays(np.float32, (count, 2), elements=sides))])


@st.composite
def _detections(draw: st.DrawFn) -> Detections:
    boxes = draw(_boxes())
    scores, rolls = st.floats(-1, 3, width=32), st.floats(-180, 180, width=32)
    floats = (draw(hnp.arrays(np.float32, len(boxes), elements=each)) for each in (scores, rolls))
    return Detections(boxes, *floats)


def test_iou_of_known_boxes() -> None:
    square = np.array([[0, 0, 10, 10]], dtype=np.float32)
    others = np.array(
        [[0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10], [2, 2, 4, 4], [3, 3, 3, 9]],
        dtype=np.float32,
    )
    np.testing.assert_allclose(iou(square, others), [[1, 1 / 3, 0, 0.04, 0]], rtol=1e-6)


@given(_boxes(), _boxes())
def test_iou_is_a_share_and_symmetric(first: Boxes, second: Boxes) -> None:
    overlaps = iou(first, second)
    assert overlaps.shape == (len(first), len(second))
    assert ((overlaps >= 0) & (overlaps <= 1)).all()
    np.testing.assert_array_equal(overlaps, iou(second, first).T)


@given(_boxes(min_side_px=1), st.tuples(_WHOLE, _WHOLE))
def test_iou_knows_a_box_again_and_does_not_mind_where_it_lies(
    boxes: Boxes, shift: tuple[float, float]
) -> None:
    np.testing.assert_array_equal(np.diag(iou(boxes, boxes)), np.ones(len(boxes)))
    moved = boxes + np.array([*shift, *shift], dtype=np.float32)
    np.testing.assert_array_equal(iou(moved, moved), iou(boxes, boxes))


@given(_boxes(), st.integers(1, 400), st.integers(1, 400))
def test_clip_leaves_what_lies_inside(boxes: Boxes, width: int, height: int) -> None:
    clipped = clip(boxes, (width, height))
    assert clipped.dtype == np.float32
    assert (clipped >= 0).all()
    assert (clipped[:, ::2] <= width).all() and (clipped[:, 1::2] <= height).all()
    assert (sizes_wh(clipped) >= 0).all() and (sizes_wh(clipped) <= sizes_wh(boxes)).all()
    np.testing.assert_array_equal(clip(clipped, (width, height)), clipped)
    inside = (boxes[:, :2] >= 0).all(1) & (boxes[:, 2:] <= (width, height)).all(1)
    np.testing.assert_array_equal(clipped[inside], boxes[inside])


@given(_detections(), st.floats(0, 1))
def test_suppression_keeps_the_surest_of_each_group(found: Detections, max_iou: float) -> None:
    kept = non_maximum_suppression(found, max_iou)
    assert (np.diff(kept.scores) <= 0).all()
    among_kept = iou(kept.boxes_xyxy, kept.boxes_xyxy)
    np.fill_diagonal(among_kept, 0)
    assert (among_kept <= max_iou).all()
    for index, score in enumerate(found.scores):
        overlaps = iou(found.boxes_xyxy[index : index + 1], kept.boxes_xyxy)[0]
        is_kept = (kept.boxes_xyxy == found.boxes_xyxy[index]).all(1) & (kept.scores == score)
        stands_for_it = (overlaps > max_iou) & (kept.scores >= score)
        assert is_kept.any() or stands_for_it.any()


_SCALES = st.integers(1, 8)


@given(_detections(), st.tuples(_SCALES, _SCALES), st.tuples(_WHOLE, _WHOLE))
def test_mapping_and_its_inverse(
    found: Detections, scale: tuple[float, float], offset: tuple[float, float]
) -> None:
    there = found.mapped(scale, offset)
    np.testing.assert_array_equal(sizes_wh(there.boxes_xyxy), sizes_wh(found.boxes_xyxy) * scale)
    back = there.mapped((1, 1), (-offset[0], -offset[1])).mapped((1 / scale[0], 1 / scale[1]))
    np.testing.assert_allclose(back.boxes_xyxy, found.boxes_xyxy, atol=1e-3)


def test_nothing_found_is_ordinary() -> None:
    nothing = Detections.of([], [])
    assert len(nothing) == len(nothing.mapped((2, 2), (3, 4))) == 0
    assert len(non_maximum_suppression(nothing, 0.5)) == len(concatenate([])) == 0
    assert centres_xy(nothing.boxes_xyxy).shape == sizes_wh(nothing.boxes_xyxy).shape == (0, 2)
    assert len(concatenate([nothing, Detections.of([0, 0, 1, 1], 1.0), nothing])) == 1


def test_choosing_some_faces() -> None:
    boxes = np.arange(12, dtype=np.float32).reshape(3, 4)
    landmarks = np.arange(30, dtype=np.float32).reshape(3, 5, 2)
    scores = np.array([1, 3, 2], dtype=np.float32)
    chosen = Faces(boxes, landmarks, scores)[scores > 1]
    assert len(chosen) == 2
    np.testing.assert_array_equal(chosen.landmarks_xy, landmarks[1:])
    np.testing.assert_array_equal(chosen.boxes_xyxy, boxes[1:])


@pytest.mark.parametrize(
    ("boxes", "landmarks", "scores", "complaint"),
    [
        ((2, 5), (2, 5, 2), (2,), r"boxes_xyxy should have shape \(n, 4\), has \(2, 5\)"),
        ((4,), (1, 5, 2), (1,), r"boxes_xyxy should have shape \(n, 4\), has \(4,\)"),
        ((2, 4), (2, 68, 2), (2,), r"landmarks_xy should have shape \(2, 5, 2\), has \(2, 68, 2\)"),
        ((2, 4), (2, 5, 2), (3,), r"scores should have shape \(2\), has \(3,\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    boxes: tuple[int, ...], landmarks: tuple[int, ...], scores: tuple[int, ...], complaint: str
) -> None:
    arrays = [np.zeros(shape, dtype=np.float32) for shape in (boxes, landmarks, scores)]
    with pytest.raises(ValueError, match=complaint):
        Faces(*arrays)


def test_other_types_are_refused() -> None:
    number = np.zeros(1, dtype=np.float32)
    with pytest.raises(ValueError, match="boxes_xyxy should be float32, is float64"):
        Detections(np.zeros((1, 4)), number, number)  # type: ignore[arg-type]


def test_each_detection_has_a_roll() -> None:
    boxes, number = np.zeros((2, 4), dtype=np.float32), np.zeros(2, dtype=np.float32)
    with pytest.raises(ValueError, match=r"rolls_deg should have shape \(2\), has \(1,\)"):
        Detections(boxes, number, number[:1])
    assert Detections.of(boxes, number).rolls_deg.tolist() == [0, 0]


def test_rolls_stay_with_their_faces() -> None:
    first = Detections.of([[0, 0, 9, 9], [50, 0, 59, 9]], [0.3, 0.9], [30, -170])
    both = concatenate([first.mapped((2.0, 3.0), (5.0, 5.0)), Detections.of([0, 50, 9, 59], 0.5)])
    kept = non_maximum_suppression(both, 0.5)
    assert kept.rolls_deg.tolist() == [-170, 0, 30]
    assert kept[kept.scores < 0.4].rolls_deg.tolist() == [30]


def test_how_much_of_a_box_lies_inside_a_picture() -> None:
    boxes = np.array(
        [[10, 10, 20, 20], [-5, 0, 5, 10], [90, 45, 110, 55], [200, 0, 210, 10], [5, 5, 5, 5]],
        dtype=np.float32,
    )
    np.testing.assert_allclose(fraction_inside(boxes, (100, 50)), [1, 0.5, 0.25, 0, 0])
    assert fraction_inside(boxes[:0], (100, 50)).shape == (0,)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_faces_of_a_turned_picture_are_turned_back(quarters: int) -> None:
    picture = np.zeros((60, 100), dtype=np.uint8)
    picture[10:20, 30:55] = 1
    rows, columns = np.nonzero(np.rot90(picture, quarters))
    box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    faces = Detections.of(box, 0.5, 5).turned_back(quarters, (100, 60))
    assert faces.boxes_xyxy.tolist() == [[30, 10, 55, 20]]
    assert faces.rolls_deg.tolist() == [{1: 95, 2: -175, 3: -85}[quarters]]
    assert faces.boxes_xyxy.dtype == faces.rolls_deg.dtype == np.float32


def test_what_lies_in_the_box_of_a_surer_face_is_none() -> None:
    outer, inner, beside = (0, 0, 100, 100), (30, 30, 60, 60), (70, 0, 110, 40)
    found = without_nested(Detections.of([outer, inner, beside], [0.9, 0.8, 0.7]), 0.8)
    assert found.boxes_xyxy.tolist() == [list(outer), list(beside)]
    smaller_first = without_nested(Detections.of([inner, outer], [0.9, 0.8]), 0.8)
    assert len(smaller_first) == 2, "which of them is right cannot be told"
    assert len(without_nested(Detections.of([outer, outer], [0.9, 0.8]), 0.8)) == 1
    assert len(without_nested(Detections.of([], []), 0.8)) == 0
