"""Picture files: transparent ones over grey, those that use a part of their bits, and HDR."""

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from models.faces import Image
from models.pictures.files import decode_picture
from stream.sources import open_source

_COLOURS: Image = np.zeros((32, 48, 3), np.uint8)
"""Blue, green, red and white."""
_COLOURS[:16, :24], _COLOURS[:16, 24:] = (250, 20, 30), (10, 240, 20)
_COLOURS[16:, :24], _COLOURS[16:, 24:] = (40, 10, 230), (255, 255, 255)

_GREY = 128


def _file(picture: Pillow.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def _transparent(left: int = 0) -> Pillow.Image:
    """The colours, transparent in the left half."""
    alpha = np.full((32, 48), 255, np.uint8)
    alpha[:, :24] = left
    return Pillow.fromarray(np.dstack([_COLOURS[..., ::-1], alpha]))


def _assert_right_half_only(picture: Image | None, atol: int = 0) -> None:
    assert picture is not None
    np.testing.assert_allclose(picture[:, 24:].astype(int), _COLOURS[:, 24:], atol=atol)
    assert (picture[:, :24] == _GREY).all()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True, "exact": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("JPEG2000", {}),
    ],
)
def test_what_is_wholly_transparent_is_not_shown(kind: str, options: dict[str, object]) -> None:
    _assert_right_half_only(decode_picture(_file(_transparent(), kind, **options)))


def test_avif_too() -> None:
    file = _file(_transparent(), "AVIF", quality=100, subsampling="4:4:4")
    _assert_right_half_only(decode_picture(file), atol=4)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_colour_of_the_palette_may_be_transparent(kind: str) -> None:
    picture = Pillow.fromarray(_COLOURS[..., ::-1]).quantize(4)
    index = picture.getpixel((2, 2))
    shown = decode_picture(_file(picture, kind, transparency=index))
    assert shown is not None
    assert (shown[:16, :24] == _GREY).all()
    np.testing.assert_allclose(shown[:, 24:].astype(int), _COLOURS[:, 24:], atol=4)


def test_what_is_half_transparent_is_mixed_with_grey() -> None:
    shown = decode_picture(_file(_transparent(left=102), "PNG"))
    assert shown is not None
    expected = 0.4 * _COLOURS[:, :24] + 0.6 * _GREY
    np.testing.assert_allclose(shown[:, :24], expected, atol=1)


def test_the_fourth_byte_of_a_bitmap_is_no_alpha() -> None:
    header = struct.pack("<2sIHHI", b"BM", 54 + 4 * 32 * 48, 0, 0, 54)
    header += struct.pack("<IiiHHIIiiII", 40, 48, 32, 1, 32, 0, 4 * 32 * 48, 0, 0, 0, 0)
    pixels = np.dstack([_COLOURS, np.zeros((32, 48), np.uint8)])[::-1]
    shown = decode_picture(header + pixels.tobytes())
    assert shown is not None
    np.testing.assert_array_equal(shown, _COLOURS)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_transparent_picture_is_turned_as_any_other(kind: str, orientation: int) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    opaque = _file(_transparent(left=255).convert("RGB"), kind, exif=exif.tobytes(), **options)
    expected = cv2.imdecode(np.frombuffer(opaque, np.uint8), cv2.IMREAD_COLOR)  # turned by OpenCV
    for left in (255, 254):
        file = _file(_transparent(left), kind, exif=exif.tobytes(), **options)
        shown = decode_picture(file)
        assert shown is not None
        np.testing.assert_allclose(shown.astype(int), expected, atol=1)


@pytest.mark.parametrize("kind", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_the_bits_that_are_used_are_taken_for_all(kind: str, bits: int) -> None:
    deep = np.rint(_COLOURS * (((1 << bits) - 1) / 255)).astype(np.uint16)
    for file, expected in (
        (cv2.imencode(kind, deep)[1].tobytes(), _COLOURS),
        (cv2.imencode(kind, deep[..., 1])[1].tobytes(), _COLOURS[..., 1:2].repeat(3, axis=2)),
    ):
        said: list[str] = []
        shown = decode_picture(file, remark=said.append)
        assert shown is not None
        np.testing.assert_allclose(shown.astype(int), expected, atol=1)
        assert [each.startswith(f"uses {bits} of 16 bits") for each in said] == [True]


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_deep_alpha(bits: int) -> None:
    most = (1 << bits) - 1
    deep = np.rint(_COLOURS * (most / 255)).astype(np.uint16)
    alpha = np.full((32, 48), most, np.uint16)
    alpha[:, :24] = 0
    file = cv2.imencode(".png", np.dstack([deep, alpha]))[1].tobytes()
    _assert_right_half_only(decode_picture(file), atol=1)


@pytest.mark.parametrize("level", [0, 40_000, 65_535])
def test_nothing_is_said_where_all_bits_are_used_or_none(level: int) -> None:
    said: list[str] = []
    shown = decode_picture(
        cv2.imencode(".png", np.full((8, 8), level, np.uint16))[1].tobytes(), remark=said.append
    )
    assert shown is not None
    assert abs(int(shown[0, 0, 0]) - level / 257) <= 1
    assert said == []


def test_of_a_folder_it_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"{number}.png"), _COLOURS.astype(np.uint16) * 16)
    cv2.imwrite(str(tmp_path / "plain.png"), _COLOURS)
    frames = list(open_source(str(tmp_path)).frames())
    assert len(frames) == 5
    assert caplog.messages == [
        f"{tmp_path / '0.png'} uses 12 of 16 bits: they are taken for all, or it would be too dark "
        "(said once)"
    ]


def test_a_png_that_says_it_is_hdr() -> None:
    signal = np.full((8, 8, 3), round(0.38 * 65535), np.uint16)  # 26 cd/m2 (ITU-R BT.2408)
    png = cv2.imencode(".png", signal)[1].tobytes()
    kind = b"cICP" + bytes([9, 16, 0, 1])
    chunk = struct.pack(">I", 4) + kind + struct.pack(">I", zlib.crc32(kind))
    shown = decode_picture(png[:33] + chunk + png[33:])
    assert shown is not None
    np.testing.assert_allclose(shown, 255 * (26 / 203) ** (1 / 2.4), atol=3)
    plain = decode_picture(png)
    assert plain is not None
    np.testing.assert_allclose(plain, 0.38 * 255, atol=1)


def test_only_the_first_page_is_read_and_that_is_said() -> None:
    first = Pillow.fromarray(_COLOURS[..., ::-1])
    for others, expected in (([], []), ([first.rotate(180)], ["has several pages: the first one"])):
        said: list[str] = []
        file = _file(first, "TIFF", save_all=True, append_images=others)
        shown = decode_picture(file, remark=said.append)
        assert shown is not None
        np.testing.assert_array_equal(shown, _COLOURS)
        assert [each.removesuffix(" is read") for each in said] == expected


@pytest.mark.parametrize("order", "<>")
def test_a_small_copy_is_no_page(order: str) -> None:
    def page(at: int, following: int, kind: int) -> bytes:
        tags = [(254, kind), (256, 8), (257, 8), (258, 8), (259, 1), (262, 1), (273, at + 200)]
        tags += [(278, 8), (279, 64)]
        entries = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in tags)
        head = struct.pack(f"{order}H", len(tags)) + entries + struct.pack(f"{order}I", following)
        return head.ljust(200, b"\0") + bytes(64)

    for kind, expected in ((1, 0), (0, 1), (2, 1)):
        said: list[str] = []
        tiff = (
            {"<": b"II*\0", ">": b"MM\0*"}[order]
            + struct.pack(f"{order}I", 8)
            + page(8, 272, 0)
            + page(272, 0, kind)
        )
        assert decode_picture(tiff, remark=said.append) is not None
        assert len(said) == expected
