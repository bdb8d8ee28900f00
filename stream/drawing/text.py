"""Text, outlines and panels, in sizes that suit the picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple, Self

import cv2
import numpy as np

from models.faces import Image
from models.program.printable import printable
from stream.drawing.colours import UNSURE_GREY
from stream.drawing.marks import UNIT_GAIN, WHITE, Box, Colour, Fill, Mark, PlacedTile, TextTile
from stream.drawing.wording import Line

BACKGROUND_GAIN = 0.3
"""Share of the picture that is seen through the ground of a panel; more makes text harder to
read. At .3 grey text has a contrast of 4.6 over a white picture, where WCAG's AA wants 4.5."""

MIN_TEXT_PX = 11
"""Height of the smallest text, px; less is not legible."""

_TEXT_HEIGHT = 0.022
"""Height of text, as a share of the shorter side of the picture."""

_LINE_HEIGHT = 1.3
"""Distance of the baselines of two lines, in heights of the text."""

_EDGE_DARKENING = 5
"""How many times darker than an outline the lines along both its sides are."""

_FONT_WEIGHT = 500
"""Weight of the font: 400 is regular, 700 bold."""

_PLAIN_FONT = "sans"
"""OpenCV's own Unicode font."""

_UNSURE_FONT = "italic"
"""The same, slanted: what is unsure."""

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
        return cls.of_text(round(min(size_wh) * _TEXT_HEIGHT * scale))

    @classmethod
    def of_text(cls, text_px: int) -> Self:
        """The sizes that suit text of that height, or of the smallest that is legible."""
        text = max(text_px, MIN_TEXT_PX)
        return cls(text=text, line=max(round(text / 6), 2), gap=max(round(text / 3), 3))

    @property
    def line_height(self) -> int:
        """From one baseline to the next."""
        return round(self.text * _LINE_HEIGHT)


class PlacedText(NamedTuple):
    """Text that begins at a point of its baseline, px from the corner of what it is drawn on."""

    text: str
    baseline_xy: tuple[int, int]
    is_sure: bool = True


def outline(box: Box, colour: Colour, line: int) -> list[Mark]:
    """A line around a box, so many px thick, dark along both sides so that it is seen on anything.

    A line of 1 px lies on the outermost pixels of the box and is dark outside only: there is little
    room in a small face.
    """
    outer = line // 2
    inner = line - outer
    dark_inner = inner + (line > 1)
    blue, green, red = colour
    dark = blue // _EDGE_DARKENING, green // _EDGE_DARKENING, red // _EDGE_DARKENING
    return [
        Fill(box.grown(outer + 1), dark, hole=box.grown(-dark_inner)),
        Fill(box.grown(outer), colour, hole=box.grown(-inner)),
    ]


def panel_size_wh(lines: Sequence[Line], style: Style) -> tuple[int, int]:
    """Width and height of the panel of these lines, px."""
    width = max(_line_width(line, style.text) for line in lines) + 3 * style.gap
    return width, len(lines) * style.line_height + style.gap


def panel(
    box: Box, lines: Sequence[Line], colour: Colour, style: Style, *, strip_at_right: bool = False
) -> list[Mark]:
    """Lines of text on a dark ground, with a strip of colour at the left or at the right."""
    left, top, right, bottom = box
    width = style.line + 1
    strip = Box(
        *((right - width, top, right) if strip_at_right else (left, top, left + width)), bottom
    )
    tile = _panel_tile(tuple(lines), (right - left, bottom - top), style, strip_at_right)
    return [PlacedTile(left, top, tile), Fill(strip, colour)]


@lru_cache(maxsize=_CACHED_TILES)
def _panel_tile(
    lines: Sequence[Line], size_wh: tuple[int, int], style: Style, strip_at_right: bool
) -> TextTile:
    texts = []
    for row, line in enumerate(lines):
        left = style.gap if strip_at_right else 2 * style.gap
        baseline = style.gap + style.text + row * style.line_height
        for text, is_sure in line:
            texts.append(PlacedText(text, (left, baseline), is_sure))
            left += text_width(text, style.text, is_sure)
    return render_text(texts, style.text, size_wh, style.gap)


def _line_width(line: Line, size_px: int) -> int:
    return sum(text_width(text, size_px, is_sure) for text, is_sure in line)


def render_text(
    texts: Sequence[PlacedText],
    size_px: int,
    ground_wh: tuple[int, int],
    margin: int,
    *,
    background_gain: float = BACKGROUND_GAIN,
) -> TextTile:
    """Renders text on a dark ground: white, and grey and slanted where it is unsure.

    Args:
        texts: where each begins, px from the corner of the ground.
        size_px: the height of the text.
        ground_wh: width and height of the ground, px.
        margin: how far below the ground letters are still drawn, px: those of some scripts hang
            over its edge.
        background_gain: share of the picture that is seen through the ground, 0 to 1.
    """
    width, height = ground_wh
    ink: Image = np.zeros((height + margin, width, 3), np.uint8)
    unsure_ink = np.zeros_like(ink)
    for text, baseline_xy, is_sure in texts:
        draw_text(ink if is_sure else unsure_ink, text, baseline_xy, size_px, is_sure=is_sure)
    covered = np.maximum(ink[..., 0], unsure_ink[..., 0])
    grey = np.rint(unsure_ink[..., 0] * np.float32(UNSURE_GREY[0] / 255)).astype(np.uint8)
    ground = np.full(covered.shape, UNIT_GAIN, np.float32)
    ground[:height] *= background_gain
    gain = np.rint(ground * (1 - covered / np.float32(255))).astype(np.uint8)
    return TextTile(gain, np.maximum(ink[..., 0], grey))


def draw_text(
    picture: Image,
    text: str,
    baseline_xy: tuple[int, int],
    size_px: int,
    colour: Colour = WHITE,
    *,
    is_sure: bool = True,
) -> None:
    """Draws text that begins at a point of its baseline, slanted where it is unsure."""
    shown = printable(text)  # OpenCV crashes on half a character
    cv2.putText(picture, shown, baseline_xy, colour, _font(is_sure), size_px, _FONT_WEIGHT)


def has_glyphs(text: str) -> bool:
    """Whether the font has all letters of a text; for others it draws `?`."""
    missing = _glyph("?")
    return not any((_glyph(letter) == missing).all() for letter in set(text) - {"?", " "})


def _glyph(letter: str) -> Image:
    picture = np.zeros((64, 64, 3), np.uint8)
    draw_text(picture, letter, (16, 48), 32)
    return picture


@lru_cache(maxsize=_CACHED_WIDTHS)
def text_width(text: str, size_px: int, is_sure: bool = True) -> int:
    """The width of text of that height, px."""
    shown = printable(text)
    return int(cv2.getTextSize((0, 0), shown, (0, 0), _font(is_sure), size_px, _FONT_WEIGHT)[2])


@cache
def _font(is_sure: bool) -> cv2.FontFace:
    return cv2.FontFace(_PLAIN_FONT if is_sure else _UNSURE_FONT)
