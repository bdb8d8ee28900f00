"""What pictures are drawn with."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.drawing import Box, Style, can_write, darken, draw_note, note_size_wh, text_width

_EDGE = st.integers(-500, 500)
_SIDE = st.integers(1, 400)


@given(_EDGE, _EDGE, _SIDE, _SIDE, _SIDE, _SIDE)
def test_a_box_is_moved_inside_as_little_as_needed(
    x: int, y: int, width: int, height: int, frame_width: int, frame_height: int
) -> None:
    moved = Box(x, y, x + width, y + height).moved_inside(frame_width, frame_height)
    assert (moved.right - moved.left, moved.bottom - moved.top) == (width, height)
    for before, after, side, frame in (
        (x, moved.left, width, frame_width),
        (y, moved.top, height, frame_height),
    ):
        assert after >= 0
        assert after + side <= max(frame, side)
        if before >= 0 and before + side <= frame:
            assert after == before


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
