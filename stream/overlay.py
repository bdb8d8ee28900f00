"""Frame + tracks → picture. Pure: nothing here remembers anything."""

import colorsys
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from stream.annotator import Track
from stream.config import OverlaySection
from stream.drawing import (
    MIN_TEXT_PX,
    Box,
    Colour,
    Style,
    darken,
    draw_box,
    draw_panel,
    panel_size_wh,
    text_width,
    write,
)
from stream.labels import Label

_GOLDEN_ANGLE = 0.381966  # of the colour wheel: neighbours in time differ most


def draw(image: Image, tracks: Sequence[Track], settings: OverlaySection) -> Image:
    """A copy of the picture with a box around each face and what it is perceived as.

    Colours tell people apart and mean nothing else.
    """
    picture = image.copy()
    style = Style.of(image, settings.scale)
    boxes = [_whole(track.box_xyxy) for track in tracks]
    taken: list[Box] = []
    for track, box in zip(tracks, boxes, strict=True):
        draw_box(picture, box, _colour(track.track_id), style)
    for track, box in zip(tracks, boxes, strict=True):
        lines = [_text(name, label, settings.confidence) for name, label in track.labels.items()]
        if lines:
            panel = _place(picture, lines, box, boxes, taken, style)
            draw_panel(picture, panel, lines, _colour(track.track_id), style)
            taken.append(panel)
    attributes = list(dict.fromkeys(name for track in tracks for name in track.labels))
    if settings.legend and attributes:
        _draw_legend(picture, attributes, style)
    return picture


def _text(attribute: str, label: Label, confidence: bool) -> str:
    if label.text is None:
        return f"{attribute} unsure"
    shown = label.text.replace("_", " ")
    return f"{shown} {label.confidence:.0%}" if confidence else shown


def _place(
    picture: Image,
    lines: Sequence[str],
    box: Box,
    faces: Sequence[Box],
    panels: Sequence[Box],
    style: Style,
) -> Box:
    """The place beside the box where the panel hides least of faces and other panels."""
    height, width = picture.shape[:2]
    size_wh = panel_size_wh(lines, style)
    places = [each.moved_inside(width, height) for each in _around(box, size_wh, style.line + 1)]

    def hidden(place: Box) -> int:
        # Two panels over one another can be read neither; a face half covered is still a face.
        return sum(map(place.shared_area, faces)) + 3 * sum(map(place.shared_area, panels))

    return min(places, key=hidden)


def _around(box: Box, size_wh: tuple[int, int], gap: int) -> Iterator[Box]:
    """Above, below, right, left, each flush with one edge of the box or the other."""
    width, height = size_wh
    for left, top in (
        (box.left, box.top - gap - height),
        (box.right - width, box.top - gap - height),
        (box.left, box.bottom + gap),
        (box.right - width, box.bottom + gap),
        (box.right + gap, box.top),
        (box.right + gap, box.bottom - height),
        (box.left - gap - width, box.top),
        (box.left - gap - width, box.bottom - height),
    ):
        yield Box(left, top, left + width, top + height)


def _draw_legend(picture: Image, attributes: Sequence[str], style: Style) -> None:
    text = f"perceived {' and '.join(attributes)}"
    size, height = max(round(style.text * 0.8), MIN_TEXT_PX), picture.shape[0]
    right = text_width(text, size) + 3 * style.gap
    darken(picture, Box(0, height - size - 2 * style.gap, right, height))
    write(picture, text, (style.gap, height - style.gap), size)


@cache
def _colour(track_id: int) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(track_id * _GOLDEN_ANGLE % 1, 0.55, 1.0)
    return round(blue * 255), round(green * 255), round(red * 255)


def _whole(box_xyxy: NDArray[np.float32]) -> Box:
    left, top, right, bottom = (round(float(edge)) for edge in box_xyxy)
    return Box(left, top, max(right, left + 1), max(bottom, top + 1))
