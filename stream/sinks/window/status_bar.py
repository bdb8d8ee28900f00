"""What the window says about the run: a bar under the picture, and the keys over it."""

from dataclasses import dataclass

import cv2
import numpy as np

from models.faces import Image
from stream.controls import KEYS
from stream.drawing.marks import Box, PlacedTile
from stream.drawing.text import BACKGROUND_GAIN, Style, draw_text, outline, render_text, text_width

_GROUND = 28  # grey of the bar, 0 to 255
_RED, _AMBER, _GREY = (64, 64, 235), (60, 190, 250), (150, 150, 150)
_MAX_HELP = 0.9  # of the picture's width and height


@dataclass(frozen=True, slots=True)
class Status:
    """How a run goes.

    Attributes:
        source_fps: frames a second that the source gives; None where not known.
        shown_fps: frames a second that are shown.
        latency_s: from the grab of a frame until it was on the screen.
        dropped: frames lost since the start.
        position: the frame's number from 1, and of how many; None for how many is not known.
        recorded_s: how long has been recorded; None while nothing is.
        waiting: for what it waits, such as "paused".
        notice: a word about what the user just did.
        note: what is done to keep up.
    """

    source_fps: float | None = None
    shown_fps: float | None = None
    latency_s: float | None = None
    dropped: int = 0
    position: tuple[int, int] | None = None
    recorded_s: float | None = None
    waiting: str = ""
    notice: str = ""
    note: str = ""


def bar_height(picture: Image) -> int:
    """How high the bar under a picture is, px."""
    style = Style.of(_size_wh(picture))
    return style.text + 3 * style.gap


def status_bar(status: Status, picture: Image) -> Image:
    """The bar under a picture, as wide as that: `(bar_height, width, 3)`.

    At the left what is recorded or waited for, at the right the position; between them what there
    is room for.
    """
    style, height, width = Style.of(_size_wh(picture)), bar_height(picture), picture.shape[1]
    bar = np.full((height, width, 3), _GROUND, np.uint8)
    baseline, space = (height + style.text) // 2 - style.gap // 4, 4 * style.gap
    end = width - 2 * style.gap
    if status.position is not None:
        text = _position(status.position)
        end -= text_width(text, style.text)
        draw_text(bar, text, (end, baseline), style.text)
        end -= space
    left = 2 * style.gap
    if status.recorded_s is not None:
        left = _record_mark(bar, status.recorded_s, left, baseline, style) + space
    if status.waiting:
        left = _pause_mark(bar, status.waiting, left, baseline, style) + space
    notice = _shortened(status.notice, end - left, style)
    for text in filter(None, (notice, *_figures(status), status.note)):
        right = left + text_width(text, style.text)
        if right <= end:
            draw_text(bar, text, (left, baseline), style.text)
            left = right + space
    return bar


def _shortened(text: str, width: int, style: Style) -> str:
    """As much of a text as that width holds."""
    if text_width(text, style.text) <= width:
        return text
    while text and text_width(f"{text}…", style.text) > width:
        text = text[:-1]
    return f"{text}…" if text else ""


def _figures(status: Status) -> list[str]:
    figures = []
    if status.shown_fps is not None:
        of = "" if status.source_fps is None else f" of {status.source_fps:.0f}"
        figures.append(f"{status.shown_fps:.1f}{of} fps")
    if status.latency_s is not None:
        figures.append(f"{1000 * status.latency_s:.0f} ms")
    if status.dropped:
        figures.append(f"{status.dropped} dropped")
    return figures


def _position(position: tuple[int, int]) -> str:
    number, count = position
    return f"{number} / {count}" if count else f"{number}"


def _record_mark(bar: Image, recorded_s: float, left: int, baseline: int, style: Style) -> int:
    """A red dot and the time; gives where it ends."""
    radius = round(style.text * 0.38)
    cv2.circle(bar, (left + radius, bar.shape[0] // 2), radius, _RED, cv2.FILLED, cv2.LINE_AA)
    minutes, seconds = divmod(int(recorded_s), 60)
    text, left = f"{minutes}:{seconds:02d}", left + 2 * radius + 2 * style.gap
    draw_text(bar, text, (left, baseline), style.text)
    return left + text_width(text, style.text)


def _pause_mark(bar: Image, waiting: str, left: int, baseline: int, style: Style) -> int:
    """Two upright strokes and the word; gives where it ends."""
    stroke, middle = max(round(style.text / 5), 2), bar.shape[0] // 2
    half = round(style.text * 0.42)
    for start in (left, left + 2 * stroke):
        corner = start + stroke - 1, middle + half
        cv2.rectangle(bar, (start, middle - half), corner, _AMBER, cv2.FILLED)
    left += 3 * stroke + 2 * style.gap
    draw_text(bar, waiting, (left, baseline), style.text)
    return left + text_width(waiting, style.text)


def draw_help(picture: Image) -> None:
    """The keys, on a dark panel in the middle of a picture; smaller where there is little room."""
    width, height = _size_wh(picture)
    style = Style.of((width, height), 1.25)
    size_wh = _help_size_wh(style)
    fit = min(_MAX_HELP * width / size_wh[0], _MAX_HELP * height / size_wh[1], 1.0)
    if fit < 1:
        style = Style.of((width, height), 1.25 * fit)
        size_wh = _help_size_wh(style)
    left, top = (width - size_wh[0]) // 2, (height - size_wh[1]) // 2
    panel = Box(left, top, left + size_wh[0], top + size_wh[1])
    margin = 3 * style.gap
    column = margin + _key_width(style) + 2 * margin
    texts = [
        (text, (x, margin + row * _row_height(style) + style.text))
        for row, words in enumerate(KEYS)
        for text, x in zip(words, (margin, column), strict=True)
    ]
    tile = render_text(texts, style.text, size_wh, style.gap, background_gain=BACKGROUND_GAIN**2)
    for mark in (PlacedTile(left, top, tile), *outline(panel, _GREY, style)):
        mark.draw(picture)


def _help_size_wh(style: Style) -> tuple[int, int]:
    margin = 3 * style.gap
    meanings = max(text_width(meaning, style.text) for _, meaning in KEYS)
    rows = (len(KEYS) - 1) * _row_height(style) + style.text
    return _key_width(style) + meanings + 4 * margin, rows + 2 * margin + style.gap


def _key_width(style: Style) -> int:
    return max(text_width(key, style.text) for key, _ in KEYS)


def _row_height(style: Style) -> int:
    return round(style.text * 1.7)


def _size_wh(picture: Image) -> tuple[int, int]:
    height, width = picture.shape[:2]
    return width, height
