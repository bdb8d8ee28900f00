"""What pictures are drawn with."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.faces import Image
from stream.drawing import (
    Box,
    Style,
    can_write,
    darken,
    draw_box,
    draw_note,
    draw_panel,
    note_size_wh,
    outline,
    panel_size_wh,
    text_width,
    written,
)

_EDGE = st.integers(-500, 500)
_SIDE = st.integers(1, 400)


@given(_EDGE, _EDGE, _SIDE, _SIDE, _SIDE, _SIDE)
def test_a_box_is_widened_to_even_edges_inside_the_picture(
    x: int, y: int, width: int, height: int, frame_width: int, frame_height: int
) -> None:
    wide = Box(x, y, x + width, y + height).widened_to_even(frame_width, frame_height)
    for low, high, first, last, side in (
        (x, x + width, wide.left, wide.right, frame_width),
        (y, y + height, wide.top, wide.bottom, frame_height),
    ):
        if wide.area:
            assert first % 2 == 0
            assert last % 2 == 0 or last == side
            assert 0 <= first <= max(low, 0) < first + 2
            assert last - 2 < min(high, side) <= last <= side
    is_out = x >= frame_width or y >= frame_height or x + width <= 0 or y + height <= 0
    assert wide.area or is_out


def _untouched(before: Image, after: Image, places: Sequence[Box]) -> bool:
    """Outside of these places."""
    outside = np.ones(before.shape[:2], np.bool_)
    for place in places:
        left, top, right, bottom = (max(edge, 0) for edge in place.edges)
        outside[top:bottom, left:right] = False
    return np.array_equal(before[outside], after[outside])


@settings(deadline=None)
@given(_EDGE, _EDGE, _SIDE, _SIDE, st.sampled_from([0.2, 1.0, 2.5, 6.0]))
def test_an_outline_is_drawn_where_it_says(
    x: int, y: int, width: int, height: int, scale: float
) -> None:
    before = np.random.default_rng(0).integers(0, 256, (360, 480, 3), dtype=np.uint8)
    picture, box = before.copy(), Box(x, y, x + width, y + height)
    style = Style.of(picture, scale)
    draw_box(picture, box, (200, 100, 50), style)
    assert _untouched(before, picture, outline(box, style))


@pytest.mark.parametrize("scale", [0.2, 0.7, 1.0, 1.3, 2.0, 3.1, 5.0])
@pytest.mark.parametrize(
    "text", ["Female 99%", "race unsure", "Ẫgyptẹrįn gj 99%", "(j|y)_Q,;", "女性 97%", "جنس"]
)
def test_text_is_written_where_it_says(scale: float, text: str) -> None:
    before = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    style = Style.of(before, scale)
    for size_wh, draw in (
        (
            panel_size_wh([text, text], style),
            lambda box, picture: draw_panel(picture, box, [text, text], (200, 100, 50), style),
        ),
        (note_size_wh(text, style), lambda box, picture: draw_note(picture, box, text, style)),
    ):
        picture, box = before.copy(), Box(100, 100, 100 + size_wh[0], 100 + size_wh[1])
        draw(box, picture)
        assert _untouched(before, picture, [written(box, style)])
        assert not np.array_equal(before, picture)


@pytest.mark.parametrize(
    ("text", "writes"),
    [
        ("Latino Hispanic 97%", True),
        ("Женщина", True),
        ("Männlich?", True),
        ("女性", True),
        ("남성", True),
        ("पुरुष", False),
        ("male 😀", False),
        ("", True),
    ],
)
def test_what_the_font_cannot_write_is_known(text: str, writes: bool) -> None:
    assert can_write(text) is writes


@pytest.mark.parametrize(
    "box", [(-9, -9, -1, -1), (-5, -5, 5, 5), (90, 90, 120, 120), (99, 0, 0, 9)]
)
def test_darkening_stays_inside_the_box_and_the_picture(box: tuple[int, int, int, int]) -> None:
    picture = np.full((100, 100, 3), 200, np.uint8)
    darken(picture, Box(*box))
    left, top, right, bottom = (min(max(edge, 0), 100) for edge in box)
    inside = np.zeros((100, 100), bool)
    inside[top:bottom, left:right] = True
    assert (picture[inside] < 100).all()
    assert (picture[~inside] == 200).all()


def test_a_note_is_as_large_as_it_says() -> None:
    picture = np.full((200, 400, 3), 255, np.uint8)
    style = Style.of(picture)
    width, height = note_size_wh("perceived age", style)
    draw_note(picture, Box(50, 60, 50 + width, 60 + height), "perceived age", style)
    rows, columns = np.nonzero((picture != 255).any(axis=2))
    assert (columns.min(), columns.max() + 1) == (50, 50 + width)
    assert (rows.min(), rows.max() + 1) == (60, 60 + height)


@pytest.mark.parametrize("scale", [0.3, 1.0, 5.0])
def test_sizes_follow_the_picture_and_stay_legible(scale: float) -> None:
    small, large = (Style.of(np.zeros((side, side, 3), np.uint8), scale) for side in (100, 2000))
    assert small.text >= 11
    assert large.text >= small.text
    assert text_width("Female 97%", large.text) >= text_width("Female 97%", small.text)
