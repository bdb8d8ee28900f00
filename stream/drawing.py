"""What pictures are drawn with: boxes, text, panels, in sizes that suit the picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Self, TypeAlias

import cv2
import numpy as np

from models.faces import Image

Colour: TypeAlias = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""

MIN_TEXT_PX = 11
WHITE, BLACK = (255, 255, 255), (0, 0, 0)

_TEXT_HEIGHT = 0.022  # of the shorter side of the picture
_LINE_HEIGHT = 1.3  # of the text's
_NOTE_TEXT = 0.8  # of the text's
_PANEL_DARKNESS = 0.62  # how much of the picture a panel hides
_FONT_WEIGHT = 500


@dataclass(frozen=True, slots=True)
class Box:
    """Whole pixels, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def edges(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom

    @property
    def area(self) -> int:
        """How many pixels it has."""
        return (self.right - self.left) * (self.bottom - self.top)

    def widened_to_even(self, width: int, height: int) -> "Box":
        """What of it lies inside a picture of that size, its edges moved outwards to even ones.

        It is empty where nothing does; the last edge of a picture of odd size stays odd.
        """
        left, top = (max(edge - edge % 2, 0) for edge in (self.left, self.top))
        right, bottom = (
            min(self.right + self.right % 2, width),
            min(self.bottom + self.bottom % 2, height),
        )
        return Box(left, top, max(right, left), max(bottom, top))


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
    def of(cls, image: Image, scale: float = 1.0) -> Self:
        """What suits a picture, times `scale`."""
        text = max(round(min(image.shape[:2]) * _TEXT_HEIGHT * scale), MIN_TEXT_PX)
        return cls(text=text, line=max(round(text / 9), 2), gap=max(round(text / 3), 3))

    @property
    def line_height(self) -> int:
        """From one line of text to the next."""
        return round(self.text * _LINE_HEIGHT)


def outline(box: Box, style: Style) -> list[Box]:
    """Where `draw_box` draws: above, below, left, right."""
    margin = (style.line + 3) // 2 + 2  # half of the line, and what smoothing adds
    left, top, right, bottom = box.edges
    return [
        Box(left - margin, top - margin, right + margin, top + margin),
        Box(left - margin, bottom - margin, right + margin, bottom + margin),
        Box(left - margin, top + margin, left + margin, bottom - margin),
        Box(right - margin, top + margin, right + margin, bottom - margin),
    ]


def draw_box(picture: Image, box: Box, colour: Colour, style: Style) -> None:
    """Its outline, dark along both sides so that it is seen on anything."""
    corners = (box.left, box.top), (box.right - 1, box.bottom - 1)
    cv2.rectangle(picture, *corners, BLACK, style.line + 2, cv2.LINE_AA)
    cv2.rectangle(picture, *corners, colour, style.line, cv2.LINE_AA)


def written(ground: Box, style: Style) -> Box:
    """Where a panel or a note is drawn: letters of some scripts hang over its lower edge."""
    return Box(ground.left, ground.top, ground.right, ground.bottom + style.gap)


def panel_size_wh(lines: Sequence[str], style: Style) -> tuple[int, int]:
    """How large the panel of these lines is, px."""
    width = max(text_width(line, style.text) for line in lines) + 3 * style.gap
    return width, len(lines) * style.line_height + style.gap


def draw_panel(
    picture: Image, panel: Box, lines: Sequence[str], colour: Colour, style: Style
) -> None:
    """Lines of text on a dark ground, a strip of colour at the left."""
    darken(picture, panel)
    strip = panel.left + max(style.line, 2), panel.bottom - 1
    cv2.rectangle(picture, (panel.left, panel.top), strip, colour, cv2.FILLED)
    for row, line in enumerate(lines):
        baseline = panel.top + row * style.line_height + style.gap + style.text
        write(picture, line, (panel.left + 2 * style.gap, baseline), style.text)


def note_size_wh(text: str, style: Style) -> tuple[int, int]:
    """How large a note is, px."""
    size_px = _note_text(style)
    return text_width(text, size_px) + 2 * style.gap, size_px + 2 * style.gap


def draw_note(picture: Image, note: Box, text: str, style: Style) -> None:
    """A line of small text on a dark ground."""
    darken(picture, note)
    write(picture, text, (note.left + style.gap, note.bottom - style.gap), _note_text(style))


def darken(picture: Image, box: Box) -> None:
    """Makes what lies in a box a ground for white text."""
    region = picture[max(box.top, 0) : max(box.bottom, 0), max(box.left, 0) : max(box.right, 0)]
    if region.size:
        cv2.convertScaleAbs(region, region, 1 - _PANEL_DARKNESS)


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
