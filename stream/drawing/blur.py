"""Faces made unrecognisable."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image, centres_xy, sizes_wh
from stream.drawing.marks import Box

_WIDER = 1.7  # than the box: forehead, chin and ears, and what the face moves until the next frame
_CELLS = 6  # across all of it: some four across the face itself, whatever its size


def blurred(image: Image, boxes_xyxy: NDArray[np.float32]) -> Image:
    """A copy in which an ellipse around each box is a few plain tiles.

    The tiles are means of many pixels, so that nothing brings back what they replace.

    Args:
        image: the picture.
        boxes_xyxy: `(n, 4)`, faces; what lies outside of the picture is left out.
    """
    picture = image.copy()
    height, width = image.shape[:2]
    for face in _ellipses(boxes_xyxy):
        _tile(picture, face, face.bounds(width, height))
    return picture


def blurred_places(size_wh: tuple[int, int], boxes_xyxy: NDArray[np.float32]) -> list[Box]:
    """Where `blurred` changes a picture of that size."""
    return [face.bounds(*size_wh) for face in _ellipses(boxes_xyxy)]


@dataclass(frozen=True, slots=True, eq=False)
class _Ellipse:
    """What is hidden of a face: `middle_xy (2,)` and `radii_xy (2,)` px."""

    middle_xy: NDArray[np.float32]
    radii_xy: NDArray[np.float32]

    def bounds(self, width: int, height: int) -> Box:
        """Around what of it lies inside a picture of that size."""
        corner = np.array([width, height])
        left, top = np.floor(self.middle_xy - self.radii_xy).clip(0, corner).astype(int).tolist()
        right, bottom = np.ceil(self.middle_xy + self.radii_xy).clip(0, corner).astype(int).tolist()
        return Box(left, top, right, bottom)


def _ellipses(boxes_xyxy: NDArray[np.float32]) -> Iterator[_Ellipse]:
    for middle_xy, size_wh in zip(centres_xy(boxes_xyxy), sizes_wh(boxes_xyxy), strict=True):
        yield _Ellipse(middle_xy, size_wh * np.float32(_WIDER / 2))


def _tile(picture: Image, face: _Ellipse, bounds: Box) -> None:
    left, top, right, bottom = bounds
    region = picture[top:bottom, left:right]
    if not region.size:
        return
    height, width = region.shape[:2]
    cells_xy = np.rint(np.array([width, height]) / (2 * face.radii_xy / _CELLS)).clip(1).astype(int)
    tiles = cv2.resize(region, cells_xy.tolist(), interpolation=cv2.INTER_AREA)
    mosaic = cv2.resize(tiles, (width, height), interpolation=cv2.INTER_NEAREST)
    mask = np.zeros((height, width), np.uint8)
    middle = np.rint(face.middle_xy - [left, top]).astype(int).tolist()
    radii = np.ceil(face.radii_xy).astype(int).tolist()
    cv2.ellipse(mask, middle, radii, 0, 0, 360, 1, cv2.FILLED)
    np.copyto(region, mosaic, where=mask[..., None].astype(bool))
