"""The steps of a search: what each looks at, and that together they look at everything."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.following.search_steps import SearchStep, SearchSteps

_STEP_PX = 60_000  # searched in one step, at the scale of the search
_SMALL = (10, 20, 110, 220)
_LARGE = (0, 0, 1280, 720)


def _steps(
    regions: Sequence[Sequence[float]], scale: float = 1.0, face_px: float = 40.0
) -> list[SearchStep]:
    steps = SearchSteps()
    steps.divide(np.array(regions, dtype=np.float32).reshape(-1, 4), scale, face_px)
    taken = []
    while steps:
        taken.append(steps.take())
    return taken


def test_of_no_regions_no_step_is_left() -> None:
    steps = SearchSteps()
    steps.divide(np.zeros((0, 4), np.float32), 1.0, 40.0)
    assert not steps
    assert repr(steps) == "SearchSteps(0 left)"


def test_a_small_region_is_one_step_and_is_searched_as_it_is() -> None:
    first, second = _steps([_SMALL, (0, 0, 200, 300)])
    assert first.regions_xyxy.tolist() == [list(_SMALL)]
    assert second.regions_xyxy.tolist() == [[0, 0, 200, 300]]
    assert first.scale_factor == second.scale_factor == 1


@pytest.mark.parametrize(("scale", "tiles"), [(1.0, 18), (0.5, 6), (0.25, 0), (2.0, 66)])
def test_a_large_region_is_searched_coarsely_first_and_then_tile_by_tile(
    scale: float, tiles: int
) -> None:
    coarse, *fine = _steps([_LARGE], scale)
    assert coarse.regions_xyxy.tolist() == [list(_LARGE)]
    assert coarse.scale_factor == pytest.approx(min(math.sqrt(_STEP_PX / (1280 * 720)) / scale, 1))
    assert [step.scale_factor for step in fine] == [1] * tiles


def test_steps_come_region_by_region() -> None:
    places = [step.regions_xyxy[0, 0] for step in _steps([_SMALL, (2000, 0, 2500, 500), _SMALL])]
    assert places[0] == places[-1] == 10
    assert len(places) > 4
    assert min(places[1:-1]) == 2000


def test_what_is_left_can_be_forgotten() -> None:
    steps = SearchSteps()
    steps.divide(np.array([_LARGE], np.float32), 1.0, 40.0)
    assert repr(steps) == "SearchSteps(19 left)"
    steps.clear()
    assert not steps


_SIDES = st.floats(1, 4000)


@settings(deadline=None)
@given(
    st.tuples(st.floats(0, 2000), st.floats(0, 2000), _SIDES, _SIDES),
    st.floats(0.2, 2),
    st.floats(8, 80),
    st.data(),
)
def test_every_face_of_the_smallest_size_lies_wholly_in_one_step_that_sees_it(
    region: tuple[float, float, float, float], scale: float, face_px: float, data: st.DataObject
) -> None:
    """A face may lie anywhere, and be half as large again as the smallest."""
    left, top, width, height = region
    box = (left, top, left + width, top + height)
    steps = [step for step in _steps([box], scale, face_px) if step.scale_factor == 1]
    side_wh = np.minimum([1.5 * face_px] * 2, [width, height])
    aside_xy = np.array([data.draw(st.floats(0, 1)), data.draw(st.floats(0, 1))])
    first = np.array([left, top]) + aside_xy * (np.array([width, height]) - side_wh)
    last = first + side_wh
    seen = [
        (tile[:2] <= first + 0.01).all() and (tile[2:] >= last - 0.01).all()
        for step in steps
        for tile in step.regions_xyxy
    ]
    assert any(seen)


@settings(deadline=None)
@given(
    st.tuples(st.floats(0, 2000), st.floats(0, 2000), _SIDES, _SIDES),
    st.floats(0.2, 2),
    st.floats(8, 80),
)
def test_no_step_looks_beyond_its_region_nor_at_much_more_than_it_may(
    region: tuple[float, float, float, float], scale: float, face_px: float
) -> None:
    left, top, width, height = region
    box = np.array((left, top, left + width, top + height), dtype=np.float32)
    overlap = 1.5 * face_px * scale
    most = (math.sqrt(_STEP_PX) + overlap) ** 2
    for step in _steps([box], scale, face_px):
        (tile,) = step.regions_xyxy
        assert (tile[:2] >= box[:2]).all() and (tile[2:] <= box[2:]).all()
        searched = np.prod(tile[2:] - tile[:2]) * (scale * step.scale_factor) ** 2
        assert searched <= most * 1.01
        assert step.scale_factor <= 1
