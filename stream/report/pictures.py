"""Pictures of persons for the page: those that `--snapshots` kept beside a log."""

import base64
from pathlib import Path

import cv2

from models.faces import Image
from models.pictures.files import decode_picture
from models.pictures.size import PictureTooLargeError
from models.safe_files import UnfitFileError, read_regular
from stream.report.figures import Figures
from stream.sinks.people_ledger import blurred_crop

_SIDE_PX = 160
"""Longer side of a picture in the page at most, px; more make the page larger."""

_MAX_BYTES = 16 << 20
"""Size of a snapshot at most, bytes."""

_NAMES = ("person-{:04}.jpg", "track-{:04}.jpg")
"""How snapshots are called."""


def person_pictures(report: Figures, *, blur: bool) -> dict[tuple[str, int], str]:
    """The pictures of the persons that a report lists, by log and number, as base64 of JPEGs.

    Those of `out/clip.jsonl` lie in `out/clip.people/`. What is missing or no picture is left out.

    Args:
        report: as `make_report` gives it.
        blur: make the faces unrecognisable.
    """
    found = {}
    for person in report["persons"]:
        folder = Path(person["log"]).with_suffix(".people")
        for name in _NAMES:
            picture = _read(folder / name.format(person["person"]))
            if picture is not None:
                found[person["log"], person["person"]] = _coded(picture, blur)
                break
    return found


def _read(path: Path) -> Image | None:
    try:
        return decode_picture(read_regular(path, _MAX_BYTES))
    except (UnfitFileError, PictureTooLargeError):
        return None


def _coded(picture: Image, blur: bool) -> str:
    if blur:
        picture = blurred_crop(picture)
    height, width = picture.shape[:2]
    scale = min(_SIDE_PX / max(width, height), 1)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return base64.b64encode(data.tobytes()).decode()
