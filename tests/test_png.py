"""PNG files as libpng is given them, and pictures of which no library says anything itself."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from models.pictures.decoding import decode_with_opencv
from models.pictures.png import checked_png

_PICTURE = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)


def _encoded(ending: str) -> bytes:
    return cv2.imencode(ending, _PICTURE)[1].tobytes()


def _chunk(kind: bytes, content: bytes, change: int = 0) -> bytes:
    check_sum = zlib.crc32(kind + content) ^ change
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check_sum)


def _with(*chunks: bytes) -> bytes:
    """A PNG with further chunks before its pixels."""
    start = _encoded(".png").index(b"IDAT") - 4
    return _encoded(".png")[:start] + b"".join(chunks) + _encoded(".png")[start:]


def _decoded(content: bytes) -> object:
    return decode_with_opencv(content, pytest.fail)


@pytest.mark.parametrize(
    "chunk",
    [_chunk(b"iCCP", b"x\0\0short"), _chunk(b"tIME", b"\0"), _chunk(b"tEXt", b"a\0b", change=1)],
    ids=["profile", "time", "damaged text"],
)
def test_what_is_not_read_is_not_complained_of(
    chunk: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    assert checked_png(_with(chunk)) == _encoded(".png")
    assert np.array_equal(_decoded(_with(chunk)), _PICTURE)
    assert capfd.readouterr().err == ""


def test_what_is_read_stays() -> None:
    content = _with(_chunk(b"cICP", b"\x09\x10\0\1"), _chunk(b"eXIf", b"MM\0*"))
    assert checked_png(content) == content
    assert checked_png(content + b"what follows") == content


def test_a_damaged_chunk_that_it_needs_is_none() -> None:
    assert checked_png(_with(_chunk(b"IDAT", b"", change=1))) is None


def test_other_files_are_not_looked_at() -> None:
    assert checked_png(_encoded(".jpg")) == _encoded(".jpg")
    assert checked_png(b"") == b""


@pytest.mark.parametrize("ending", [".png", ".bmp", ".tiff", ".gif", ".jp2", ".webp", ".ppm"])
@pytest.mark.parametrize("percent", [30, 60, 99])
def test_the_libraries_print_nothing_of_a_picture_that_is_cut(
    ending: str, percent: int, capfd: pytest.CaptureFixture[str]
) -> None:
    content = _encoded(ending)
    assert _decoded(content[: len(content) * percent // 100]) is None
    assert capfd.readouterr().err == ""
