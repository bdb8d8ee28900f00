"""Picture files as OpenCV decodes them, made 8-bit, opaque and upright:

1. Numbers of 16 bits become 8. Where a file leaves the upper bits unused, as cameras of 10, 12 or
   14 bits do, the bits that it uses are taken for all of them.
2. HDR, which a PNG can state, becomes BT.709.
3. What is transparent is laid over grey.
4. The picture is turned as its camera was held.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from models.pictures.alpha import over_grey
from models.pictures.opencv_messages import without_opencv_messages
from models.pictures.png import checked_png
from models.pictures.tone_mapping import MOST, tone_mapping

_Numbers: TypeAlias = NDArray[Any]
"""Pixels or a channel of them, of 8 or 16 bits without a sign."""

_DEPTHS = (8, 10, 12, 14, 16)
"""Bits of 16 that files use: those of cameras, and whole bytes."""

ORIENTATION_TAG = 0x0112
"""Number of the orientation (EXIF 2.32, table 4)."""

UPRIGHT = 1
"""The orientation of a picture that is not turned."""

_KIND_TAG = 254
"""Number of the tag of a page's kind, whose lowest bit means a small copy (TIFF 6.0)."""

_LONG = 4
"""Code of numbers of 32 bits, whose lower half comes second where the order is that of Motorola."""


def decode_with_opencv(content: bytes, remark: Callable[[str], None]) -> Image | None:
    """The picture in a file's bytes, BGR; None where OpenCV cannot decode it.

    Args:
        content: the file.
        remark: is given what there is to say of it, in words that follow its name.
    """
    checked = checked_png(content)
    if checked is None:
        return None
    data = np.frombuffer(checked, np.uint8)
    whole: _Numbers | None
    try:
        with without_opencv_messages():
            whole, kinds, metadata = cv2.imdecodeWithMetadata(data, cv2.IMREAD_UNCHANGED)
            if whole is None or not _is_usual(whole):
                plain = cv2.imdecode(data, cv2.IMREAD_COLOR)
                return None if plain is None else plain.astype(np.uint8, copy=False)
    except cv2.error:  # larger than OpenCV accepts
        return None
    if content.startswith((b"II*\0", b"MM\0*")) and _has_second_page(content):
        remark("has several pages: the first one is read")
    stated = {int(kind): each.tobytes() for kind, each in zip(kinds, metadata, strict=True)}
    colour = cv2.cvtColor(whole, cv2.COLOR_GRAY2BGR) if whole.ndim == 2 else whole[..., :3]
    bits = _used_bits(colour)
    if bits < 8 * colour.itemsize:
        remark(f"uses {bits} of 16 bits: they are taken for all, or it would be too dark")
    colour = _in_bt709(_stretched(colour), stated.get(cv2.IMAGE_METADATA_CICP, b""))
    picture = _in_8_bits(colour)
    if whole.ndim == 3 and whole.shape[2] == 4:
        picture = over_grey(picture, _in_8_bits(_stretched(whole[..., 3])))
    orientation = _orientation(stated.get(cv2.IMAGE_METADATA_EXIF, b""))
    return np.ascontiguousarray(turned_upright(picture, orientation))


def _is_usual(whole: NDArray[Any]) -> bool:
    """Whether a picture is of 8 or 16 bits, and grey, coloured, or coloured with alpha."""
    return whole.dtype in (np.uint8, np.uint16) and (whole.ndim == 2 or whole.shape[2] in (3, 4))


def _used_bits(numbers: _Numbers) -> int:
    """Bits that the largest of some numbers uses, as it is made; all where there is none but 0."""
    largest = int(numbers.max(initial=0))
    if numbers.dtype == np.uint8 or not largest:
        return 8 * numbers.itemsize
    return next(bits for bits in _DEPTHS if largest < 1 << bits)


def _stretched(numbers: _Numbers) -> _Numbers:
    """Numbers that use all bits of their type."""
    bits = _used_bits(numbers)
    if bits == 8 * numbers.itemsize:
        return numbers
    return np.rint(numbers * (MOST / ((1 << bits) - 1))).astype(np.uint16)


def _in_bt709(colour: _Numbers, cicp: bytes) -> _Numbers:
    """A picture, blue first, in BT.709; the same one where it does not state other colours.

    Args:
        colour: `(height, width, 3)`.
        cicp: what it states: codes of primaries and transfer function, and more.
    """
    mapping = tone_mapping(*cicp[:2]) if cicp else None
    if mapping is None:
        return colour
    if colour.dtype == np.uint8:
        colour = colour * np.uint16(MOST // 255)
    return mapping.convert(np.ascontiguousarray(colour[..., ::-1]))[..., ::-1]


def _in_8_bits(numbers: _Numbers) -> NDArray[np.uint8]:
    """Numbers of 0 to 255."""
    if numbers.dtype == np.uint8:
        return numbers
    return cv2.convertScaleAbs(numbers, alpha=255 / MOST).astype(np.uint8, copy=False)


def turned_upright(picture: Image, orientation: int) -> Image:
    """A picture upright, by its orientation (EXIF 2.32): what lies in row 0 and column 0."""
    if orientation in (5, 6, 7, 8):
        picture = picture.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    return picture


def _orientation(exif: bytes) -> int:
    """The orientation that EXIF states; 1, upright, where there is none to be read."""
    tags, _ = _tags(exif.removeprefix(b"Exif\0\0"))
    return tags.get(ORIENTATION_TAG, UPRIGHT)


def _has_second_page(tiff: bytes) -> bool:
    """Whether a TIFF goes on after its first page with more than a small copy of it."""
    _, second = _tags(tiff)
    return second > 0 and not _tags(tiff, second)[0].get(_KIND_TAG, 0) & 1


def _tags(tiff: bytes, at: int = 0) -> tuple[Mapping[int, int], int]:
    """The short tags of a page of a TIFF, which EXIF is too, and where the next page stands.

    Args:
        tiff: the file.
        at: where the page stands; 0 for the first one. What is cut short has no tags.
    """
    order, tags = ">" if tiff.startswith(b"MM") else "<", {}
    try:
        (at,) = (at,) if at else struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, at)
        for number in range(count):
            tag, kind, _, *value = struct.unpack_from(f"{order}HHIHH", tiff, at + 2 + 12 * number)
            tags[tag] = value[order == ">" and kind == _LONG]
        (following,) = struct.unpack_from(f"{order}I", tiff, at + 2 + 12 * count)
    except struct.error:
        return {}, 0
    return tags, int(following)
