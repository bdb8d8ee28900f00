"""Text, outlines and panels: sizes, and nothing cut off."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.drawing.marks import UNIT_GAIN, Box, Fill, PlacedTile
from stream.drawing.text import (
    Style,
    caption,
    caption_size_wh,
    draw_text,
    has_glyphs,
    outline,
    panel,
    panel_size_wh,
    render_text,
    text_width,
)

_EDGE = st.integers(-60, 160)
_SIDE = st.integers(1, 90)


@given(_EDGE, _EDGE, _SIDE, _SIDE, st.integers(2, 9))
def test_an_outline_lies_along_the_edges_of_its_box_dark_on_both_sides(
    x: int, y: int, width: int, height: int, line: int
) -> None:
    picture = np.full((120, 140, 3), 200, np.uint8)
    box, half = Box(x, y, x + width, y + height), (line + 1) // 2
    for mark in outline(box, (255, 128, 20), Style(text=16, line=line, gap=5)):
        mark.draw(picture)
    rows, columns = np.mgrid[:120, :140]
    # How far each pixel is from the outermost pixels of the box, inside of it below 0.
    away = np.maximum(
        np.maximum(box.left - columns, columns - box.right + 1),
        np.maximum(box.top - rows, rows - box.bottom + 1),
    )
    for reach, colour in ((np.abs(away) <= half, (255, 128, 20)), (away == half + 1, (51, 25, 4))):
        assert (picture[reach] == colour).all()
    assert (picture[away == -half - 1] == (51, 25, 4)).all()
    assert (picture[np.abs(away) > half + 1] == 200).all()


_TEXTS = ["Female 99%", "race unsure", "Ẫgyptẹrįn gj 99%", "(j|y)_Q,;", "女性 97%", "جنس"]


@pytest.mark.parametrize("scale", [0.2, 0.7, 1.0, 1.3, 2.0, 3.1, 5.0])
@pytest.mark.parametrize("text", _TEXTS)
def test_nothing_of_a_text_is_cut_off(scale: float, text: str) -> None:
    style = Style.of((1280, 720), scale)
    panel_wh, caption_wh = panel_size_wh([text, text], style), caption_size_wh(text, style)
    placed, _ = panel(
        Box(100, 100, 100 + panel_wh[0], 100 + panel_wh[1]), [text, text], (9,) * 3, style
    )
    small = caption(Box(100, 100, 100 + caption_wh[0], 100 + caption_wh[1]), text, style)
    assert isinstance(placed, PlacedTile)
    size_px = small.tile.offset.shape[0] - 3 * style.gap
    lines = [(2 * style.gap, style.gap + style.text + row * style.line_height) for row in range(2)]
    for mark, size, baselines in (
        (placed, style.text, lines),
        (small, size_px, [(style.gap, caption_wh[1] - style.gap)]),
    ):
        free = np.zeros((900, 2600, 3), np.uint8)
        for x, y in baselines:
            draw_text(free, text, (x + 100, y + 100), size)
        height, width = mark.tile.offset.shape
        inside = free[100 : 100 + height, 100 : 100 + width, 0]
        np.testing.assert_array_equal(mark.tile.offset, inside)
        assert inside.any()
        free[100 : 100 + height, 100 : 100 + width] = 0
        assert not free.any()


def test_text_is_white_on_a_ground_of_which_letters_may_hang_over() -> None:
    tile = render_text([("gj", (5, 20))], 16, (60, 20), 8)
    assert tile.gain.shape == tile.offset.shape == (28, 60)
    ground, below = tile.gain[:20], tile.gain[20:]
    assert ground.max() == round(0.38 * UNIT_GAIN)
    assert below.max() == UNIT_GAIN
    assert below.min() < 60  # a letter
    assert (tile.gain[tile.offset == 255] == 0).all()
    assert tile.offset[20:].any()


def test_a_panel_has_a_strip_of_its_colour_and_is_written_once() -> None:
    style = Style.of((1280, 720))
    width, height = panel_size_wh(["Female 97%"], style)
    marks = [
        panel(Box(x, 7, x + width, 7 + height), ["Female 97%"], (0, 0, 255), style) for x in (8, 31)
    ]
    assert [placed for placed, _ in marks] == [
        PlacedTile(8, 7, marks[0][0].tile),
        PlacedTile(31, 7, marks[0][0].tile),
    ]
    assert marks[0][1] == Fill(Box(8, 7, 11, 7 + height), (0, 0, 255))


def test_a_panel_on_a_picture_is_text_on_what_is_seen_through() -> None:
    before = cv2.GaussianBlur(
        np.random.default_rng(0).integers(0, 256, (90, 200, 3), dtype=np.uint8), (0, 0), 2
    )
    style = Style.of((1280, 720))
    width, height = panel_size_wh(["Female 97%", "gj"], style)
    box = Box(20, 10, 20 + width, 10 + height)
    picture, expected = before.copy(), before.copy()
    for mark in panel(box, ["Female 97%", "gj"], (200, 100, 50), style):
        mark.draw(picture)
    cv2.convertScaleAbs(
        expected[10 : box.bottom, 20 : box.right], expected[10 : box.bottom, 20 : box.right], 0.38
    )
    expected[10 : box.bottom, 20:23] = 200, 100, 50
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


def test_a_note_is_as_large_as_it_says() -> None:
    picture = np.full((200, 400, 3), 255, np.uint8)
    style = Style.of((400, 200))
    width, height = caption_size_wh("perceived age", style)
    caption(Box(50, 60, 50 + width, 60 + height), "perceived age", style).draw(picture)
    rows, columns = np.nonzero((picture != 255).any(axis=2))
    assert (columns.min(), columns.max() + 1) == (50, 50 + width)
    assert (rows.min(), rows.max() + 1) == (60, 60 + height)


@pytest.mark.parametrize("scale", [0.3, 1.0, 5.0])
def test_sizes_follow_the_picture_and_stay_legible(scale: float) -> None:
    small, large = (Style.of((side, side), scale) for side in (100, 2000))
    assert small.text >= 11
    assert large.text >= small.text
    assert text_width("Female 97%", large.text) >= text_width("Female 97%", small.text)
