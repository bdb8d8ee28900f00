"""Square crops around faces, all of one size."""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detection.pyramid import BACKGROUND_BGR
from models.faces import Image, centres_xy, sizes_wh

CropTransform: TypeAlias = tuple[tuple[float, float], tuple[float, float]]
"""Scale and offset, x and y of each: pixel p of a crop lies at `scale * p + offset`."""


def crops(
    image: Image, boxes_xyxy: NDArray[np.float32], size_px: int, face_px: float
) -> tuple[list[Image], list[CropTransform]]:
    """A square of that size around each box, scaled until the box's longer side is `face_px`.

    Returns:
        The crops and, for each, scale and offset from its pixels to the image's.
    """
    pixels: list[Image] = []
    transforms: list[CropTransform] = []
    for centre, size_wh in zip(centres_xy(boxes_xyxy), sizes_wh(boxes_xyxy), strict=True):
        # In whole pixels of the image, so that what is cut out of it lies where it is said to lie.
        side = max(round(float(size_wh.max()) / face_px * size_px), 1)
        left, top = np.rint(centre - side / 2).astype(int).tolist()
        square = cv2.resize(
            _square(image, left, top, side), (size_px, size_px), interpolation=cv2.INTER_LINEAR
        )
        pixels.append(square.astype(np.uint8, copy=False))
        transforms.append(((side / size_px, side / size_px), (left, top)))
    return pixels, transforms


def _square(image: Image, left: int, top: int, side: int) -> Image:
    """That part of the picture; background where it reaches beyond."""
    height, width = image.shape[:2]
    first_x, last_x = (min(max(each, 0), width) for each in (left, left + side))
    first_y, last_y = (min(max(each, 0), height) for each in (top, top + side))
    inside = image[first_y:last_y, first_x:last_x]
    if inside.shape[:2] == (side, side):
        return inside
    square = np.empty((side, side, 3), dtype=np.uint8)
    square[:] = np.rint(BACKGROUND_BGR)
    square[first_y - top : last_y - top, first_x - left : last_x - left] = inside
    return square
