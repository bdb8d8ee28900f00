"""A picture that a caller hands over, in any of the forms that Python programs have them in."""

import os
import sys
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from models.pictures.alpha import over_grey
from models.pictures.decoding import ORIENTATION_TAG, UPRIGHT, turned_upright
from models.pictures.files import decode_picture
from models.pictures.size import MAX_MEGAPIXELS, PictureTooLargeError, check_size_wh
from models.safe_files import MAX_PICTURE_BYTES, UnfitFileError, read_regular
from stream.addresses import is_url
from stream.errors import SourceError


class PilImage(Protocol):
    """An image of PIL, of which this program knows what it needs without importing it."""

    @property
    def mode(self) -> str:
        """The kind of its pixels, such as `RGB`."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""

    @property
    def has_transparency_data(self) -> bool:
        """Whether there is alpha, or a transparent colour."""

    def convert(self, mode: str) -> Any:
        """The image in another mode."""

    def getexif(self) -> Any:
        """Its EXIF, by the numbers of tags."""


GivenPicture: TypeAlias = str | os.PathLike[str] | bytes | NDArray[Any] | PilImage
"""A path, the bytes of a file, pixels `(height, width, 3)` uint8 in BGR, or an image of PIL."""

_FORMS = (
    "a path, the bytes of a picture file, a NumPy array (height, width, 3) of uint8 in BGR, "
    "or a PIL image"
)
"""The forms of a picture, for messages."""

_CHANNELS_LAST = (1, 2, 0)
"""The axes of an array whose channels come first, in the order that is wanted."""


def as_bgr(picture: GivenPicture, max_megapixels: int = MAX_MEGAPIXELS) -> Image:
    """The pixels of a picture, upright. The first case that fits decides:

    1. bytes: those of a picture file
    2. an array: it is taken as it is, and copied only where its rows do not follow one another
    3. an image of PIL: turned as its EXIF says, and laid over grey where it is transparent
    4. a path: that of a picture file

    Args:
        picture: what the caller has.
        max_megapixels: pixels of what is yet to be decoded at most, in millions.

    Raises:
        SourceError: the file cannot be read, or is no picture.
        ValueError: the value is no picture; the message says what was expected, and what it is.
    """
    if isinstance(picture, bytes | bytearray | memoryview):
        return _decoded(bytes(picture), max_megapixels)
    if isinstance(picture, np.ndarray):
        return _checked(picture)
    if _is_pil(picture):
        return _of_pil(picture, max_megapixels)
    if isinstance(picture, str | os.PathLike):
        return _read(os.fspath(picture), max_megapixels)
    raise ValueError(f"a picture is expected to be {_FORMS}; got {_described(picture)}")


def _checked(pixels: NDArray[Any]) -> Image:
    """An array, if it is one of BGR pixels."""
    shape = pixels.shape
    if pixels.ndim != 3 or shape[2] != 3:
        raise ValueError(
            f"expected an array (height, width, 3) in BGR, got {shape}{_advice(shape)}"
        )
    if not pixels.size:
        raise ValueError(f"expected a picture of one pixel at least, got an array {shape}")
    if pixels.dtype != np.uint8:
        raise ValueError(
            f"expected an array of uint8, 0 to 255, got {pixels.dtype}: scale it to that range "
            "and convert it with astype('uint8')"
        )
    return np.ascontiguousarray(pixels)


def _advice(shape: tuple[int, ...]) -> str:
    """What makes BGR of an array of another shape that pictures often have; else empty."""
    if len(shape) == 2 or shape[2:] == (1,):
        return ": cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) makes BGR of grey"
    if shape[2:] == (4,):
        return ": cv2.cvtColor(image, cv2.COLOR_BGRA2BGR) leaves out the alpha channel"
    if len(shape) == 3 and shape[0] == 3:
        return f": its channels come first, which transpose{_CHANNELS_LAST} puts last"
    return ": give one picture after the other" if len(shape) == 4 else ""


def _decoded(content: bytes, max_megapixels: int) -> Image:
    """The picture in the bytes of a file."""
    try:
        image = decode_picture(content, max_megapixels)
    except PictureTooLargeError as error:
        raise ValueError(f"expected a smaller picture: it {error}") from error
    if image is None:
        raise ValueError(
            f"expected the bytes of a whole picture file (JPEG, PNG, …), got {len(content)} bytes "
            "that are none"
        )
    return image


def _read(path: str, max_megapixels: int) -> Image:
    """The picture in a file."""
    if is_url(path):
        raise ValueError("expected one picture, got an address: annotate reads addresses")
    if not path or os.path.isdir(path):
        raise ValueError(f"expected one picture, got the folder {path!r}: annotate reads folders")
    try:
        image = decode_picture(read_regular(Path(path), MAX_PICTURE_BYTES), max_megapixels)
    except (UnfitFileError, PictureTooLargeError) as error:
        raise SourceError(f"{path} {error}") from error
    if image is None:
        raise SourceError(f"{path} cannot be read as a picture; annotate reads videos")
    return image


def _is_pil(picture: object) -> TypeGuard[PilImage]:
    """Whether something is an image of PIL, which is loaded if there is one."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(picture, module.Image)


def _of_pil(picture: PilImage, max_megapixels: int) -> Image:
    """The pixels of an image of PIL."""
    if picture.mode.startswith(("I", "F")):
        raise ValueError(f"expected a PIL image of 8 bits, such as RGB, got mode {picture.mode}")
    if not all(picture.size):
        raise ValueError(
            f"expected a picture of one pixel at least, got a PIL image {picture.size}"
        )
    try:
        check_size_wh(picture.size, max_megapixels)
    except PictureTooLargeError as error:
        raise ValueError(f"expected a smaller picture: it {error}") from error
    try:
        is_transparent = picture.has_transparency_data
        pixels = np.asarray(picture.convert("RGBA" if is_transparent else "RGB"))
        orientation = picture.getexif().get(ORIENTATION_TAG, UPRIGHT)
    except (OSError, ValueError, SyntaxError) as error:
        raise ValueError(f"expected a whole PIL image: {error}") from error
    image = np.ascontiguousarray(pixels[..., 2::-1])
    if is_transparent:
        image = over_grey(image, pixels[..., 3])
    return np.ascontiguousarray(turned_upright(image, orientation))


def _described(value: object) -> str:
    """What a value is that is no picture, and what it often comes from."""
    if value is None:
        return "None: cv2.imread gives None where it cannot read a file"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__}: give one picture after the other"
    return f"a value of type {type(value).__module__}.{type(value).__qualname__}"
