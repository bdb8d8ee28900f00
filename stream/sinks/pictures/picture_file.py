"""A picture written as a file."""

from pathlib import Path

import cv2

from models.faces import Image
from stream.errors import SinkError
from stream.sinks.paths import write_whole


def write_picture(path: Path, picture: Image) -> None:
    """Writes a picture as a file of the kind that its name says; a partial one never has the name.

    Raises:
        SinkError: it cannot be written.
    """
    write_whole(path, _encoded(picture, path))


def _encoded(picture: Image, target: Path) -> bytes:
    """The picture as a file of the kind that the name says."""
    try:
        encoded, data = cv2.imencode(target.suffix, picture)
    except cv2.error:  # of no kind that OpenCV writes
        encoded = False
    if not encoded:
        raise SinkError(f"{target} cannot be written as a picture of that kind")
    return bytes(data)
