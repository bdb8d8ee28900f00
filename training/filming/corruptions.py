"""Corruptions of a face: small, blurred, noisy, compressed, rotated, dark, grey.

Each function takes and returns a chip `(side, side, 3)` uint8 BGR. What happens to a face in a
camera happens at the size that the face has there: the chip is shrunk, made worse, and enlarged as
the aligner does with a small face.
"""

import cv2
import numpy as np

from models.aligner import CHIP_FACE_SHARE
from models.faces import Image


def shrink(chip: Image, width_px: float) -> Image:
    """The chip as it is in a picture where the face is so wide, px; never larger than it is."""
    side = chip.shape[0]
    small = max(1, round(width_px / CHIP_FACE_SHARE))
    if small >= side:
        return chip
    return _picture(cv2.resize(chip, (small, small), interpolation=cv2.INTER_AREA))


def enlarge(chip: Image, side: int) -> Image:
    """The chip with sides of `side` px, between whose pixels lie straight lines."""
    if chip.shape[0] == side:
        return chip
    return _picture(cv2.resize(chip, (side, side), interpolation=cv2.INTER_LINEAR))


def downscale(chip: Image, width_px: float) -> Image:
    """As if its face had been so wide in the picture, px: shrunk, then enlarged."""
    return enlarge(shrink(chip, width_px), chip.shape[0])


def jpeg(chip: Image, quality: int) -> Image:
    """As a JPEG of a quality, 1 to 100, shows it."""
    _, data = cv2.imencode(".jpg", chip, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return _picture(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)))


def blur(chip: Image, deviation_px: float) -> Image:
    """Through a Gaussian blur of a standard deviation, px."""
    return _picture(cv2.GaussianBlur(chip, (0, 0), deviation_px))


def motion_blur(chip: Image, length_px: float, degrees: float) -> Image:
    """As if it had moved that far, px, in that direction while the shutter was open."""
    reach = max(1, int(np.ceil(length_px / 2)))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    along = x * np.cos(np.deg2rad(degrees)) + y * np.sin(np.deg2rad(degrees))
    across = x * np.sin(np.deg2rad(degrees)) - y * np.cos(np.deg2rad(degrees))
    # The share of each pixel that a line one pixel thick covers.
    kernel = np.clip(length_px / 2 + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    return _picture(cv2.filter2D(chip, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE))


def noise(chip: Image, deviation: float, random: np.random.Generator) -> Image:
    """With the noise of a sensor: normal, of a standard deviation in levels of 255."""
    levels = random.standard_normal(chip.shape, dtype=np.float32) * np.float32(deviation)
    return np.clip(np.rint(chip + levels), 0, 255).astype(np.uint8)


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


def warp_affine(chip: Image, matrix: cv2.typing.MatLike, side: int | None = None) -> Image:
    """Through an affine `(2, 3)` matrix, onto a chip of its own size unless a side is given;
    beyond an edge its pixels are repeated."""
    side = side or chip.shape[0]
    return _picture(cv2.warpAffine(chip, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE))


def _picture(array: cv2.typing.MatLike) -> Image:
    """The same array, as uint8: OpenCV's types do not say so."""
    return array.astype(np.uint8, copy=False)
