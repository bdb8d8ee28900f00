"""A chip as another camera might have seen it: turned, tinted, darker, smaller, compressed."""

import cv2
import numpy as np

from models.faces import Image
from training.degrade import blurred, compressed, grey, moved, narrowed
from training.extraction import CHIP_FACE

_TILT_DEG, _MAX_TILT_DEG = 8.0, 25.0  # deviation; an aligner leaves a few degrees
_SCALE, _SHIFT = 0.10, 0.05  # deviations, of the chip's size
_CAST, _GAIN, _GAMMA = 0.04, 0.15, 0.2  # deviations of logarithms
_NARROWEST_PX = 26 * CHIP_FACE  # enlarged from a chip of 26 px


def augment(chip: Image, random: np.random.Generator) -> Image:
    """The chip, changed at random; its size stays.

    Args:
        chip: `(side, side, 3)` uint8 BGR.
        random: the same state gives the same picture.
    """
    image = _tinted(_moved(chip, random), random)
    if random.random() < 0.1:
        image = grey(image)
    if random.random() < 0.25:
        widest = chip.shape[0] * CHIP_FACE
        image = narrowed(image, np.exp(random.uniform(np.log(_NARROWEST_PX), np.log(widest))))
    if random.random() < 0.1:
        image = blurred(image, random.uniform(0.5, 3.0))
    if random.random() < 0.3:
        image = compressed(image, int(random.integers(15, 80)))
    if random.random() < 0.25:
        image = _erased(image, random)
    return image


def _moved(chip: Image, random: np.random.Generator) -> Image:
    """Flipped, turned, scaled and shifted, in one step."""
    side = chip.shape[0]
    tilt = np.clip(random.normal(0, _TILT_DEG), -_MAX_TILT_DEG, _MAX_TILT_DEG)
    scale = np.exp(random.normal(0, _SCALE))
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), tilt, scale)
    matrix[:, 2] = matrix[:, 2] + random.normal(0, _SHIFT * side, 2)
    if random.random() < 0.5:
        matrix = matrix @ np.array([[-1, 0, side - 1], [0, 1, 0], [0, 0, 1]])
    return moved(chip, matrix)


def _tinted(image: Image, random: np.random.Generator) -> Image:
    """In other light: brightness, contrast, a colour cast; now and then dark."""
    gains = np.exp(random.normal(0, _GAIN) + random.normal(0, _CAST, 3))
    if random.random() < 0.1:
        gains = gains * random.uniform(0.15, 0.6)
    gamma = np.exp(random.normal(0, _GAMMA))
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * gains * 255
    table = np.clip(levels, 0, 255).astype(np.uint8)
    return cv2.LUT(image, table[None]).astype(np.uint8, copy=False)


def _erased(image: Image, random: np.random.Generator) -> Image:
    """A rectangle of it is hidden (Zhong et al., Random Erasing Data Augmentation, AAAI 2020)."""
    side = image.shape[0]
    width, height = random.integers(side // 8, side // 2, 2)
    left, top = random.integers(0, side - width), random.integers(0, side - height)
    hidden = image.copy()
    hidden[top : top + height, left : left + width] = random.integers(0, 256, 3)
    return hidden
