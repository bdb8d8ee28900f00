"""The status bar under the picture of the window, and the help over it: what they show, drawn."""

from dataclasses import dataclass

import cv2
import numpy as np

from models.faces import Image
from stream.controls import KEYS
from stream.drawing.marks import Box, PlacedTile
from stream.drawing.text import (
    BACKGROUND_GAIN,
    PlacedText,
    Style,
    draw_text,
    outline,
    render_text,
    text_width,
)
from stream.frames import TIME_TOLERANCE_S, Frame, SourceInfo

_GROUND = 28
"""Grey of the bar, 0 to 255."""

_RED = (64, 64, 235)
"""Colour of the mark of a recording, BGR."""

_AMBER = (60, 190, 250)
"""Colour of the mark of a pause, BGR."""

_GREY = (150, 150, 150)
"""Colour of the outline of the help, BGR."""

_HELP_SCALE = 1.25
"""Size of the letters of the help, as a multiple of those of the labels."""

_HELP_LINE_HEIGHT = 1.4
"""From one line of the help to the next, in heights of its text; with more it covers small pictures
to their edges."""

_MAX_HELP = 0.9
"""Share of the picture's width and height that the help may take; where that is too little, its
letters become smaller."""


@dataclass(frozen=True, slots=True)
class Status:
    """What the bar shows of a run.

    Attributes:
        source_fps: frames a second that the source gives; None where it is not known.
        shown_fps: frames a second that are shown.
        latency_s: from the grab of a frame until it was on the screen.
        dropped: frames dropped since the first was taken.
        position: where in the source the frame is, such as "0:03 / 1:22"; empty for a live source.
        recorded_s: how long has been recorded; None while nothing is.
        waiting: why no further frame comes, such as "paused"; empty while they do.
        speed: of a video against its own, such as "2×"; empty for its own.
        notice: a message about what the user last asked for.
        load_shedding: what is done to keep up with a live source.
    """

    source_fps: float | None = None
    shown_fps: float | None = None
    latency_s: float | None = None
    dropped: int = 0
    position: str = ""
    recorded_s: float | None = None
    waiting: str = ""
    speed: str = ""
    notice: str = ""
    load_shedding: str = ""


def bar_height(picture: Image) -> int:
    """Height of the bar under a picture, px."""
    style = Style.of(_size_wh(picture))
    return style.text + 3 * style.gap


def status_bar(status: Status, picture: Image) -> Image:
    """The bar under a picture, as wide as the picture: `(bar_height, width, 3)`.

    1. At the right the position.
    2. At the left the marks of a recording and of a pause.
    3. Between them the notice, shortened if need be, and of the figures those that fit.
    """
    style, height, width = Style.of(_size_wh(picture)), bar_height(picture), picture.shape[1]
    bar = np.full((height, width, 3), _GROUND, np.uint8)
    baseline, space = (height + style.text) // 2 - style.gap // 4, 4 * style.gap
    end = width - 2 * style.gap
    if status.position:
        end -= text_width(status.position, style.text)
        draw_text(bar, status.position, (end, baseline), style.text)
        end -= space
    left = 2 * style.gap
    if status.recorded_s is not None:
        left = _record_mark(bar, status.recorded_s, left, baseline, style) + space
    if status.waiting:
        left = _pause_mark(bar, status.waiting, left, baseline, style) + space
    notice = _shortened(status.notice, end - left, style)
    for text in filter(None, (notice, status.speed, *_figures(status), status.load_shedding)):
        right = left + text_width(text, style.text)
        if right <= end:
            draw_text(bar, text, (left, baseline), style.text)
            left = right + space
    return bar


def _shortened(text: str, width: int, style: Style) -> str:
    """The text, or as much of it as the width holds."""
    if text_width(text, style.text) <= width:
        return text
    while text and text_width(f"{text}…", style.text) > width:
        text = text[:-1]
    return f"{text}…" if text else ""


def _figures(status: Status) -> list[str]:
    figures = []
    if status.shown_fps is not None:
        total = "" if status.source_fps is None else f" of {status.source_fps:.0f}"
        figures.append(f"{status.shown_fps:.1f}{total} fps")
    if status.latency_s is not None:
        figures.append(f"{1000 * status.latency_s:.0f} ms")
    if status.dropped:
        figures.append(f"{status.dropped} dropped")
    return figures


def position_text(info: SourceInfo, frame: Frame) -> str:
    """Where in its source a frame is.

    1. A live source has no places.
    2. Of pictures: the number, counted from 1, and how many there are.
    3. Of a video: the time, and when it ends, where that is known.
    """
    if info.is_live:
        return ""
    if info.kind == "pictures":
        return f"{frame.index + 1} / {info.frame_count}"
    if info.last_s is None:
        return time_text(frame.time_s)
    return f"{time_text(frame.time_s)} / {time_text(info.last_s + 1 / info.nominal_fps)}"


def time_text(time_s: float) -> str:
    """A time as players show it: minutes and seconds, from an hour on hours too."""
    minutes, seconds = divmod(int(time_s + TIME_TOLERANCE_S), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _record_mark(bar: Image, recorded_s: float, left: int, baseline: int, style: Style) -> int:
    """Draws a red dot and the time; returns where they end, px."""
    radius = round(style.text * 0.38)
    cv2.circle(bar, (left + radius, bar.shape[0] // 2), radius, _RED, cv2.FILLED, cv2.LINE_AA)
    text, left = time_text(recorded_s), left + 2 * radius + 2 * style.gap
    draw_text(bar, text, (left, baseline), style.text)
    return left + text_width(text, style.text)


def _pause_mark(bar: Image, waiting: str, left: int, baseline: int, style: Style) -> int:
    """Draws two upright strokes and the word; returns where they end, px."""
    stroke, middle = max(round(style.text / 5), 2), bar.shape[0] // 2
    half = round(style.text * 0.42)
    for start in (left, left + 2 * stroke):
        corner = start + stroke - 1, middle + half
        cv2.rectangle(bar, (start, middle - half), corner, _AMBER, cv2.FILLED)
    left += 3 * stroke + 2 * style.gap
    draw_text(bar, waiting, (left, baseline), style.text)
    return left + text_width(waiting, style.text)


def draw_help(picture: Image) -> None:
    """Draws the keys on a dark panel in the middle of a picture; smaller where there is no room."""
    width, height = _size_wh(picture)
    style = Style.of((width, height), _HELP_SCALE)
    size_wh = _help_size_wh(style)
    fit = min(_MAX_HELP * width / size_wh[0], _MAX_HELP * height / size_wh[1], 1.0)
    if fit < 1:
        style = Style.of((width, height), _HELP_SCALE * fit)
        size_wh = _help_size_wh(style)
    left, top = (width - size_wh[0]) // 2, (height - size_wh[1]) // 2
    panel = Box(left, top, left + size_wh[0], top + size_wh[1])
    margin = 3 * style.gap
    column = margin + _key_width(style) + 2 * margin
    texts = [
        PlacedText(text, (x, margin + row * _row_height(style) + style.text))
        for row, words in enumerate(KEYS)
        for text, x in zip(words, (margin, column), strict=True)
    ]
    tile = render_text(texts, style.text, size_wh, style.gap, background_gain=BACKGROUND_GAIN**2)
    for mark in (PlacedTile(left, top, tile), *outline(panel, _GREY, style.line)):
        mark.draw(picture)


def _help_size_wh(style: Style) -> tuple[int, int]:
    margin = 3 * style.gap
    meanings = max(text_width(meaning, style.text) for _, meaning in KEYS)
    rows = (len(KEYS) - 1) * _row_height(style) + style.text
    return _key_width(style) + meanings + 4 * margin, rows + 2 * margin + style.gap


def _key_width(style: Style) -> int:
    return max(text_width(key, style.text) for key, _ in KEYS)


def _row_height(style: Style) -> int:
    return round(style.text * _HELP_LINE_HEIGHT)


def _size_wh(picture: Image) -> tuple[int, int]:
    height, width = picture.shape[:2]
    return width, height
