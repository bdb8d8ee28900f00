"""Pictures as a source: one, those in a folder, or those that a glob names."""

import glob
import logging
import re
import time
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

import cv2
import numpy as np
from imutils.paths import list_files

from models.faces import Image
from stream.errors import SourceError
from stream.frames import Frame, SourceInfo

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".jp2", ".ppm"})
"""Endings of the names of files that are taken for pictures."""

_log = logging.getLogger(__name__)


class PictureSource:
    """Pictures in the order given; a warning names each that cannot be read, and it is left out.

    Raises:
        SourceError: there are no pictures, or not one can be read.
    """

    def __init__(self, uri: str, paths: Sequence[Path]) -> None:
        if not paths:
            raise SourceError(
                f"{uri}: no pictures there (of the kinds {', '.join(sorted(_SUFFIXES))})"
            )
        self._paths = paths
        self._info = self._describe(uri)

    def __repr__(self) -> str:
        return f"PictureSource({self._info.uri}, {len(self._paths)} pictures)"

    @property
    def info(self) -> SourceInfo:
        """The number of pictures, and the size of the first that can be read."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Each picture as a frame; its index is its place in the list."""
        for index, path in enumerate(self._paths):
            image = read_picture(path)
            if image is None:
                _log.warning("%s cannot be read as a picture: left out", path)
            else:
                yield Frame(image, index, float(index), time.monotonic(), path)

    def interrupt(self) -> None:
        """Reading pictures never waits."""

    def close(self) -> None:
        """There is nothing to release."""

    def _describe(self, uri: str) -> SourceInfo:
        for path in self._paths:
            image = read_picture(path)
            if image is not None:
                height, width = image.shape[:2]
                return SourceInfo(uri, "pictures", (width, height), frame_count=len(self._paths))
        raise SourceError(f"{uri}: not one picture there can be read")


def is_picture(path: Path) -> bool:
    """Whether a file is named like a picture."""
    return path.suffix.lower() in _SUFFIXES


def pictures_in(folder: Path) -> list[Path]:
    """The pictures in a folder and below it, in natural order: 2 before 10."""
    found = (Path(name) for name in list_files(str(folder), validExts=tuple(_SUFFIXES)))
    return sorted(found, key=natural_order)


def fixed_part(pattern: Path) -> Path:
    """The folder that a glob begins with, before its first wildcard."""
    return Path(*takewhile(lambda part: not glob.has_magic(part), pattern.parts))


def not_written(paths: Sequence[Path], folder: Path, outputs: Sequence[Path]) -> list[Path]:
    """The pictures without those that an earlier run wrote: copies are not copied again.

    Args:
        paths: pictures in the folder.
        folder: the folder; an output that it lies in leaves its pictures alone.
        outputs: files and folders that are written.
    """
    inside = folder.resolve()
    written = {path.resolve() for path in outputs if not inside.is_relative_to(path.resolve())}
    return [path for path in paths if not {path.resolve(), *path.resolve().parents} & written]


def read_picture(path: Path) -> Image | None:
    """Reads a picture, turned as its camera was held; None if it cannot be read.

    The file is read by NumPy, because OpenCV cannot open every name.
    """
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError:
        return None
    if not data.size:
        return None
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error:  # larger than OpenCV accepts
        return None
    return None if image is None else np.ascontiguousarray(image, dtype=np.uint8)


def natural_order(path: Path) -> list[tuple[int, int | str]]:
    """A key for sorting by which 2 comes before 10."""
    parts = re.split(r"(\d+)", str(path))
    return [(0, int(part)) if part.isdigit() else (1, part.lower()) for part in parts]
