"""The size of a picture from its header, and what is too large, in pictures and videos alike."""

import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import encode, numbered
from hypothesis import given
from hypothesis import strategies as st
from peak_memory import run_measured

from models.pictures.files import decode_picture
from models.pictures.size import PictureTooLargeError, check_picture_size, picture_size_wh
from stream.errors import SourceError
from stream.settings import Config
from stream.sources import open_source
from training.features.extractor import ExtractionSettings, Extractor

_ROOT = Path(__file__).parents[1]
_MAX_MEMORY_MB = 500
_KINDS = (".png", ".jpg", ".gif", ".bmp", ".webp", ".tif", ".jp2", ".ppm", ".pgm", ".pbm", ".avif")


def _encoded(suffix: str, size_wh: tuple[int, int] = (61, 37)) -> bytes:
    picture = np.zeros((size_wh[1], size_wh[0], 3), dtype=np.uint8)
    if suffix in (".pgm", ".pbm"):
        picture = picture[..., 0]
    return bytes(cv2.imencode(suffix, picture)[1])


def _png(width: int, height: int) -> bytes:
    """A whole picture without a pixel that is set, in a file of a thousandth of its size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    packer, row = zlib.compressobj(1), bytes(1 + 3 * width)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize("suffix", _KINDS)
def test_the_size_is_that_of_the_decoded_picture(suffix: str) -> None:
    content = _encoded(suffix)
    image = decode_picture(content)
    assert image is not None
    assert picture_size_wh(content) == image.shape[1::-1] == (61, 37)


@pytest.mark.parametrize(
    ("quality", "kind"), [(101, b"VP8L"), (50, b"VP8 ")], ids=["lossless", "lossy"]
)
def test_both_codings_of_webp(quality: int, kind: bytes) -> None:
    flags = [cv2.IMWRITE_WEBP_QUALITY, quality]
    content = cv2.imencode(".webp", numbered(3, (161, 137)), flags)[1].tobytes()
    assert content[12:16] == kind
    assert picture_size_wh(content) == (161, 137)


_VP8X = b"RIFF\0\0\0\0WEBPVP8X" + struct.pack("<I", 10) + bytes(4)


_LARGE = (30_000, 30_000)
_LE_TAG, _BE_TAG = struct.Struct("<HHII"), struct.Struct(">HHIHH")
_BIG_TAG = struct.Struct("<HHQQ")

_HEADERS = {
    "png": _png(8, 8)[:16] + struct.pack(">II", *_LARGE),
    "jpeg": b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xff\xc2\0\x11\x08" + struct.pack(">HH", *_LARGE),
    "gif": b"GIF89a" + struct.pack("<HH", *_LARGE),
    "bmp": b"BM" + bytes(12) + struct.pack("<Iii", 40, 30_000, -30_000),
    "bmp of OS/2": b"BM" + bytes(12) + struct.pack("<IHH", 12, *_LARGE),
    "webp": _VP8X + (29_999).to_bytes(3, "little") * 2,
    "tiff": b"II*\0\x08\0\0\0\x02\0"
    + _LE_TAG.pack(256, 4, 1, 30_000)
    + _LE_TAG.pack(257, 4, 1, 30_000),
    "tiff, big-endian": b"MM\0*\0\0\0\x08\0\x02"
    + _BE_TAG.pack(256, 3, 1, 30_000, 0)
    + _BE_TAG.pack(257, 3, 1, 30_000, 0),
    "bigtiff": b"II+\0\x08\0\0\0"
    + struct.pack("<QQ", 16, 2)
    + _BIG_TAG.pack(256, 16, 1, 30_000)
    + _BIG_TAG.pack(257, 16, 1, 30_000),
    "jpeg 2000": b"\xff\x4f\xff\x51\0\x2f\0\0" + struct.pack(">IIII", *_LARGE, 0, 0),
    "ppm": b"P6 # so\n# large\n30000\n30000 255\n",
    "heif": b"\0\0\0\x18ftypheic"
    + b"ispe"
    + struct.pack(">III", 0, 8, 8)
    + b"ispe"
    + struct.pack(">III", 0, *_LARGE),
}


@pytest.mark.parametrize("content", _HEADERS.values(), ids=_HEADERS)
def test_a_header_that_says_too_much_is_refused(content: bytes) -> None:
    with pytest.raises(PictureTooLargeError, match="has 30000 × 30000 px, more than 250 megapix"):
        decode_picture(content)
    check_picture_size(content, 900)


@given(
    start=st.sampled_from([_encoded(suffix)[:64] for suffix in _KINDS] + [b"P6\n\n\n\n\n\n"]),
    rest=st.binary(max_size=100),
)
def test_no_header_is_a_traceback(start: bytes, rest: bytes) -> None:
    for end in range(len(start) + 1):
        width, height = picture_size_wh(start[:end] + rest)
        assert width >= 0
        assert height >= 0


def test_white_space_without_end_is_no_header() -> None:
    assert picture_size_wh(b"P6" + b"\n" * 100_000 + b"#" * 100_000) == (0, 0)


def _config(max_megapixels: int) -> Config:
    return Config.model_validate({"source": {"max_megapixels": max_megapixels}})


def _picture(folder: Path) -> Path:
    (folder / "large.png").write_bytes(_png(1_200, 1_000))
    return folder / "large.png"


def _video(codec: str, suffix: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        pictures = [numbered(number, (1_200, 1_000)) for number in range(3)]
        pixels = "yuvj420p" if codec == "mjpeg" else "rgb24" if codec == "png" else "yuv420p"
        return encode(folder / f"large{suffix}", pictures, codec, pixels)

    return write


@pytest.mark.parametrize(
    "write",
    [
        _picture,
        _video("libx264", ".mp4"),
        _video("libx264", ".ts"),
        _video("mjpeg", ".avi"),
        _video("png", ".mov"),
        _video("libvpx-vp9", ".webm"),
    ],
    ids=["picture", "h264", "h264 ts", "mjpeg", "png", "vp9"],
)
def test_the_setting_says_what_is_too_large(write: Callable[[Path], Path], tmp_path: Path) -> None:
    path = write(tmp_path)
    with pytest.raises(SourceError, match="has 1200 × 1000 px, more than 1 megapixels") as caught:
        open_source(str(path), _config(1))
    assert "\n" not in str(caught.value)
    source = open_source(str(path), _config(2))
    assert source.info.size_wh == (1_200, 1_000)
    source.close()


def test_training_leaves_it_out_and_says_why() -> None:
    content = _png(8, 8)[:16] + struct.pack(">II", 30_000, 30_000)
    found = Extractor(ExtractionSettings()).chips(content)
    assert found.reason == "has 30000 × 30000 px, more than 250 megapixels"


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux states it")
@pytest.mark.parametrize("source", ["file", "pipe"])
def test_a_picture_of_900_megapixels_takes_little_memory(source: str, tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(_png(30_000, 30_000))
    uri = str(tmp_path / "large.png") if source == "file" else "-"
    with (tmp_path / "large.png").open("rb") as picture:
        program = run_measured(["-m", "stream", "run", uri, "--no-show"], _ROOT, stdin=picture)
    assert program.returncode == 2
    assert "has 30000 × 30000 px, more than 250 megapixels" in program.stderr
    assert program.stderr.count("\n") == 1
    assert program.peak_mb < _MAX_MEMORY_MB
