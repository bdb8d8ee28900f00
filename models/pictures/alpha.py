"""Transparent pictures composed over grey."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image

_GREY = 128
"""Level of the grey, 0 to 255: the middle, on which neither dark nor bright outlines are lost."""


def over_grey(image: Image, alpha: NDArray[np.uint8]) -> Image:
    """A picture over grey: what is wholly transparent is not seen.

    Args:
        image: `(height, width, 3)`, not multiplied by its alpha.
        alpha: `(height, width)`; 255 is opaque.
    """
    if alpha.min(initial=255) == 255:
        return image
    share = np.repeat(alpha[..., None], 3, axis=2)
    grey = np.full_like(image, _GREY)
    shown = cv2.multiply(image, share, scale=1 / 255, dtype=cv2.CV_32F)
    shown = cv2.add(shown, cv2.multiply(grey, 255 - share, scale=1 / 255, dtype=cv2.CV_32F))
    return np.rint(shown).astype(np.uint8)
