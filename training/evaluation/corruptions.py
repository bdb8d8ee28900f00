"""Corruptions of a face: downscaled, compressed, blurred, rotated, darkened, grey.

Each function takes and returns an aligned chip `(side, side, 3)` uint8 BGR.
"""

import cv2
import numpy as np

from models.faces import Image
from training.features.extractor import CHIP_FACE_SHARE


def downscale(chip: Image, width_px: float) -> Image:
    """As if its face had been so wide in the picture, px: shrunk, then enlarged."""
    side = chip.shape[0]
    small = max(1, round(width_px / CHIP_FACE_SHARE))
    if small >= side:
        return chip
    shrunk = cv2.resize(chip, (small, small), interpolation=cv2.INTER_AREA)
    return _picture(cv2.resize(shrunk, (side, side), interpolation=cv2.INTER_LINEAR))


def jpeg(chip: Image, quality: int) -> Image:
    """As a JPEG of a quality, 1 to 100, shows it."""
    _, data = cv2.imencode(".jpg", chip, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return _picture(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)))


def blur(chip: Image, deviation_px: float) -> Image:
    """Through a Gaussian blur of a standard deviation, px."""
    return _picture(cv2.GaussianBlur(chip, (0, 0), deviation_px))


def rotate(chip: Image, degrees: float) -> Image:
    """Rotated counterclockwise about its middle."""
    side = chip.shape[0]
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1)
    return warp_affine(chip, matrix)


def darken(chip: Image, light: float) -> Image:
    """With a share of the light."""
    return _picture(cv2.convertScaleAbs(chip, alpha=light))


def grayscale(chip: Image) -> Image:
    """Without colour."""
    return _picture(cv2.cvtColor(cv2.cvtColor(chip, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))


def warp_affine(chip: Image, matrix: cv2.typing.MatLike) -> Image:
    """Through an affine `(2, 3)` matrix; beyond an edge its pixels are repeated."""
    side = chip.shape[0]
    return _picture(cv2.warpAffine(chip, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE))


def _picture(array: cv2.typing.MatLike) -> Image:
    """The same array, as uint8: OpenCV's types do not say so."""
    return array.astype(np.uint8, copy=False)
