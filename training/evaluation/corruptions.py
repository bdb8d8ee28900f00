"""What goes wrong with a face between the world and the chip, done to a good one."""

import cv2
import numpy as np

from models.faces import Image
from training.features.extractor import CHIP_FACE

# Each takes and gives an aligned chip `(side, side, 3)` uint8 BGR.


def narrowed(chip: Image, width_px: float) -> Image:
    """As it would be, had its face been that wide in the picture: shrunk, enlarged again."""
    side = chip.shape[0]
    small = max(1, round(width_px / CHIP_FACE))
    if small >= side:
        return chip
    shrunk = cv2.resize(chip, (small, small), interpolation=cv2.INTER_AREA)
    return _picture(cv2.resize(shrunk, (side, side), interpolation=cv2.INTER_LINEAR))


def compressed(chip: Image, quality: int) -> Image:
    """As a JPEG of that quality shows it."""
    _, data = cv2.imencode(".jpg", chip, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return _picture(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)))


def blurred(chip: Image, deviation_px: float) -> Image:
    """Out of focus."""
    return _picture(cv2.GaussianBlur(chip, (0, 0), deviation_px))


def tilted(chip: Image, degrees: float) -> Image:
    """Turned counterclockwise about its middle."""
    side = chip.shape[0]
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1)
    return moved(chip, matrix)


def darkened(chip: Image, light: float) -> Image:
    """With that part of the light."""
    return _picture(cv2.convertScaleAbs(chip, alpha=light))


def grey(chip: Image) -> Image:
    """Without colour."""
    return _picture(cv2.cvtColor(cv2.cvtColor(chip, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))


def moved(chip: Image, matrix: cv2.typing.MatLike) -> Image:
    """Through an affine `(2, 3)` matrix; its edge goes on beyond it."""
    side = chip.shape[0]
    return _picture(cv2.warpAffine(chip, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE))


def _picture(array: cv2.typing.MatLike) -> Image:
    """The same, typed: OpenCV does not say that bytes stay bytes."""
    return array.astype(np.uint8, copy=False)
