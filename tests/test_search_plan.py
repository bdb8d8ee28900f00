"""How a search is divided into parts, and which regions are searched together."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.faces import sizes_wh
from models.search_plan import merged_regions, search_plan

_SIDES = st.integers(1, 2000)


@given(width=_SIDES, height=_SIDES, parts=st.integers(1, 40))
def test_the_parts_are_the_whole_search(width: int, height: int, parts: int) -> None:
    divided = search_plan((width, height), parts)
    assert len(divided) == parts
    whole = [band for bands in search_plan((width, height), 1) for band in bands]
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
        for bands in search_plan(size_wh, parts)
    ]
    assert max(costs) - min(costs) <= 2 * size_wh[0]  # cuts are made between rows


def test_half_a_search_sees_every_other_scale() -> None:
    first, second = search_plan((640, 480), 2)
    assert [band.size_wh for band in first[:2]] == [(640, 480), (444, 333)]
    assert {(533, 400), (370, 278)} <= {band.size_wh for band in second}


@given(
    st.lists(st.tuples(*[st.integers(0, 300)] * 4), min_size=1, max_size=12),
    st.sampled_from([0, 20, 150]),
)
def test_merged_regions_are_searched_with_less_effort(
    places: list[tuple[int, int, int, int]], margin: int
) -> None:
    boxes = np.array([(x, y, x + wide, y + high) for x, y, wide, high in places], np.float32)
    regions = merged_regions(boxes, margin, 500)
    within = (boxes[:, None, :2] >= regions[:, :2]) & (boxes[:, None, 2:] <= regions[:, 2:])
    assert within.all(axis=-1).any(axis=1).all()
    hull = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])[None]
    effort, apart, at_once = (
        (sizes_wh(each) + 2 * margin).prod(axis=1).sum() + 500 * len(each)
        for each in (regions, boxes, hull)
    )
    assert effort <= min(apart, at_once)
