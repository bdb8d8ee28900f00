"""Text, outlines and panels, in sizes that suit the picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Self

import cv2
import numpy as np

from models.faces import Image
from models.printable import printable
from stream.drawing.marks import UNIT_GAIN, WHITE, Box, Colour, Fill, Mark, PlacedTile, TextTile

BACKGROUND_GAIN = 0.38
"""Share of the picture that is seen through the ground of a panel; more makes text harder to
read."""

_MIN_TEXT_PX = 11
"""Height of the smallest text, px; less is not legible."""

_TEXT_HEIGHT = 0.022
"""Height of text, as a share of the shorter side of the picture."""

_LINE_HEIGHT = 1.3
"""Distance of the baselines of two lines, in heights of the text."""

_CAPTION_SCALE = 0.8
"""Height of the text of a caption, in heights of other text."""

_EDGE_DARKENING = 5
"""How many times darker than an outline the lines along both its sides are."""

_FONT_WEIGHT = 500
"""Weight of the font: 400 is regular, 700 bold."""

_CACHED_TILES = 128
"""Tiles kept for the next picture: those of a crowd, and some of its next labels."""

_CACHED_WIDTHS = 512
"""Widths of texts kept for the next picture."""


@dataclass(frozen=True, slots=True)
class Style:
    """Sizes in px that follow from the size of the picture.

    Attributes:
        text: height of the text.
        line: thickness of lines.
        gap: what is left free around text.
    """

    text: int
    line: int
    gap: int

    @classmethod
    def of(cls, size_wh: tuple[int, int], scale: float = 1.0) -> Self:
        """The sizes that suit a picture of that size, times `scale`."""
        text = max(round(min(size_wh) * _TEXT_HEIGHT * scale), _MIN_TEXT_PX)
        return cls(text=text, line=max(round(text / 9), 2), gap=max(round(text / 3), 3))

    @property
    def line_height(self) -> int:
        """From one baseline to the next."""
        return round(self.text * _LINE_HEIGHT)


def outline(box: Box, colour: Colour, style: Style) -> list[Mark]:
    """A line around a box, dark along both sides so that it is seen on anything."""
    half = (style.line + 1) // 2  # on both sides of the outermost pixels of the box
    blue, green, red = colour
    dark = blue // _EDGE_DARKENING, green // _EDGE_DARKENING, red // _EDGE_DARKENING
    return [
        Fill(box.grown(half + 1), dark, hole=box.grown(-half - 2)),
        Fill(box.grown(half), colour, hole=box.grown(-half - 1)),
    ]


def panel_size_wh(lines: Sequence[str], style: Style) -> tuple[int, int]:
    """Width and height of the panel of these lines, px."""
    width = max(text_width(line, style.text) for line in lines) + 3 * style.gap
    return width, len(lines) * style.line_height + style.gap


def panel(box: Box, lines: Sequence[str], colour: Colour, style: Style) -> list[Mark]:
    """Lines of text on a dark ground, with a strip of colour at the left."""
    left, top, right, bottom = box
    strip = Box(left, top, left + max(style.line, 2) + 1, bottom)
    tile = _panel_tile(tuple(lines), (right - left, bottom - top), style)
    return [PlacedTile(left, top, tile), Fill(strip, colour)]


@lru_cache(maxsize=_CACHED_TILES)
def _panel_tile(lines: Sequence[str], size_wh: tuple[int, int], style: Style) -> TextTile:
    first = style.gap + style.text
    baselines = range(first, first + len(lines) * style.line_height, style.line_height)
    texts = [
        (line, (2 * style.gap, baseline)) for line, baseline in zip(lines, baselines, strict=True)
    ]
    return render_text(texts, style.text, size_wh, style.gap)


def caption_size_wh(text: str, style: Style) -> tuple[int, int]:
    """Width and height of a caption, px."""
    size_px = _caption_px(style)
    return text_width(text, size_px) + 2 * style.gap, size_px + 2 * style.gap


def caption(box: Box, text: str, style: Style) -> PlacedTile:
    """A line of small text on a dark ground."""
    size_wh = box.right - box.left, box.bottom - box.top
    return PlacedTile(box.left, box.top, _caption_tile(text, size_wh, style))


@lru_cache(maxsize=_CACHED_TILES)
def _caption_tile(text: str, size_wh: tuple[int, int], style: Style) -> TextTile:
    texts = [(text, (style.gap, size_wh[1] - style.gap))]
    return render_text(texts, _caption_px(style), size_wh, style.gap)


def render_text(
    texts: Sequence[tuple[str, tuple[int, int]]],
    size_px: int,
    ground_wh: tuple[int, int],
    margin: int,
    *,
    background_gain: float = BACKGROUND_GAIN,
) -> TextTile:
    """Renders white text on a dark ground.

    Args:
        texts: each with where it begins on its baseline, px from the corner of the ground.
        size_px: the height of the text.
        ground_wh: width and height of the ground, px.
        margin: how far below the ground letters are still drawn, px: those of some scripts hang
            over its edge.
        background_gain: share of the picture that is seen through the ground, 0 to 1.
    """
    width, height = ground_wh
    ink: Image = np.zeros((height + margin, width, 3), np.uint8)
    for text, baseline_xy in texts:
        draw_text(ink, text, baseline_xy, size_px)
    offset = np.ascontiguousarray(ink[..., 0])
    ground = np.full(offset.shape, UNIT_GAIN, np.float32)
    ground[:height] *= background_gain
    gain = np.rint(ground * (1 - offset / np.float32(255))).astype(np.uint8)
    return TextTile(gain, offset)


def draw_text(
    picture: Image, text: str, baseline_xy: tuple[int, int], size_px: int, colour: Colour = WHITE
) -> None:
    """Draws text that begins at a point of its baseline."""
    shown = printable(text)  # OpenCV crashes on half a character
    cv2.putText(picture, shown, baseline_xy, colour, _font(), size_px, _FONT_WEIGHT)


def has_glyphs(text: str) -> bool:
    """Whether the font has all letters of a text; for others it draws `?`."""
    missing = _glyph("?")
    return not any((_glyph(letter) == missing).all() for letter in set(text) - {"?", " "})


def _glyph(letter: str) -> Image:
    picture = np.zeros((64, 64, 3), np.uint8)
    draw_text(picture, letter, (16, 48), 32)
    return picture


@lru_cache(maxsize=_CACHED_WIDTHS)
def text_width(text: str, size_px: int) -> int:
    """The width of text of that height, px."""
    shown = printable(text)
    return int(cv2.getTextSize((0, 0), shown, (0, 0), _font(), size_px, _FONT_WEIGHT)[2])


def _caption_px(style: Style) -> int:
    return max(round(style.text * _CAPTION_SCALE), _MIN_TEXT_PX)


@cache
def _font() -> cv2.FontFace:
    """OpenCV's own Unicode font."""
    return cv2.FontFace("sans")
