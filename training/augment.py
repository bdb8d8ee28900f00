"""A chip as another camera might have seen it: turned, tinted, darker, smaller, compressed."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image

_TILT_DEG, _MAX_TILT_DEG = 8.0, 25.0  # deviation; an aligner leaves a few degrees
_SCALE, _SHIFT = 0.10, 0.05  # deviations, of the chip's size
_CAST, _GAIN, _GAMMA = 0.04, 0.15, 0.2  # deviations of logarithms
_SMALLEST_SIDE_PX = 26  # a face of 17 px


def augment(chip: Image, random: np.random.Generator) -> Image:
    """The chip, changed at random; its size stays.

    Args:
        chip: `(side, side, 3)` uint8 BGR.
        random: the same state gives the same picture.
    """
    image = _moved(chip, random)
    image = _tinted(image, random)
    if random.random() < 0.1:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if random.random() < 0.25:
        image = _shrunk(image, random)
    if random.random() < 0.1:
        image = cv2.GaussianBlur(image, (0, 0), random.uniform(0.5, 3.0))
    if random.random() < 0.3:
        image = _compressed(image, random)
    if random.random() < 0.25:
        image = _erased(image, random)
    return image.astype(np.uint8, copy=False)


def _moved(chip: Image, random: np.random.Generator) -> NDArray[np.uint8]:
    """Flipped, turned, scaled and shifted, in one step."""
    side = chip.shape[0]
    tilt = np.clip(random.normal(0, _TILT_DEG), -_MAX_TILT_DEG, _MAX_TILT_DEG)
    scale = np.exp(random.normal(0, _SCALE))
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), tilt, scale)
    matrix[:, 2] += random.normal(0, _SHIFT * side, 2)
    if random.random() < 0.5:
        matrix = matrix @ np.array([[-1, 0, side - 1], [0, 1, 0], [0, 0, 1]])
    return cv2.warpAffine(chip, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)


def _tinted(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """In other light: brightness, contrast, a colour cast; now and then dark."""
    gains = np.exp(random.normal(0, _GAIN) + random.normal(0, _CAST, 3))
    if random.random() < 0.1:
        gains *= random.uniform(0.15, 0.6)
    gamma = np.exp(random.normal(0, _GAMMA))
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * gains * 255
    table = np.clip(levels, 0, 255).astype(np.uint8)
    return cv2.LUT(image, table[None])


def _shrunk(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """As from a small face, which the aligner enlarges."""
    side = image.shape[0]
    small = round(np.exp(random.uniform(np.log(_SMALLEST_SIDE_PX), np.log(side))))
    shrunk = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (side, side), interpolation=cv2.INTER_LINEAR)


def _compressed(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(15, 80))])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def _erased(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """A rectangle of it is hidden (Zhong et al., Random Erasing Data Augmentation, AAAI 2020)."""
    side = image.shape[0]
    width, height = random.integers(side // 8, side // 2, 2)
    left, top = random.integers(0, side - width), random.integers(0, side - height)
    image[top : top + height, left : left + width] = random.integers(0, 256, 3)
    return image
