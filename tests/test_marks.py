"""Marks on pictures and on planes: where they say, cut off at the edges, and alike on both."""

from collections.abc import Sequence

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.faces import Image
from stream.coded import BT709, Colours
from stream.drawing.marks import EMPTY_BOX, UNIT_GAIN, Box, Fill, Mark, PlacedTile, TextTile
from stream.drawing.planes import Planes
from stream.drawing.text import PlacedText, render_text

_WH, _FAR = (96, 64), 200
_COLOUR = (40, 200, 120)
_ALL_COLOURS = [Colours(matrix, full, 1, 1) for matrix in (1, 2, 4, 7, 9) for full in (1, 2)]
_EDGES = st.tuples(
    st.integers(-150, 150), st.integers(-150, 150), st.integers(1, 120), st.integers(1, 120)
)


def _noise(size_wh: tuple[int, int]) -> Image:
    return np.random.default_rng(0).integers(0, 256, (*size_wh[::-1], 3), dtype=np.uint8)


def _smooth() -> Image:
    """From a strong blue to a strong orange, to and fro."""
    x, y = np.meshgrid(np.arange(_WH[0]), np.arange(_WH[1]))
    share = (1 + np.sin(x / 9 + y / 7))[..., None] / 2
    return (share * (230, 120, 20) + (1 - share) * (30, 110, 240)).astype(np.uint8)


def _fill(edges: Sequence[int], rim: int) -> Fill:
    left, top, width, height = edges
    box = Box(left, top, left + width, top + height)
    return Fill(box, _COLOUR, box.grown(-rim) if rim else EMPTY_BOX)


def _tile(width: int, height: int) -> TextTile:
    """Of noise, clear in its last row."""
    gain, offset = np.random.default_rng(1).integers(0, 256, (2, height, width), dtype=np.uint8)
    gain[-1:], offset[-1:] = UNIT_GAIN, 0
    return TextTile(gain, np.minimum(offset, UNIT_GAIN - gain))


def _planes(image: Image, colours: Colours = BT709) -> Planes:
    height, width = image.shape[:2]
    planes = Planes.of(av.VideoFrame(width, height, "yuv420p"))
    planes.write_region(image, Box(0, 0, width, height), colours)
    return planes


def _all(planes: Planes) -> list[NDArray[np.uint8]]:
    return [planes.luma, planes.cb, planes.cr]


def _moved(box: Box) -> Box:
    return Box(*(edge + _FAR for edge in box))


_MARKS = st.one_of(
    st.builds(_fill, _EDGES, st.integers(0, 9)),
    st.builds(lambda edges: PlacedTile(edges[0], edges[1], _tile(*edges[2:])), _EDGES),
)


@settings(deadline=None)
@given(_MARKS)
def test_what_lies_outside_is_cut_off(mark: Mark) -> None:
    """As if it had been put on a larger picture, of which this one is a part."""
    wide = _noise((_WH[0] + 2 * _FAR, _WH[1] + 2 * _FAR))
    inside = np.s_[_FAR : _FAR + _WH[1], _FAR : _FAR + _WH[0]]
    picture = wide[inside].copy()
    planes, wide_planes = _planes(picture), _planes(wide)
    far = (
        Fill(_moved(mark.box), mark.colour, _moved(mark.hole))
        if isinstance(mark, Fill)
        else PlacedTile(mark.left + _FAR, mark.top + _FAR, mark.tile)
    )
    mark.draw(picture)
    far.draw(wide)
    np.testing.assert_array_equal(picture, wide[inside])
    planes.draw(mark, BT709)
    wide_planes.draw(far, BT709)
    halved = np.s_[_FAR // 2 : (_FAR + _WH[1]) // 2, _FAR // 2 : (_FAR + _WH[0]) // 2]
    for mine, whole, part in zip(
        _all(planes), _all(wide_planes), (inside, halved, halved), strict=True
    ):
        np.testing.assert_array_equal(mine, whole[part])


@settings(deadline=None)
@given(_EDGES, st.integers(0, 9))
def test_a_fill_is_its_box_but_for_the_hole(edges: tuple[int, int, int, int], rim: int) -> None:
    before, mark = _noise(_WH), _fill(edges, rim)
    picture, planes = before.copy(), _planes(before)
    coded = [plane.copy() for plane in _all(planes)]
    mark.draw(picture)
    planes.draw(mark, BT709)
    filled = np.zeros(_WH[::-1], np.bool_)
    for box, value in ((mark.box, True), (mark.hole, False)):
        left, top, right, bottom = (max(edge, 0) for edge in box)
        filled[top:bottom, left:right] = value
    assert (picture[filled] == _COLOUR).all()
    np.testing.assert_array_equal(picture[~filled], before[~filled])
    cells = filled.reshape(_WH[1] // 2, 2, _WH[0] // 2, 2).any(axis=(1, 3))
    for plane, old, where in zip(_all(planes), coded, (filled, cells, cells), strict=True):
        np.testing.assert_array_equal(plane[~where], old[~where])
        assert len(np.unique(plane[where])) <= 1


@pytest.mark.parametrize("colours", _ALL_COLOURS)
def test_a_fill_has_its_colour_on_planes_too(colours: Colours) -> None:
    picture, planes = _smooth(), _planes(_smooth(), colours)
    for x, colour in ((0, (0, 0, 0)), (20, (255, 255, 255)), (40, _COLOUR), (60, (9, 90, 250))):
        mark = Fill(Box(x, 10, x + 20, 40), colour)
        mark.draw(picture)
        planes.draw(mark, colours)
    for plane, expected in zip(_all(planes), _all(_planes(picture, colours)), strict=True):
        assert np.abs(plane.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("colours", _ALL_COLOURS)
@pytest.mark.parametrize(("left", "top"), [(20, 10), (21, 10), (20, 11), (21, 11), (-7, 45)])
@pytest.mark.parametrize("size_wh", [(50, 20), (51, 21)])
def test_a_tile_looks_the_same_on_planes(
    colours: Colours, left: int, top: int, size_wh: tuple[int, int]
) -> None:
    tile = render_text(
        [PlacedText("gj", (6, 16)), PlacedText("97%", (22, 16), is_sure=False)], 16, size_wh, 5
    )
    picture, planes = _smooth(), _planes(_smooth(), colours)
    before = [plane.astype(int) for plane in _all(planes)]
    placed = PlacedTile(left, top, tile)
    placed.draw(picture)
    planes.draw(placed, colours)
    after = [plane.astype(int) for plane in _all(planes)]
    for found, exact in zip(after, _all(_planes(picture, colours)), strict=True):
        assert np.abs(found - exact).max() <= 3
        assert np.abs(found - exact).mean() < 0.5
    assert all((one != other).any() for one, other in zip(before, after, strict=True))


def test_under_a_clear_pane_everything_stays_to_the_bit() -> None:
    picture, planes = _noise(_WH), _planes(_noise(_WH))
    clear = TextTile(np.full((31, 41), UNIT_GAIN, np.uint8), np.zeros((31, 41), np.uint8))
    PlacedTile(5, 7, clear).draw(picture)
    planes.draw(PlacedTile(5, 7, clear), BT709)
    np.testing.assert_array_equal(picture, _noise(_WH))
    for plane, before in zip(_all(planes), _all(_planes(_noise(_WH))), strict=True):
        np.testing.assert_array_equal(plane, before)
