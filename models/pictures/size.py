"""The size of a picture, read from its header: a small file may hold more pixels than memory does.

Each kind states it where its specification says; nothing is decoded. Of a HEIF file it is the
largest of its items, of any other file with several pictures the first.
"""

import re
import struct
from collections.abc import Callable

MAX_MEGAPIXELS = 250
"""Pixels of a picture at most, in millions; 250 take 750 MB as BGR. The largest sensors that are
sold have 151, a panorama of a phone has 60."""

_JPEG_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers of JPEG frames, which state a size (ITU-T T.81, table B.1)."""

_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
"""Tags of TIFF."""

_TIFF_TYPES = {1: "B", 3: "H", 4: "I", 16: "Q"}
"""Types of whole numbers in TIFF, as `struct` names them."""

_TIFF_MAX_ENTRIES = 4096
"""Entries of a directory at most that are looked at; files have a few dozen."""

_PNM = re.compile(rb"P[1-6](?:\s|#[^\n]*+\n)++(\d{1,9})(?:\s|#[^\n]*+\n)++(\d{1,9})")
"""How PNM begins: its kind, comments, width and height."""


class PictureTooLargeError(Exception):
    """Why a picture is not decoded, in words that follow its name."""


def check_picture_size(content: bytes, max_megapixels: int = MAX_MEGAPIXELS) -> None:
    """Checks that a picture has not more pixels than are allowed, as far as its header says.

    Args:
        content: the file's bytes.
        max_megapixels: how many are allowed, in millions.

    Raises:
        PictureTooLargeError: it has more; the message says how many.
    """
    check_size_wh(picture_size_wh(content), max_megapixels)


def check_size_wh(size_wh: tuple[int, int], max_megapixels: int) -> None:
    """Checks that a size is allowed; see `check_picture_size`."""
    width, height = size_wh
    if width * height > max_megapixels * 1_000_000:
        raise PictureTooLargeError(
            f"has {width} × {height} px, more than {max_megapixels} megapixels "
            "(source.max_megapixels)"
        )


def picture_size_wh(content: bytes) -> tuple[int, int]:
    """Width and height in px as the header states them; 0 × 0 where it states none."""
    for start, read in _READERS:
        if start.match(content):
            try:
                width, height = read(content)
            except (struct.error, LookupError, ValueError):  # cut short
                return 0, 0
            return abs(width), abs(height)
    return 0, 0


def _png(content: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def _gif(content: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", content, 6)
    return width, height


def _bmp(content: bytes) -> tuple[int, int]:
    (header_bytes,) = struct.unpack_from("<I", content, 14)
    width, height = struct.unpack_from("<HH" if header_bytes == 12 else "<ii", content, 18)
    return width, height


def _jpeg(content: bytes) -> tuple[int, int]:
    """The size in the first frame header; segments before it are passed over."""
    at = 2
    while True:
        at = content.index(b"\xff", at)
        marker = content[at + 1]
        if marker in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD9:  # without a length, or padding
            at += 1
        else:
            at += 2 + struct.unpack_from(">H", content, at + 2)[0]


def _webp(content: bytes) -> tuple[int, int]:
    kind = content[12:16]
    if kind == b"VP8X":
        sides = content[24:27], content[27:30]
        width, height = (int.from_bytes(side, "little") + 1 for side in sides)
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", content, 26))
    return width, height


def _tiff(content: bytes) -> tuple[int, int]:
    """The size in the first directory; of BigTIFF, too."""
    order = "<" if content[:2] == b"II" else ">"
    is_big = content[2:4] in (b"+\0", b"\0+")
    (at,) = struct.unpack_from(f"{order}Q", content, 8) if is_big else _u32(content, order, 4)
    (count,) = struct.unpack_from(f"{order}{'Q' if is_big else 'H'}", content, at)
    first, step, value = (at + 8, 20, 12) if is_big else (at + 2, 12, 8)
    sides = {}
    for entry in range(first, first + step * min(count, _TIFF_MAX_ENTRIES), step):
        tag, kind = struct.unpack_from(f"{order}HH", content, entry)
        if tag in (_TIFF_WIDTH, _TIFF_HEIGHT):
            (sides[tag],) = struct.unpack_from(order + _TIFF_TYPES[kind], content, entry + value)
    return sides[_TIFF_WIDTH], sides[_TIFF_HEIGHT]


def _u32(content: bytes, order: str, at: int) -> tuple[int]:
    (number,) = struct.unpack_from(f"{order}I", content, at)
    return (number,)


def _jpeg_2000(content: bytes) -> tuple[int, int]:
    """The size in the code stream, by which it is decoded."""
    at = content.index(b"\xff\x4f\xff\x51")
    right, bottom, left, top = struct.unpack_from(">IIII", content, at + 8)
    return right - left, bottom - top


def _pnm(content: bytes) -> tuple[int, int]:
    found = _PNM.match(content)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _heif(content: bytes) -> tuple[int, int]:
    """The largest of the sizes that items state (`ispe`, ISO/IEC 23008-12, section 6.5.3)."""
    sizes = [
        struct.unpack_from(">II", content, found.end() + 4)
        for found in re.finditer(rb"ispe", content[: 1 << 20])
        if found.end() + 12 <= len(content)
    ]
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    return width, height


_READERS: tuple[tuple[re.Pattern[bytes], Callable[[bytes], tuple[int, int]]], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), _png),
    (re.compile(rb"\xff\xd8"), _jpeg),
    (re.compile(rb"GIF8[79]a"), _gif),
    (re.compile(rb"BM"), _bmp),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), _webp),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), _tiff),
    (re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"), _jpeg_2000),
    (re.compile(rb"P[1-6]\s"), _pnm),
    (re.compile(rb".{4}ftyp", re.DOTALL), _heif),
)
"""How files of each kind begin, and where they state their size."""
