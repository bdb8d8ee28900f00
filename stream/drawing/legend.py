"""The legend: that labels are of perceived appearance, and which class each colour stands for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from stream.drawing.marks import Box, Colour, Fill, Mark, PlacedTile, TextTile
from stream.drawing.text import MIN_TEXT_PX, PlacedText, Style, render_text, text_width
from stream.drawing.wording import perceived_words

_TEXT_SCALE = 0.8
"""Height of the text of the legend, in heights of other text."""

_MIN_PICTURE_PX = 300
"""Shorter side of the smallest picture with a legend, px: in a smaller one it takes too much."""

_CACHED_TILES = 16
"""Legends kept for the next picture."""


@dataclass(frozen=True, slots=True)
class Legend:
    """A line of small text on a dark ground.

    Attributes:
        text: how it begins.
        key: classes with their colours, which follow.
        size_px: height of the text.
        gap: what is left free around text, px.
    """

    text: str
    key: tuple[tuple[str, Colour], ...]
    size_px: int
    gap: int

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height, px."""
        end = _beginnings(self)[-1]
        return end + self.gap, self.size_px + 2 * self.gap

    def marks(self, box: Box) -> list[Mark]:
        """The legend at a place of its size."""
        marks: list[Mark] = [PlacedTile(box.left, box.top, _tile(self))]
        side = _swatch_px(self)
        top = box.top + self.gap + self.size_px - side
        for (_, colour), begin in zip(self.key, _beginnings(self)[1:], strict=False):
            left = box.left + begin - side - self.gap
            marks.append(Fill(Box(left, top, left + side, top + side), colour))
        return marks


def fitting_legend(
    attributes: Sequence[str],
    key: Sequence[tuple[str, Colour]],
    size_wh: tuple[int, int],
    style: Style,
) -> Legend | None:
    """The legend of a picture; without the key where that is too wide, None where even then.

    Args:
        attributes: that labels are of.
        key: classes with their colours.
        size_wh: of the picture, px.
        style: of its text.
    """
    text = perceived_words(attributes)
    size_px = max(round(style.text * _TEXT_SCALE), MIN_TEXT_PX)
    if min(size_wh) < _MIN_PICTURE_PX:
        return None
    for each in (tuple(key), ()):
        legend = Legend(text, each, size_px, style.gap)
        if legend.size_wh[0] <= size_wh[0]:
            return legend
    return None


def _swatch_px(legend: Legend) -> int:
    """Side of the square of a colour."""
    return round(legend.size_px * 0.8)


def _beginnings(legend: Legend) -> list[int]:
    """Where each text begins, px from the left, and where the last one ends."""
    lefts, end = [], legend.gap
    for number, text in enumerate((legend.text, *(name for name, _ in legend.key))):
        begin = end + (_swatch_px(legend) + 4 * legend.gap if number else 0)
        lefts.append(begin)
        end = begin + text_width(text, legend.size_px)
    return [*lefts, end]


@lru_cache(maxsize=_CACHED_TILES)
def _tile(legend: Legend) -> TextTile:
    names = (legend.text, *(name for name, _ in legend.key))
    baseline = legend.size_px + legend.gap
    texts = [
        PlacedText(text, (left, baseline))
        for text, left in zip(names, _beginnings(legend), strict=False)
    ]
    return render_text(texts, legend.size_px, legend.size_wh, legend.gap)
