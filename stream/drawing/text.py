"""What pictures are drawn with: boxes, text, panels, in sizes that suit the picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Self

import cv2
import numpy as np

from models.faces import Image
from stream.drawing.marks import CLEAR, WHITE, Box, Colour, Fill, Mark, Pane, Stamp

MIN_TEXT_PX = 11
GROUND = 0.38
"""How much of the picture is seen through the ground of a panel."""

_TEXT_HEIGHT = 0.022  # of the shorter side of the picture
_LINE_HEIGHT = 1.3  # of the text's
_NOTE_TEXT = 0.8  # of the text's
_DARKER = 5  # times, than a line, is what lies along it
_FONT_WEIGHT = 500
_PANES = 128  # kept for the next picture: those of a crowd, and some of its next labels


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
        """What suits a picture of that size, times `scale`."""
        text = max(round(min(size_wh) * _TEXT_HEIGHT * scale), MIN_TEXT_PX)
        return cls(text=text, line=max(round(text / 9), 2), gap=max(round(text / 3), 3))

    @property
    def line_height(self) -> int:
        """From one line of text to the next."""
        return round(self.text * _LINE_HEIGHT)


def outline(box: Box, colour: Colour, style: Style) -> list[Mark]:
    """A line around a box, dark along both sides so that it is seen on anything."""
    half = (style.line + 1) // 2  # on both sides of the outermost pixels of the box
    blue, green, red = colour
    dark = blue // _DARKER, green // _DARKER, red // _DARKER
    return [
        Fill(box.grown(half + 1), dark, hole=box.grown(-half - 2)),
        Fill(box.grown(half), colour, hole=box.grown(-half - 1)),
    ]


def panel_size_wh(lines: Sequence[str], style: Style) -> tuple[int, int]:
    """How large the panel of these lines is, px."""
    width = max(text_width(line, style.text) for line in lines) + 3 * style.gap
    return width, len(lines) * style.line_height + style.gap


def panel(ground: Box, lines: Sequence[str], colour: Colour, style: Style) -> list[Mark]:
    """Lines of text on a dark ground, a strip of colour at the left."""
    left, top, right, bottom = ground
    strip = Box(left, top, left + max(style.line, 2) + 1, bottom)
    pane = _panel(tuple(lines), (right - left, bottom - top), style)
    return [Stamp(left, top, pane), Fill(strip, colour)]


@lru_cache(maxsize=_PANES)
def _panel(lines: Sequence[str], size_wh: tuple[int, int], style: Style) -> Pane:
    first = style.gap + style.text
    baselines = range(first, first + len(lines) * style.line_height, style.line_height)
    texts = [
        (line, (2 * style.gap, baseline)) for line, baseline in zip(lines, baselines, strict=True)
    ]
    return written(texts, style.text, size_wh, style.gap)


def note_size_wh(text: str, style: Style) -> tuple[int, int]:
    """How large a note is, px."""
    size_px = _note_text(style)
    return text_width(text, size_px) + 2 * style.gap, size_px + 2 * style.gap


def note(ground: Box, text: str, style: Style) -> Stamp:
    """A line of small text on a dark ground."""
    size_wh = ground.right - ground.left, ground.bottom - ground.top
    return Stamp(ground.left, ground.top, _note(text, size_wh, style))


@lru_cache(maxsize=_PANES)
def _note(text: str, size_wh: tuple[int, int], style: Style) -> Pane:
    texts = [(text, (style.gap, size_wh[1] - style.gap))]
    return written(texts, _note_text(style), size_wh, style.gap)


def written(
    texts: Sequence[tuple[str, tuple[int, int]]],
    size_px: int,
    ground_wh: tuple[int, int],
    margin: int,
    *,
    ground: float = GROUND,
) -> Pane:
    """White text on a dark ground.

    Args:
        texts: each with where it begins on its baseline, px from the corner of the ground.
        size_px: the height of the text.
        ground_wh: how large the ground is.
        margin: how far below it letters are still drawn: those of some scripts hang over its edge.
        ground: how much of the picture is seen through it, 0 to 1.
    """
    width, height = ground_wh
    ink: Image = np.zeros((height + margin, width, 3), np.uint8)
    for text, baseline_xy in texts:
        write(ink, text, baseline_xy, size_px)
    white = np.ascontiguousarray(ink[..., 0])
    seen = np.full(white.shape, CLEAR, np.float32)
    seen[:height] *= ground
    gain = np.rint(seen * (1 - white / np.float32(255))).astype(np.uint8)
    return Pane(gain, white)


def write(
    picture: Image, text: str, baseline_xy: tuple[int, int], size_px: int, colour: Colour = WHITE
) -> None:
    """Text that begins at a point of its baseline."""
    cv2.putText(picture, text, baseline_xy, colour, _font(), size_px, _FONT_WEIGHT)


def can_write(text: str) -> bool:
    """Whether the font has all letters of a text; it writes `?` for others."""
    missing = _glyph("?")
    return not any((_glyph(letter) == missing).all() for letter in set(text) - {"?", " "})


def _glyph(letter: str) -> Image:
    picture = np.zeros((64, 64, 3), np.uint8)
    write(picture, letter, (16, 48), 32)
    return picture


@lru_cache(maxsize=512)
def text_width(text: str, size_px: int) -> int:
    """Of text of that height, px."""
    return int(cv2.getTextSize((0, 0), text, (0, 0), _font(), size_px, _FONT_WEIGHT)[2])


def _note_text(style: Style) -> int:
    return max(round(style.text * _NOTE_TEXT), MIN_TEXT_PX)


@cache
def _font() -> cv2.FontFace:
    """OpenCV's own Unicode font."""
    return cv2.FontFace("sans")
