"""Which files are pictures, and how they are read: one list of kinds for stream and training."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from models.faces import Image
from models.pictures.decoding import decode_with_opencv
from models.pictures.heif import read_heif
from models.pictures.heif_items import HeifError
from models.pictures.size import MAX_MEGAPIXELS, check_size_wh, picture_size_wh

PICTURE_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".bmp", ".dib", ".tif", ".tiff"),
        *(".webp", ".gif", ".jp2", ".ppm", ".pgm", ".pbm", ".pnm"),
        *(".heic", ".heif", ".hif", ".avif"),
    }
)
"""Endings of the names of files that are taken for pictures."""

VIDEO_SUFFIXES = frozenset(
    {
        *(
            ".3g2",
            ".3gp",
            ".asf",
            ".avi",
            ".divx",
            ".dv",
            ".f4v",
            ".flv",
            ".h264",
            ".h265",
            ".hevc",
        ),
        *(".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"),
        *(".mts", ".mxf", ".ogv", ".rm", ".rmvb", ".ts", ".vob", ".webm", ".wmv", ".y4m"),
    }
)
"""Endings of the names of files that are taken for videos where a pattern names many files; a file
that is named alone is read whatever its ending."""

_UNREAD_SUFFIXES = frozenset(
    {
        # raw files of cameras
        *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".iiq", ".kdc", ".mrw"),
        *(".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".sr2", ".srf", ".srw", ".x3f"),
        # other pictures
        *(".avifs", ".bpg", ".dcm", ".eps", ".exr", ".hdr", ".heics", ".ico", ".j2k", ".jxl"),
        *(".jxr", ".pcx", ".psd", ".qoi", ".svg", ".tga", ".wdp", ".xcf"),
        *VIDEO_SUFFIXES,
    }
)
"""Endings of pictures and videos that a folder of pictures may hold and that are left out."""

_JPEG_STREAM_SUFFIXES = frozenset({".mjpeg", ".mjpg"})
"""Endings of videos that are JPEGs one after the other."""

_STARTS = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|II\*\0|MM\0\*|RIFF.{4}WEBP|BM.{4}\0{4}"
    rb"|\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51|P[1-6]\s|.{4}ftyp(?:avif|hei[cxms]|mif[12])",
    re.DOTALL,
)
"""How files of the kinds that are read begin, whatever their names."""

_MOVING_STARTS = re.compile(rb".{4}ftyp(?:avis|hev[cxms]|msf1)", re.DOTALL)
"""How HEIF files begin that hold a sequence of pictures, which is a video."""

_GIF_PICTURE = re.compile(rb"\x21\xf9\x04.{4}\0[\x2c\x21]", re.DOTALL)
"""What stands before each picture of a GIF that moves (GIF89a, section 23)."""

_JPEG_START = b"\xff\xd8"
"""Marker with which a JPEG begins (ITU-T T.81, table B.1)."""

_JPEG_END = b"\xff\xd9"
"""Marker with which a JPEG ends."""

_JPEG_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")
"""Markers that a length follows, and the end marker (ITU-T T.81, table B.1); in coded data none
occurs."""

_JPEG_PARTS = b"MPF\0"
"""What a JPEG has that holds several pictures (CIPA DC-007): the others follow the first."""

_HEAD_BYTES = 64
"""Bytes of a file that say what it is."""

_LOOKED_AT_BYTES = 32 << 20
"""Bytes of a file in which it is looked for whether a second picture follows the first."""


def is_picture(path: Path) -> bool:
    """Whether a file is named like a picture that can be read."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def is_video(path: Path) -> bool:
    """Whether a file is a video by its name, or a picture by its name that moves."""
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return True
    return is_picture(path) and not is_single_picture(path)


def is_left_out(path: Path) -> bool:
    """Whether a file is a picture or a video that is not looked at in a folder of pictures."""
    if is_picture(path) or path.name.startswith(".") or not os.path.isfile(path):
        return False
    return path.suffix.lower() in _UNREAD_SUFFIXES or bool(_STARTS.match(_begin(path)))


def is_single_picture(path: Path) -> bool:
    """Whether a file that is opened alone is a picture, and not a video. The first case decides:

    1. a GIF or a HEIF file, whatever its name: a picture unless it moves
    2. a name like that of a picture
    3. it begins like a picture, and is no stream of JPEGs
    """
    head = _begin(path)
    if head.startswith(b"GIF8"):
        return len(_GIF_PICTURE.findall(_begin(path, _LOOKED_AT_BYTES))) < 2
    if _MOVING_STARTS.match(head):
        return False
    if is_picture(path):
        return True
    if not _STARTS.match(head):
        return False
    if not head.startswith(_JPEG_START):
        return True
    return path.suffix.lower() not in _JPEG_STREAM_SUFFIXES and not _is_jpeg_stream(path)


def kind_of(path: Path) -> str:
    """The kind of a file by its name, as it is counted: `.cr2`."""
    return path.suffix.lower() or "no ending"


def counted_kinds(kinds: Counter[str]) -> str:
    """How many there are of each kind, in words: `3 .cr2, 1 .jpg`."""
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())


def kinds_of(paths: Iterable[Path]) -> Counter[str]:
    """How many files there are of each kind."""
    return Counter(map(kind_of, paths))


def decode_picture(
    content: bytes,
    max_megapixels: int = MAX_MEGAPIXELS,
    *,
    remark: Callable[[str], None] = lambda _: None,
) -> Image | None:
    """The picture in a file's bytes, upright; None where they hold none, or not all of it.

    Of several pictures in one file it is the first.

    Args:
        content: the file.
        max_megapixels: pixels that are allowed, in millions.
        remark: is given what there is to say of it, in words that follow its name.

    Raises:
        PictureTooLargeError: it has more pixels than are allowed; nothing is decoded.
    """
    size_wh = picture_size_wh(content)
    check_size_wh(size_wh, max_megapixels)
    if content[4:8] == b"ftyp":
        with suppress(HeifError):  # a sequence: OpenCV reads the first picture where it is AVIF
            return read_heif(content, max_megapixels)
    if 0 in size_wh or _is_cut_jpeg(content):
        return None
    return decode_with_opencv(content, remark)


def _is_cut_jpeg(content: bytes) -> bool:
    """Whether a file is a JPEG whose own end mark is missing.

    OpenCV refuses a file that ends too early, but fills a picture up with noise where other bytes
    follow the cut. The mark of a thumbnail, which lies in a segment, does not count; what follows
    the picture's own, such as the video of a motion photo, is no part of it.
    """
    return content.startswith(_JPEG_START) and _jpeg_size(content) is None


def _jpeg_size(content: bytes) -> int | None:
    """Where a JPEG ends; None where its end mark is missing."""
    at = len(_JPEG_START)
    while (marker := _JPEG_MARKER.search(content, at)) is not None:
        if marker[0] == _JPEG_END:
            return marker.end()
        length = content[marker.end() : marker.end() + 2]
        at = marker.end() + int.from_bytes(length, "big")
    return None


def _is_jpeg_stream(path: Path) -> bool:
    """Whether a file that begins with a JPEG is a video, in which the next one follows."""
    content = _begin(path, _LOOKED_AT_BYTES)
    size = _jpeg_size(content)
    if size is None or _JPEG_PARTS in content[:size]:
        return False
    return content[size:].lstrip(b"\0\n\r").startswith(_JPEG_START)


def _begin(path: Path, size: int = _HEAD_BYTES) -> bytes:
    """The first bytes of a file; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""
