"""The canvas of all scales: its layout, what is painted on it, and the way back."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.detection.pyramid import BACKGROUND_BGR, Level, tiled_layout
from models.faces import Image
from models.networks.dlib_weights import DETECTOR_FILE, InputMean, installed_file, read_layers

_SIDES = st.integers(1, 3000)


def _gap_px(first: Level, second: Level) -> int:
    """How far apart two levels are; negative where they overlap."""
    across = max(first.x, second.x) - min(first.x + first.width, second.x + second.width)
    down = max(first.y, second.y) - min(first.y + first.height, second.y + second.height)
    return max(across, down)


@given(_SIDES, _SIDES)
def test_levels_lie_side_by_side_on_the_canvas(width: int, height: int) -> None:
    layout = tiled_layout(width, height)
    for index, level in enumerate(layout.levels):
        assert level.x > 0 and level.y > 0
        assert level.x + level.width < layout.width
        assert level.y + level.height < layout.height
        for other in layout.levels[:index]:
            assert _gap_px(level, other) >= 0  # 10 px within a column; dlib sees to no more


@given(_SIDES, _SIDES)
def test_each_level_is_five_sixths_of_the_one_before(width: int, height: int) -> None:
    levels = tiled_layout(width, height).levels
    assert (levels[0].width, levels[0].height, levels[0].scale) == (width, height, 1)
    for larger, smaller in pairwise(levels):
        assert smaller.width == larger.width * 5 // 6
        assert smaller.height == larger.height * 5 // 6
        assert smaller.scale == pytest.approx(larger.scale * 6 / 5)


@given(_SIDES, _SIDES, st.integers(1, 5))
def test_fewer_levels_are_the_largest_ones(width: int, height: int, count: int) -> None:
    every, few = tiled_layout(width, height), tiled_layout(width, height, count)
    assert len(few.levels) == min(count, len(every.levels))
    for level, same in zip(few.levels, every.levels, strict=False):
        assert (level.width, level.height, level.scale) == (same.width, same.height, same.scale)


@given(st.integers(100, 3000), st.integers(100, 3000), st.data())
def test_a_window_on_a_level_comes_back_to_its_place(
    width: int, height: int, data: st.DataObject
) -> None:
    layout = tiled_layout(width, height)
    level = data.draw(st.sampled_from([each for each in layout.levels if each.width > 2]))
    x = data.draw(st.integers(0, level.width - 1))
    y = data.draw(st.integers(0, level.height - 1))
    centre = np.array([[level.x + x, level.y + y]], dtype=np.float32)
    ((left, top, right, bottom),) = layout.to_picture(centre, 39.5)
    assert right - left == pytest.approx(79 * level.scale + 1, rel=1e-4)
    # A pixel of the picture at (x, y) is drawn on the level where both are the same share of it.
    assert (left + right - 1) / 2 == pytest.approx(x * level.scale + level.offset, abs=0.01)
    assert (top + bottom - 1) / 2 == pytest.approx(y * level.scale + level.offset, abs=0.01)
    assert abs((left + right) / 2 / width - (x + 0.5) / level.width) < 6 / level.width
    assert abs((top + bottom) / 2 / height - (y + 0.5) / level.height) < 6 / level.height


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 300), st.integers(1, 300))
def test_all_levels_show_the_picture_and_the_rest_is_background(width: int, height: int) -> None:
    layout = tiled_layout(width, height)
    colour, background = (np.array(each)[:, None, None] for each in ((10, 200, 90), BACKGROUND_BGR))
    picture: Image = np.full((height, width, 3), (10, 200, 90), dtype=np.uint8)
    canvas = np.zeros((3, layout.height, layout.width), dtype=np.float32)
    layout.paint(picture, canvas)
    for level in layout.levels:
        area = canvas[:, level.y : level.y + level.height, level.x : level.x + level.width]
        np.testing.assert_allclose(area, np.broadcast_to(colour, area.shape), rtol=1e-5)
        area[:] = background
    np.testing.assert_allclose(canvas, np.broadcast_to(background, canvas.shape), rtol=1e-6)


def test_corners_stay_corners_on_every_level() -> None:
    ramp = np.tile(np.arange(240, dtype=np.uint8)[None, :, None], (180, 1, 3))
    layout = tiled_layout(240, 180)
    canvas = np.zeros((3, layout.height, layout.width), dtype=np.float32)
    layout.paint(ramp, canvas)
    for level in layout.levels:
        row = canvas[1, level.y + level.height // 2, level.x : level.x + level.width]
        np.testing.assert_allclose(row, np.linspace(0, 239, level.width), atol=0.01)


def test_the_background_is_what_the_network_takes_for_nothing() -> None:
    mean = read_layers(installed_file(DETECTOR_FILE))[0]
    assert isinstance(mean, InputMean)
    np.testing.assert_allclose(BACKGROUND_BGR[::-1], mean.rgb, rtol=1e-6)
