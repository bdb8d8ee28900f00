"""Pictures that a caller hands over: which are taken, and what is said of any other value."""

import io
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import PIL.ImageFile
import pytest
from fakes import numbered

from models.faces import Image
from stream.errors import SourceError
from stream.sources.given_picture import as_bgr

_PIXELS = numbered(300, (64, 48))


def _png(pixels: Image) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def _pil(pixels: Image) -> PIL.Image.Image:
    return PIL.Image.fromarray(np.ascontiguousarray(pixels[..., ::-1]))


def _coloured() -> Image:
    pixels = _PIXELS.copy()
    pixels[:, :20] = (10, 20, 200)  # red in BGR
    return pixels


def test_each_form_of_a_picture_is_the_same_picture(tmp_path: Path) -> None:
    pixels = _coloured()
    path = tmp_path / "a.png"
    path.write_bytes(_png(pixels))
    forms = [path, str(path), _png(pixels), bytearray(_png(pixels)), memoryview(_png(pixels))]
    for given in (*forms, pixels, _pil(pixels)):
        np.testing.assert_array_equal(as_bgr(given), pixels)


@pytest.mark.parametrize(
    "view",
    [
        lambda pixels: pixels[::-1],
        lambda pixels: pixels[:, ::-1],
        lambda pixels: pixels[..., ::-1],
        lambda pixels: pixels[10:30, 5:40],
        lambda pixels: np.asfortranarray(pixels),
    ],
    ids=["flipped", "mirrored", "RGB", "a part", "columns first"],
)
def test_pixels_that_do_not_follow_one_another_are_taken(view: Any) -> None:
    given = view(_PIXELS)
    taken = as_bgr(given)
    assert taken.flags.c_contiguous
    np.testing.assert_array_equal(taken, given)


def test_pixels_that_do_are_not_copied() -> None:
    assert as_bgr(_PIXELS) is _PIXELS


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "got None: cv2.imread gives None where it cannot read a file"),
        ([[1, 2]], "got a list: give one picture after the other"),
        (3, "got a value of type builtins.int"),
        (io.BytesIO(b""), "got a value of type _io.BytesIO"),
        (np.zeros((4, 5), np.uint8), "got (4, 5): cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)"),
        (np.zeros((4, 5, 1), np.uint8), "got (4, 5, 1): cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)"),
        (np.zeros((4, 5, 4), np.uint8), "got (4, 5, 4): cv2.cvtColor(image, cv2.COLOR_BGRA2BGR)"),
        (np.zeros((3, 4, 5), np.uint8), "got (3, 4, 5): its channels come first"),
        (np.zeros((2, 4, 5, 3), np.uint8), "got (2, 4, 5, 3): give one picture after the other"),
        (np.zeros(7, np.uint8), "expected an array (height, width, 3) in BGR, got (7,)"),
        (np.zeros((0, 5, 3), np.uint8), "one pixel at least, got an array (0, 5, 3)"),
        (np.zeros((4, 0, 3), np.uint8), "one pixel at least, got an array (4, 0, 3)"),
        (np.zeros((4, 5, 3), np.float32), "expected an array of uint8, 0 to 255, got float32"),
        (np.zeros((4, 5, 3), np.float64), "got float64"),
        (np.zeros((4, 5, 3), np.uint16), "got uint16"),
        (np.zeros((4, 5, 3), np.int8), "got int8"),
        (np.zeros((4, 5, 3), np.bool_), "got bool"),
        (np.zeros((4, 5, 3), np.object_), "got object"),
        (b"", "got 0 bytes that are none"),
        (b"no picture", "got 10 bytes that are none"),
        (_png(_PIXELS)[:200], "got 200 bytes that are none"),
        ("", "got the folder ''"),
        ("/", "got the folder '/': annotate reads folders"),
        ("rtsp://u:secret@h/1", "got an address: annotate reads addresses"),
        (PIL.Image.new("F", (4, 4)), "got mode F"),
        (PIL.Image.new("I;16", (4, 4)), "got mode I;16"),
        (PIL.Image.new("RGB", (0, 4)), "got a PIL image (0, 4)"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_picture_is_an_error_that_says_expected_and_actual(
    given: Any, said: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        as_bgr(given)
    assert "expected" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_an_error_of_the_source(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.png cannot be read: No such file"):
        as_bgr(tmp_path / "none.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(SourceError, match=r"text\.png cannot be read as a picture; annotate reads"):
        as_bgr(tmp_path / "text.png")


def test_a_picture_that_is_too_large_is_not_decoded(tmp_path: Path) -> None:
    large = np.zeros((1200, 1200, 3), np.uint8)
    (tmp_path / "a.png").write_bytes(_png(large))
    with pytest.raises(SourceError, match=r"1200 × 1200 px, more than 1 megapixels"):
        as_bgr(tmp_path / "a.png", 1)
    for given in (_png(large), _pil(large)):
        with pytest.raises(ValueError, match=r"1200 × 1200 px, more than 1 megapixels"):
            as_bgr(given, 1)
    assert as_bgr(large, 1) is large  # it is in memory already


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "LA", "RGBA"])
def test_an_image_of_pil_is_taken_in_any_mode_of_8_bits(mode: str) -> None:
    assert as_bgr(_pil(_PIXELS).convert(mode)).shape == _PIXELS.shape


def test_what_is_transparent_is_laid_over_grey() -> None:
    clear = PIL.Image.new("RGBA", (6, 4), (255, 0, 0, 0))
    np.testing.assert_array_equal(as_bgr(clear), np.full((4, 6, 3), 128, np.uint8))


def test_an_image_of_pil_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    _pil(_PIXELS).save(tmp_path / "turned.png", exif=exif)
    with PIL.Image.open(tmp_path / "turned.png") as image:
        np.testing.assert_array_equal(as_bgr(image), as_bgr(tmp_path / "turned.png"))
        assert as_bgr(image).shape == (64, 48, 3)


def test_an_image_of_pil_that_is_cut_short_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PIL.ImageFile, "LOAD_TRUNCATED_IMAGES", False)  # face_recognition sets it
    _pil(numbered(300, (640, 480))).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:-200])
    with (
        PIL.Image.open(tmp_path / "cut.jpg") as image,
        pytest.raises(ValueError, match=r"expected a whole PIL image: .*truncated"),
    ):
        as_bgr(image)
