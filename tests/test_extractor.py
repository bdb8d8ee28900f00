"""The bytes of picture files: which hold a whole picture."""

import struct

import cv2
import numpy as np
import pytest
from fakes import SIZE_WH, number_of, numbered

from models.pictures.files import decode_picture

_KINDS: dict[str, list[int]] = {
    "baseline": [],
    "progressive": [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
    "restarts": [cv2.IMWRITE_JPEG_RST_INTERVAL, 2],
}


def _jpeg(number: int, options: list[int]) -> bytes:
    return cv2.imencode(".jpg", numbered(number), options)[1].tobytes()


def _with_thumbnail(jpeg: bytes) -> bytes:
    """Exif whose second directory is a small picture: a whole JPEG inside a JPEG."""
    thumbnail = cv2.imencode(".jpg", numbered(1, (16, 16)))[1].tobytes()
    entries = struct.pack("<HHII", 0x0201, 4, 1, 44) + struct.pack(
        "<HHII", 0x0202, 4, 1, len(thumbnail)
    )
    directories = struct.pack("<HIH", 0, 14, 2) + entries + bytes(4)
    exif = b"Exif\0\0II" + struct.pack("<HI", 42, 8) + directories + thumbnail
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


@pytest.fixture(params=[(kind, held) for kind in _KINDS for held in (False, True)], ids=str)
def jpeg(request: pytest.FixtureRequest) -> bytes:
    """One of each kind, without a thumbnail and with one."""
    kind, has_thumbnail = request.param
    plain = _jpeg(0b10100101, _KINDS[kind])
    return _with_thumbnail(plain) if has_thumbnail else plain


_APPENDED = {
    "nothing": b"",
    "zeros": bytes(5000),
    "a video": b"\0\0\0\x18ftypmp42" + np.random.default_rng(0).bytes(5000),
    "another picture": _jpeg(7, []),
}


@pytest.mark.parametrize("appended", _APPENDED)
def test_what_follows_a_whole_picture_does_not_matter(jpeg: bytes, appended: str) -> None:
    """A motion photo is a JPEG and then a video."""
    image = decode_picture(jpeg + _APPENDED[appended])
    assert image is not None
    assert image.shape == (SIZE_WH[1], SIZE_WH[0], 3)
    assert number_of(image) == 0b10100101


def test_a_picture_cut_anywhere_is_none(jpeg: bytes) -> None:
    assert [end for end in range(len(jpeg)) if decode_picture(jpeg[:end]) is not None] == []


@pytest.mark.parametrize("share", [0.75, 0.9, 0.99])
def test_a_cut_picture_filled_up_with_zeros_is_none(jpeg: bytes, share: float) -> None:
    """So an interrupted download stands on the disk: as long as the whole, but empty at its end."""
    held = round(len(jpeg) * share)
    assert decode_picture(jpeg[:held] + bytes(60_000)) is None


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xd9"]
)
def test_what_is_no_picture_is_none(content: bytes) -> None:
    assert decode_picture(content) is None


def test_bytes_that_fill_the_gap_before_a_marker_are_no_end() -> None:
    """T.81, B.1.1.2: a marker may follow any number of fill bytes."""
    plain = _jpeg(5, [])
    image = decode_picture(plain[:2] + b"\xff\xff" + plain[2:])
    assert image is not None
    assert number_of(image) == 5


@pytest.mark.parametrize("ending", [".png", ".bmp", ".webp"])
def test_other_kinds_are_pictures_too(ending: str) -> None:
    image = decode_picture(cv2.imencode(ending, numbered(9))[1].tobytes())
    assert image is not None
    assert number_of(image) == 9
