"""Pictures of several sources as tiles of one: their places, and what stands under each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from models.faces import Image
from stream.drawing.marks import Colour
from stream.drawing.text import Style, draw_text, text_width

_WIDTH_PX = 1280
"""Width of all tiles together, px: as wide as the window is when it opens. More costs more for each
picture that is shown."""

_ASPECT = 9 / 16
"""Height of the picture in a tile, in widths of the tile: that of most cameras."""

_GROUND = 28
"""Grey of what no picture covers, 0 to 255."""

_DIMMED = 0.35
"""Brightness that is left of a picture that is not of now; less makes it harder to see."""

_AMBER: Colour = (60, 190, 250)
"""Colour of the state of a source that gives no pictures, BGR."""

_RED: Colour = (64, 64, 235)
"""Colour of the mark of a recording, BGR."""

_TEXT_PX = 15
"""Height of the text under a tile, px; in narrow tiles it is smaller."""


@dataclass(frozen=True, slots=True, eq=False)
class TileView:
    """What a tile shows.

    Attributes:
        name: of the source.
        picture: the newest, annotated; None before the first.
        state: why there is no picture of now, such as "no picture for 5 s"; empty while there is.
        figures: rates and the like.
        is_recorded: whether the source is being recorded.
    """

    name: str
    picture: Image | None = None
    state: str = ""
    figures: str = ""
    is_recorded: bool = False


def columns_of(count: int) -> int:
    """How many tiles stand side by side: as many as below one another, or one more."""
    return math.ceil(math.sqrt(count))


def picture_wh(count: int) -> tuple[int, int]:
    """The largest picture in each of so many tiles, px."""
    width = _WIDTH_PX // columns_of(count)
    return width, round(width * _ASPECT)


def fitted_wh(size_wh: tuple[int, int], count: int) -> tuple[int, int]:
    """The size in which a picture is shown in one of so many tiles, px."""
    most_wh = picture_wh(count)
    scale = min(most_wh[0] / size_wh[0], most_wh[1] / size_wh[1])
    return max(round(size_wh[0] * scale), 1), max(round(size_wh[1] * scale), 1)


def mosaic(views: Sequence[TileView]) -> Image:
    """All tiles as one picture, row by row; the last row may have fewer."""
    columns = columns_of(len(views))
    tiles = [_tile(view, len(views)) for view in views]
    tiles += [np.full_like(tiles[0], _GROUND)] * (-len(tiles) % columns)
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def _tile(view: TileView, count: int) -> Image:
    """One tile: the picture in the middle of its place, under it name, state and figures."""
    width, height = picture_wh(count)
    style = Style.of_text(min(_TEXT_PX, width // 24))
    bar_px = style.text + 3 * style.gap
    tile = np.full((height + bar_px, width, 3), _GROUND, np.uint8)
    if view.picture is not None:
        picture = _fitted(view.picture, count)
        if view.state:
            picture = np.rint(picture * np.float32(_DIMMED)).astype(np.uint8)
        shown_h, shown_w = picture.shape[:2]
        top, left = (height - shown_h) // 2, (width - shown_w) // 2
        tile[top : top + shown_h, left : left + shown_w] = picture
    if view.state:
        _draw_state(tile[:height], view.state, Style.of_text(round(1.3 * style.text)))
    _draw_bar(tile[height:], view, style)
    return tile


def _fitted(picture: Image, count: int) -> Image:
    """The picture in the size of its tile; it was drawn for another just after tiles changed."""
    height, width = picture.shape[:2]
    size_wh = fitted_wh((width, height), count)
    if size_wh == (width, height):
        return picture
    return cv2.resize(picture, size_wh, interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _draw_state(picture: Image, state: str, style: Style) -> None:
    """The state in the middle of a picture, in as many lines as it needs, if they have room."""
    height, width = picture.shape[:2]
    lines = wrapped(state, width - 4 * style.gap, style.text)[: height // style.line_height]
    top = (height - len(lines) * style.line_height) // 2
    for row, line in enumerate(lines):
        left = (width - text_width(line, style.text)) // 2
        baseline = top + row * style.line_height + style.text
        draw_text(picture, line, (left, baseline), style.text, _AMBER)


def _draw_bar(bar: Image, view: TileView, style: Style) -> None:
    """The name at the left, behind a red dot while the source is recorded; figures at the right."""
    left, baseline = 2 * style.gap, (bar.shape[0] + style.text) // 2 - style.gap // 4
    right = bar.shape[1] - 2 * style.gap
    if view.is_recorded:
        radius = round(style.text * 0.38)
        middle = left + radius, bar.shape[0] // 2
        cv2.circle(bar, middle, radius, _RED, cv2.FILLED, cv2.LINE_AA)
        left += 2 * radius + style.gap
    figures_px = text_width(view.figures, style.text)
    name = shortened_to(view.name, right - left, style.text)
    draw_text(bar, name, (left, baseline), style.text)
    left += text_width(name, style.text) + 4 * style.gap
    if left + figures_px <= right:
        draw_text(bar, view.figures, (right - figures_px, baseline), style.text)


def shortened_to(text: str, width: int, size_px: int) -> str:
    """The text, or as much of its beginning as the width holds, px."""
    if text_width(text, size_px) <= width:
        return text
    while text and text_width(f"{text}…", size_px) > width:
        text = text[:-1]
    return f"{text}…"


def wrapped(text: str, width: int, size_px: int) -> list[str]:
    """The text in lines of that width, px, broken between words; a longer word is shortened."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size_px) <= width:
            lines[-1] = longer
        else:
            lines.append(shortened_to(word, width, size_px))
    return lines
