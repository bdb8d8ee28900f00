"""Blurs faces: an ellipse around each becomes a mosaic of a few plain cells (pixelation)."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image, centres_xy, sizes_wh
from stream.drawing.marks import Box

_ELLIPSE_SCALE = 1.8
"""Axes of the ellipse, in sides of the box of the face, or in their geometric mean where that is
longer; more hides more of the picture. It covers forehead, chin and ears, and what the face moves
until the next frame. Around a rectangle of CenterFace 1.74 covers the circle of 1.7 sides around
dlib's square, whose side is .965 of the mean and whose middle lies .05 of it off; 1.8 covers 96 %
of it on the photos, where dlib's squares vary."""

_MOSAIC_CELLS = 6
"""Cells of the mosaic across the ellipse, whatever its size; some four lie across the face itself.
More make the face easier to recognise."""


def blur_faces(image: Image, boxes_xyxy: NDArray[np.float32]) -> Image:
    """A copy of the picture in which an ellipse around each box is a mosaic.

    Each cell is the mean of many pixels, so that nothing brings back what it replaces.

    Args:
        image: the picture.
        boxes_xyxy: `(n, 4)`, faces; what lies outside of the picture is left out.
    """
    picture = image.copy()
    height, width = image.shape[:2]
    for ellipse in _ellipses(boxes_xyxy):
        _pixelate(picture, ellipse, ellipse.bounds(width, height))
    return picture


def blurred_boxes(size_wh: tuple[int, int], boxes_xyxy: NDArray[np.float32]) -> list[Box]:
    """The boxes in which `blur_faces` changes a picture of that size."""
    return [ellipse.bounds(*size_wh) for ellipse in _ellipses(boxes_xyxy)]


@dataclass(frozen=True, slots=True, eq=False)
class _Ellipse:
    """The blurred part of a face: `centre_xy (2,)` and `radii_xy (2,)` px."""

    centre_xy: NDArray[np.float32]
    radii_xy: NDArray[np.float32]

    def bounds(self, width: int, height: int) -> Box:
        """The box around the part of the ellipse that lies inside a picture of that size."""
        corner = np.array([width, height])
        left, top = np.floor(self.centre_xy - self.radii_xy).clip(0, corner).astype(int).tolist()
        right, bottom = np.ceil(self.centre_xy + self.radii_xy).clip(0, corner).astype(int).tolist()
        return Box(left, top, right, bottom)


def _ellipses(boxes_xyxy: NDArray[np.float32]) -> Iterator[_Ellipse]:
    sizes = sizes_wh(boxes_xyxy).clip(0)
    axes_wh = np.float32(_ELLIPSE_SCALE) * np.maximum(sizes, np.sqrt(sizes.prod(axis=1))[:, None])
    for centre_xy, radii_xy in zip(centres_xy(boxes_xyxy), axes_wh / 2, strict=True):
        if radii_xy.all():  # a box without width or height is no face
            yield _Ellipse(centre_xy, radii_xy)


def _pixelate(picture: Image, ellipse: _Ellipse, bounds: Box) -> None:
    """Replaces the ellipse by a mosaic, in place."""
    left, top, right, bottom = bounds
    region = picture[top:bottom, left:right]
    if not region.size:
        return
    height, width = region.shape[:2]
    cell_wh = 2 * ellipse.radii_xy / _MOSAIC_CELLS
    cells_xy = np.rint(np.array([width, height]) / cell_wh).clip(1).astype(int)
    cells = cv2.resize(region, cells_xy.tolist(), interpolation=cv2.INTER_AREA)
    mosaic = cv2.resize(cells, (width, height), interpolation=cv2.INTER_NEAREST)
    mask = np.zeros((height, width), np.uint8)
    centre = np.rint(ellipse.centre_xy - [left, top]).astype(int).tolist()
    radii = np.ceil(ellipse.radii_xy).astype(int).tolist()
    cv2.ellipse(mask, centre, radii, 0, 0, 360, 1, cv2.FILLED)
    np.copyto(region, mosaic, where=mask[..., None].astype(bool))
