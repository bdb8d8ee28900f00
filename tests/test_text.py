"""Text, outlines and panels: sizes, and nothing cut off."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.drawing.marks import UNIT_GAIN, Box, Fill, PlacedTile
from stream.drawing.text import (
    PlacedText,
    Style,
    draw_text,
    has_glyphs,
    outline,
    panel,
    panel_size_wh,
    render_text,
    text_width,
)
from stream.drawing.wording import Words

_FEMALE = (Words("Female 97%"),)
_EDGE = st.integers(-60, 160)
_SIDE = st.integers(1, 90)


@given(_EDGE, _EDGE, _SIDE, _SIDE, st.integers(1, 9))
def test_an_outline_lies_along_the_edges_of_its_box_dark_on_both_sides(
    x: int, y: int, width: int, height: int, line: int
) -> None:
    picture = np.full((120, 140, 3), 200, np.uint8)
    box, outer = Box(x, y, x + width, y + height), line // 2
    for mark in outline(box, (255, 128, 20), line):
        mark.draw(picture)
    rows, columns = np.mgrid[:120, :140]
    # How far each pixel is outside of the box, inside of it below 1.
    away = np.maximum(
        np.maximum(box.left - columns, columns - box.right + 1),
        np.maximum(box.top - rows, rows - box.bottom + 1),
    )
    inner = outer - line  # the first one inside of the line
    assert (picture[(away <= outer) & (away > inner)] == (255, 128, 20)).all()
    assert (picture[away == outer + 1] == (51, 25, 4)).all()
    assert (picture[away == inner] == ((51, 25, 4) if line > 1 else 200)).all()
    assert (picture[(away > outer + 1) | (away < inner)] == 200).all()


_TEXTS = ["Female 99%", "race unsure", "Ẫgyptẹrįn gj 99%", "(j|y)_Q,;", "女性 97%", "جنس"]


@pytest.mark.parametrize("scale", [0.2, 0.7, 1.0, 1.3, 2.0, 3.1, 5.0])
@pytest.mark.parametrize("text", _TEXTS)
def test_nothing_of_a_text_is_cut_off(scale: float, text: str) -> None:
    style = Style.of((1280, 720), scale)
    lines = [(Words(text),), (Words(text), Words(text, is_sure=False))]
    width, height = panel_size_wh(lines, style)
    box = Box(100, 100, 100 + width, 100 + height)
    placed, _ = panel(box, lines, (9,) * 3, style)
    assert isinstance(placed, PlacedTile)
    free = np.zeros((900, 4600, 3), np.uint8)
    for row in range(2):
        baseline = style.gap + style.text + row * style.line_height
        draw_text(free, text, (2 * style.gap + 100, baseline + 100), style.text)
    tile_height, tile_width = placed.tile.offset.shape
    inside = free[100 : 100 + tile_height, 100 : 100 + tile_width, 0]
    plain = 100 + 2 * style.gap + text_width(text, style.text) - 100
    first_line = style.gap + style.text
    np.testing.assert_array_equal(
        placed.tile.offset[:first_line, :plain], inside[:first_line, :plain]
    )
    assert inside.any()
    free[100 : 100 + tile_height, 100 : 100 + tile_width] = 0
    assert not free.any()
    unsure = placed.tile.offset[:, plain:]
    assert unsure.any()
    assert unsure.max() <= 190


def test_text_is_white_on_a_ground_of_which_letters_may_hang_over() -> None:
    tile = render_text([PlacedText("gj", (5, 20))], 16, (60, 20), 8)
    assert tile.gain.shape == tile.offset.shape == (28, 60)
    ground, below = tile.gain[:20], tile.gain[20:]
    assert ground.max() == round(0.3 * UNIT_GAIN)
    assert below.max() == UNIT_GAIN
    assert below.min() < 60  # a letter
    assert (tile.gain[tile.offset == 255] == 0).all()
    assert tile.offset[20:].any()


def test_a_panel_has_a_strip_of_its_colour_and_is_written_once() -> None:
    style = Style.of((1280, 720))
    width, height = panel_size_wh([_FEMALE], style)
    marks = [
        panel(Box(x, 7, x + width, 7 + height), [_FEMALE], (0, 0, 255), style) for x in (8, 31)
    ]
    assert [placed for placed, _ in marks] == [
        PlacedTile(8, 7, marks[0][0].tile),
        PlacedTile(31, 7, marks[0][0].tile),
    ]
    assert marks[0][1] == Fill(Box(8, 7, 12, 7 + height), (0, 0, 255))


def test_a_panel_left_of_its_face_has_its_strip_at_the_right() -> None:
    style = Style.of((1280, 720))
    width, height = panel_size_wh([_FEMALE], style)
    box = Box(8, 7, 8 + width, 7 + height)
    tile, strip = panel(box, [_FEMALE], (0, 0, 255), style, strip_at_right=True)
    assert strip == Fill(Box(box.right - 4, 7, box.right, box.bottom), (0, 0, 255))
    assert isinstance(tile, PlacedTile)
    assert not tile.tile.offset[:, -4 - style.gap // 2 :].any()  # no letter is under it


def test_a_panel_on_a_picture_is_text_on_what_is_seen_through() -> None:
    before = cv2.GaussianBlur(
        np.random.default_rng(0).integers(0, 256, (90, 200, 3), dtype=np.uint8), (0, 0), 2
    )
    style = Style.of((1280, 720))
    width, height = panel_size_wh([_FEMALE, (Words("gj"),)], style)
    box = Box(20, 10, 20 + width, 10 + height)
    picture, expected = before.copy(), before.copy()
    for mark in panel(box, [_FEMALE, (Words("gj"),)], (200, 100, 50), style):
        mark.draw(picture)
    cv2.convertScaleAbs(
        expected[10 : box.bottom, 20 : box.right], expected[10 : box.bottom, 20 : box.right], 0.3
    )
    expected[10 : box.bottom, 20:24] = 200, 100, 50
    for row, line in enumerate(["Female 97%", "gj"]):
        baseline = 10 + row * style.line_height + style.gap + style.text
        draw_text(expected, line, (20 + 2 * style.gap, baseline), style.text)
    assert np.abs(picture.astype(int) - expected).max() <= 2


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
    assert has_glyphs(text) is writes


@pytest.mark.parametrize("scale", [0.3, 1.0, 5.0])
def test_sizes_follow_the_picture_and_stay_legible(scale: float) -> None:
    small, large = (Style.of((side, side), scale) for side in (100, 2000))
    assert small.text >= 11
    assert large.text >= small.text
    assert text_width("Female 97%", large.text) >= text_width("Female 97%", small.text)
