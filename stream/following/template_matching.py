"""A face recognised where it should be by how it looked a moment ago, without a search for it."""

from collections.abc import Container, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frames import Frame

_LOOK_PX = 24  # a face as it is remembered, as wide as its box,
_AROUND_PX = 4  # and how far off to each side it is recognised: a sixth of its width
_FINENESS = 2  # pixels picked for each of them, either way
_ALIKE = 0.85  # correlation; less is a face that is hidden, turns, comes near, or is somebody else
_LEAST_CONTRAST = 4.0  # of 255, deviation of a look: what is flat can be anywhere


@dataclass(frozen=True, slots=True, eq=False)
class FaceTemplate:
    """A face in one frame.

    Attributes:
        pixels: `(24, 24)` uint8, its luminance.
        box_xyxy: `(4,)` float32 px, where it was found.
        corner_xy: of the square of pixels that was looked at around it, px.
        side_px: of that square.
    """

    pixels: NDArray[np.uint8]
    box_xyxy: NDArray[np.float32]
    corner_xy: tuple[int, int]
    side_px: int


class TemplateMatcher:
    """Remembers how the faces of tracks looked when they were last looked for."""

    def __init__(self) -> None:
        self._looks: dict[int, FaceTemplate | None] = {}

    def __repr__(self) -> str:
        return f"Glances({len(self._looks)} looks)"

    def recognise(
        self, frame: Frame, expected_xyxy: Mapping[int, NDArray[np.float32]]
    ) -> dict[int, NDArray[np.float32]]:
        """Where faces are now, `(4,)` px by track, of those that are recognised.

        Args:
            frame: the picture now.
            expected_xyxy: where they should be, `(4,)` px by track.
        """
        recognised: dict[int, NDArray[np.float32]] = {}
        for track_id, expected in expected_xyxy.items():
            known = self._looks.get(track_id)
            found = None if known is None else glance(frame, known, expected)
            if found is not None:
                recognised[track_id] = found
        return recognised

    def note(self, frame: Frame, boxes_xyxy: Mapping[int, NDArray[np.float32]]) -> None:
        """How faces look, given where they are, `(4,)` px by track."""
        self._looks.update((track_id, look(frame, box)) for track_id, box in boxes_xyxy.items())

    def keep(self, tracks: Container[int]) -> None:
        """Forgets all other tracks."""
        self._looks = {each: known for each, known in self._looks.items() if each in tracks}


def look(frame: Frame, box_xyxy: NDArray[np.float32]) -> FaceTemplate | None:
    """How the face in that box looks; None where too little of it is to be seen."""
    side_px = _side_px(box_xyxy)
    corner_xy = _corner_xy(box_xyxy, side_px)
    square = _square(frame, corner_xy, side_px)
    if square is None:
        return None
    pixels = square[_AROUND_PX:-_AROUND_PX, _AROUND_PX:-_AROUND_PX]
    if cv2.meanStdDev(pixels)[1].item() < _LEAST_CONTRAST:
        return None
    return FaceTemplate(pixels, box_xyxy, corner_xy, side_px)


def glance(
    frame: Frame, known: FaceTemplate, expected_xyxy: NDArray[np.float32]
) -> NDArray[np.float32] | None:
    """Where the face is now, `(4,)` px, as large as it was; None where it is not recognised.

    Args:
        frame: the picture now.
        known: how the face looked.
        expected_xyxy: `(4,)` px, where it should be.
    """
    corner_xy = _corner_xy(expected_xyxy, known.side_px)
    square = _square(frame, corner_xy, known.side_px)
    if square is None:
        return None
    alike = cv2.matchTemplate(square, known.pixels, cv2.TM_CCOEFF_NORMED)
    _, best, _, (column, row) = cv2.minMaxLoc(alike)
    last = len(alike) - 1
    if best < _ALIKE or not (0 < column < last and 0 < row < last):
        return None
    x = column + _peak(*alike[row, column - 1 : column + 2].tolist()) - _AROUND_PX
    y = row + _peak(*alike[row - 1 : row + 2, column].tolist()) - _AROUND_PX
    step = known.side_px / len(square)
    right = corner_xy[0] - known.corner_xy[0] + step * x
    down = corner_xy[1] - known.corner_xy[1] + step * y
    return known.box_xyxy + np.array([right, down, right, down], dtype=np.float32)


def _side_px(box_xyxy: NDArray[np.float32]) -> int:
    left, top, right, bottom = box_xyxy.tolist()
    share = (_LOOK_PX + 2 * _AROUND_PX) / _LOOK_PX
    return max(round(max(right - left, bottom - top) * share), 1)


def _corner_xy(box_xyxy: NDArray[np.float32], side_px: int) -> tuple[int, int]:
    left, top, right, bottom = box_xyxy.tolist()
    return round((left + right - side_px) / 2), round((top + bottom - side_px) / 2)


def _square(frame: Frame, corner_xy: tuple[int, int], side_px: int) -> NDArray[np.uint8] | None:
    """That square of the picture in few grey pixels; None where it reaches beyond the picture."""
    (left, top), (width, height) = corner_xy, frame.size_wh
    right, bottom = left + side_px, top + side_px
    if min(left, top) < 0 or right > width or bottom > height:
        return None
    wide = _LOOK_PX + 2 * _AROUND_PX
    return frame.grey((wide, wide), _FINENESS, (left, top, right, bottom))


def _peak(before: float, middle: float, after: float) -> float:
    """Where between three neighbours the top of a parabola through them lies, -0.5 to 0.5."""
    bend = before - 2 * middle + after
    return 0.0 if bend >= 0 else 0.5 * (before - after) / bend
