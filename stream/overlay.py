"""Frame + tracks → picture. Pure: nothing here remembers anything."""

import colorsys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from stream.annotator import Track
from stream.config import OverlaySection
from stream.labels import Label

_TEXT_HEIGHT = 0.022  # of the shorter side of the picture
_MIN_TEXT_PX = 11
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_PANEL_DARKNESS = 0.62  # how much of the picture a panel hides
_FONT_WEIGHT = 500
_GOLDEN_ANGLE = 0.381966  # of the colour wheel: neighbours in time differ most


@dataclass(frozen=True, slots=True)
class _Box:
    """Whole pixels, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    def shared_area(self, other: "_Box") -> int:
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0) * max(height, 0)

    def moved_inside(self, width: int, height: int) -> "_Box":
        dx = max(-self.left, 0) or min(width - self.right, 0)
        dy = max(-self.top, 0) or min(height - self.bottom, 0)
        return _Box(self.left + dx, self.top + dy, self.right + dx, self.bottom + dy)


@dataclass(frozen=True, slots=True)
class _Style:
    """Sizes in px that follow from the size of the picture."""

    text: int
    line: int
    gap: int

    @classmethod
    def of(cls, image: Image, scale: float) -> "_Style":
        text = max(round(min(image.shape[:2]) * _TEXT_HEIGHT * scale), _MIN_TEXT_PX)
        return cls(text=text, line=max(round(text / 9), 1), gap=max(round(text / 3), 3))


def draw(image: Image, tracks: Sequence[Track], settings: OverlaySection) -> Image:
    """A copy of the picture with a box around each face and what it is perceived as.

    Colours tell people apart and mean nothing else.
    """
    picture = image.copy()
    style = _Style.of(image, settings.scale)
    boxes = [_whole(track.box_xyxy) for track in tracks]
    taken: list[_Box] = []
    for track, box in zip(tracks, boxes, strict=True):
        _draw_box(picture, box, _colour(track.track_id), style)
    for track, box in zip(tracks, boxes, strict=True):
        lines = [_text(name, label, settings.confidence) for name, label in track.labels.items()]
        if lines:
            panel = _place(picture, lines, box, boxes, taken, style)
            _draw_panel(picture, panel, lines, _colour(track.track_id), style)
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


def _draw_box(picture: Image, box: _Box, colour: tuple[int, int, int], style: _Style) -> None:
    corners = (box.left, box.top), (box.right - 1, box.bottom - 1)
    cv2.rectangle(picture, *corners, _BLACK, style.line + 2, cv2.LINE_AA)
    cv2.rectangle(picture, *corners, colour, style.line, cv2.LINE_AA)


def _place(
    picture: Image,
    lines: Sequence[str],
    box: _Box,
    faces: Sequence[_Box],
    panels: Sequence[_Box],
    style: _Style,
) -> _Box:
    """The place beside the box where the panel hides least of faces and other panels."""
    height, width = picture.shape[:2]
    text_width = max(_text_width(line, style.text) for line in lines)
    size = text_width + 3 * style.gap, len(lines) * _line_height(style) + style.gap
    places = [place.moved_inside(width, height) for place in _around(box, size, style.line + 1)]

    def hidden(place: _Box) -> int:
        # Two panels over one another can be read neither; a face half covered is still a face.
        return sum(map(place.shared_area, faces)) + 3 * sum(map(place.shared_area, panels))

    return min(places, key=hidden)


def _around(box: _Box, size: tuple[int, int], gap: int) -> Iterator[_Box]:
    """Above, below, right, left, each flush with one edge of the box or the other."""
    width, height = size
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
        yield _Box(left, top, left + width, top + height)


def _draw_panel(
    picture: Image, panel: _Box, lines: Sequence[str], colour: tuple[int, int, int], style: _Style
) -> None:
    _darken(picture, panel)
    strip = panel.left + max(style.line, 2), panel.bottom - 1
    cv2.rectangle(picture, (panel.left, panel.top), strip, colour, cv2.FILLED)
    for row, line in enumerate(lines):
        baseline = panel.top + row * _line_height(style) + style.gap + style.text
        _write(picture, line, (panel.left + 2 * style.gap, baseline), style.text)


def _draw_legend(picture: Image, attributes: Sequence[str], style: _Style) -> None:
    text = f"perceived {' and '.join(attributes)}"
    size, height = max(round(style.text * 0.8), _MIN_TEXT_PX), picture.shape[0]
    right = _text_width(text, size) + 3 * style.gap
    _darken(picture, _Box(0, height - size - 2 * style.gap, right, height))
    _write(picture, text, (style.gap, height - style.gap), size)


def _darken(picture: Image, box: _Box) -> None:
    region = picture[max(box.top, 0) : box.bottom, max(box.left, 0) : box.right]
    np.multiply(region, 1 - _PANEL_DARKNESS, out=region, casting="unsafe")


def _write(picture: Image, text: str, baseline_xy: tuple[int, int], size_px: int) -> None:
    cv2.putText(picture, text, baseline_xy, _WHITE, _font(), size_px, _FONT_WEIGHT)


def _text_width(text: str, size_px: int) -> int:
    return int(cv2.getTextSize((0, 0), text, (0, 0), _font(), size_px, _FONT_WEIGHT)[2])


def _line_height(style: _Style) -> int:
    return round(style.text * 1.3)


@cache
def _font() -> cv2.FontFace:
    """OpenCV's own Unicode font."""
    return cv2.FontFace("sans")


@cache
def _colour(track_id: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(track_id * _GOLDEN_ANGLE % 1, 0.55, 1.0)
    return round(blue * 255), round(green * 255), round(red * 255)


def _whole(box_xyxy: NDArray[np.float32]) -> _Box:
    left, top, right, bottom = (round(float(edge)) for edge in box_xyxy)
    return _Box(left, top, max(right, left + 1), max(bottom, top + 1))
