"""Template matching: a face found again by its pixels of a moment ago, without a search."""

from collections.abc import Container, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frames import Frame

_TEMPLATE_PX = 24
"""Side of a template, px; larger costs more and loses a turning head sooner."""

_MARGIN_PX = 4
"""How far around the expected place a template is matched, in its px: a sixth of a face width."""

_SAMPLES = 2
"""Pixels sampled for each pixel of a template, in either direction; more is less noisy."""

_MIN_CORRELATION = 0.85
"""Normalised correlation from which a template matches; under it a face is hidden, turns, comes
nearer, or is another one."""

_MIN_CONTRAST = 4.0
"""Standard deviation of a template, of 255, from which it is used: a flat one matches anywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceTemplate:
    """A face in one frame.

    Attributes:
        pixels: `(24, 24)` uint8, its luminance.
        box_xyxy: `(4,)` float32 px, where the face was found.
        corner_xy: top left of the square around it that was sampled, px.
        side_px: side of that square.
    """

    pixels: NDArray[np.uint8]
    box_xyxy: NDArray[np.float32]
    corner_xy: tuple[int, int]
    side_px: int


class TemplateMatcher:
    """Keeps a template of each track, cut where its face was last found by a search."""

    def __init__(self) -> None:
        self._templates: dict[int, FaceTemplate | None] = {}

    def __repr__(self) -> str:
        return f"TemplateMatcher({len(self._templates)} templates)"

    def match(
        self, frame: Frame, expected_xyxy: Mapping[int, NDArray[np.float32]]
    ) -> dict[int, NDArray[np.float32]]:
        """The boxes `(4,)` px, by track, of the faces whose templates match.

        Args:
            frame: the picture now.
            expected_xyxy: by track, where its face should be, `(4,)` px.
        """
        matched: dict[int, NDArray[np.float32]] = {}
        for track_id, expected in expected_xyxy.items():
            template = self._templates.get(track_id)
            found = None if template is None else match_template(frame, template, expected)
            if found is not None:
                matched[track_id] = found
        return matched

    def update(self, frame: Frame, boxes_xyxy: Mapping[int, NDArray[np.float32]]) -> None:
        """Cuts new templates, given the boxes `(4,)` px of faces by track."""
        self._templates.update(
            (track_id, cut_template(frame, box)) for track_id, box in boxes_xyxy.items()
        )

    def keep(self, track_ids: Container[int]) -> None:
        """Drops the templates of all other tracks."""
        self._templates = {
            track_id: template
            for track_id, template in self._templates.items()
            if track_id in track_ids
        }


def cut_template(frame: Frame, box_xyxy: NDArray[np.float32]) -> FaceTemplate | None:
    """The template of the face in a box; None where too little of it is visible."""
    side_px = _side_px(box_xyxy)
    corner_xy = _corner_xy(box_xyxy, side_px)
    square = _square(frame, corner_xy, side_px)
    if square is None:
        return None
    pixels = square[_MARGIN_PX:-_MARGIN_PX, _MARGIN_PX:-_MARGIN_PX]
    if cv2.meanStdDev(pixels)[1].item() < _MIN_CONTRAST:
        return None
    return FaceTemplate(pixels, box_xyxy, corner_xy, side_px)


def match_template(
    frame: Frame, template: FaceTemplate, expected_xyxy: NDArray[np.float32]
) -> NDArray[np.float32] | None:
    """Where a face is now, `(4,)` px, at the size it had; None where its template does not match.

    Args:
        frame: the picture now.
        template: the face before.
        expected_xyxy: `(4,)` px, where it should be.
    """
    corner_xy = _corner_xy(expected_xyxy, template.side_px)
    square = _square(frame, corner_xy, template.side_px)
    if square is None:
        return None
    correlation = cv2.matchTemplate(square, template.pixels, cv2.TM_CCOEFF_NORMED)
    _, best, _, (column, row) = cv2.minMaxLoc(correlation)
    last = len(correlation) - 1
    if best < _MIN_CORRELATION or not (0 < column < last and 0 < row < last):
        return None
    x = column + _peak(*correlation[row, column - 1 : column + 2].tolist()) - _MARGIN_PX
    y = row + _peak(*correlation[row - 1 : row + 2, column].tolist()) - _MARGIN_PX
    step = template.side_px / len(square)
    right = corner_xy[0] - template.corner_xy[0] + step * x
    down = corner_xy[1] - template.corner_xy[1] + step * y
    return template.box_xyxy + np.array([right, down, right, down], dtype=np.float32)


def _side_px(box_xyxy: NDArray[np.float32]) -> int:
    left, top, right, bottom = box_xyxy.tolist()
    share = (_TEMPLATE_PX + 2 * _MARGIN_PX) / _TEMPLATE_PX
    return max(round(max(right - left, bottom - top) * share), 1)


def _corner_xy(box_xyxy: NDArray[np.float32], side_px: int) -> tuple[int, int]:
    left, top, right, bottom = box_xyxy.tolist()
    return round((left + right - side_px) / 2), round((top + bottom - side_px) / 2)


def _square(frame: Frame, corner_xy: tuple[int, int], side_px: int) -> NDArray[np.uint8] | None:
    """The sampled luminance of a square; None where it reaches beyond the picture."""
    (left, top), (width, height) = corner_xy, frame.size_wh
    right, bottom = left + side_px, top + side_px
    if min(left, top) < 0 or right > width or bottom > height:
        return None
    side = _TEMPLATE_PX + 2 * _MARGIN_PX
    return frame.luminance((side, side), _SAMPLES, (left, top, right, bottom))


def _peak(before: float, middle: float, after: float) -> float:
    """Where the vertex of a parabola through three neighbours lies, -0.5 to 0.5 from the middle."""
    curvature = before - 2 * middle + after
    return 0.0 if curvature >= 0 else 0.5 * (before - after) / curvature
