"""A picture written as a file."""

from pathlib import Path

import cv2

from models.faces import Image
from models.pictures.files import PICTURE_SUFFIXES
from stream.errors import SinkError
from stream.sinks.paths import short_name, write_whole

_JPEG_SUFFIXES = (".jfif", ".mpo")
"""Endings of JPEGs that OpenCV does not know."""


def writable_suffixes() -> tuple[str, ...]:
    """How the name of a picture may end that is to be written."""
    return tuple(sorted(each for each in PICTURE_SUFFIXES if _encoder(Path(f"picture{each}"))))


def write_picture(path: Path, picture: Image) -> None:
    """Writes a picture as a file of the kind that its name says; a partial one never has the name.

    Raises:
        SinkError: it cannot be written.
    """
    write_whole(path, _encoded(picture, path))


def written_name(path: Path) -> Path:
    """The name of a copy: its own, and `.jpg` after it where its kind is not written."""
    return path if _encoder(path) else path.with_name(short_name(path.name, ".jpg"))


def _encoder(path: Path) -> str:
    """The ending by which OpenCV knows how to write a file; empty where it writes no such kind."""
    suffix = ".jpg" if path.suffix.lower() in _JPEG_SUFFIXES else path.suffix.lower()
    return suffix if suffix and cv2.haveImageWriter(f"picture{suffix}") else ""


def _encoded(picture: Image, target: Path) -> bytes:
    """The picture as a file of the kind that the name says."""
    try:
        encoded, data = cv2.imencode(_encoder(target), picture)
    except cv2.error:  # of no kind that OpenCV writes
        encoded = False
    if not encoded:
        raise SinkError(f"{target} cannot be written as a picture of that kind")
    return bytes(data)
