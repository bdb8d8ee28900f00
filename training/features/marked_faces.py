"""The surroundings of a marked face, cut out of its picture, as a picture of its own."""

import cv2

from models.faces import Image
from models.pictures.files import decode_picture
from models.pictures.size import PictureTooLargeError
from training.datasets.regions import Region

_MARGIN = 0.5
"""How much of its picture is taken at each side of a marked face, in the longer side of its box: a
turned face must be found, and its neighbours should not. More finds more faces that are marked too
tightly, and more of others."""


def cut_out(content: bytes, region: Region) -> bytes:
    """A picture file of the surroundings of a marked face; what cannot be decoded stays as it is,
    so that the reason is found where it is read, and outside of the picture there is nothing.

    Args:
        content: the picture file.
        region: the box of the face, px.
    """
    try:
        image = decode_picture(content)
    except PictureTooLargeError:
        return content
    if image is None:
        return content
    crop = _surroundings(image, region)
    if not crop.size:
        return b""
    encoded, data = cv2.imencode(".bmp", crop)  # as it is, and quick
    return bytes(data) if encoded else b""


def _surroundings(image: Image, region: Region) -> Image:
    """The part of the picture around a box whose middle is the middle of the box: what lies beyond
    the picture's edges repeats them."""
    height, width = image.shape[:2]
    if region.left >= width or region.top >= height:
        return image[:0]
    margin = round(max(region.width, region.height) * _MARGIN)
    left, top = region.left - margin, region.top - margin
    right = region.left + region.width + margin
    bottom = region.top + region.height + margin
    inside = image[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
    edges = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
    return cv2.copyMakeBorder(inside, *edges, cv2.BORDER_REPLICATE).astype(image.dtype, copy=False)
