"""Pictures as a source: one, those in a folder, or those that a glob names."""

import glob
import logging
import re
import shlex
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path

from models.faces import Image
from models.pictures.files import (
    PICTURE_SUFFIXES,
    counted_kinds,
    decode_picture,
    is_left_out,
    is_picture,
    is_single_picture,
    is_video,
    kind_of,
    kinds_of,
)
from models.pictures.size import MAX_MEGAPIXELS, PictureTooLargeError
from models.safe_files import MAX_PICTURE_BYTES, UnfitFileError, read_regular
from stream.errors import SourceError
from stream.frames import Frame, SourceInfo

_log = logging.getLogger(__name__)


class PictureSource:
    """Pictures in the order given; a warning names each that cannot be read, and it is left out.

    Args:
        uri: what was opened.
        paths: the pictures.
        left_out: files beside them of kinds that are not read; a warning counts them.
        max_megapixels: pixels of a picture at most, in millions; a larger one is not decoded.

    Raises:
        SourceError: there are no pictures, or not one can be read.
    """

    def __init__(
        self,
        uri: str,
        paths: Sequence[Path],
        left_out: Sequence[Path] = (),
        max_megapixels: int = MAX_MEGAPIXELS,
    ) -> None:
        skipped = kinds_of(left_out)
        words = counted_kinds(skipped)
        if not paths and (videos := kinds_of(filter(is_video, left_out))):
            pattern = shlex.quote(str(Path(uri) / f"*{videos.most_common(1)[0][0]}"))
            raise SourceError(
                f"{uri}: no pictures there; {words} left out: for its videos give {pattern}"
            )
        if not paths:
            kinds = ", ".join(sorted(PICTURE_SUFFIXES))
            others = f"; {words} left out" if words else ""
            raise SourceError(f"{uri}: no pictures there (of the kinds {kinds}){others}")
        self._paths = paths
        self._remarks = set[str]()
        self._unread = set[int]()
        self._visited = 0  # pictures, from the first on, that were read or left out
        self._max_megapixels = max_megapixels
        self._info = self._describe(uri, skipped)
        if words:
            _log.warning("%s: left out, of kinds that are not read: %s", uri, words)

    def __repr__(self) -> str:
        return f"PictureSource({self._info.uri}, {len(self._paths)} pictures)"

    @property
    def info(self) -> SourceInfo:
        """The number of pictures, the size of the first that can be read, and what is left out."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Each picture as a frame; its index is its place in the list."""
        return self._frames_from(0)

    def frames_from(self, time_s: float) -> Iterator[Frame]:
        """The pictures from a place in the list on, or from the last before it that can be read."""
        index = min(max(round(time_s), 0), len(self._paths) - 1)
        while index in self._unread and index > 0:
            index -= 1
        return self._frames_from(index)

    def _frames_from(self, first: int) -> Iterator[Frame]:
        """The pictures from a place in the list on; remarks are made where one is first read."""
        for index, path in enumerate(self._paths[first:], first):
            is_new, self._visited = index >= self._visited, max(self._visited, index + 1)
            try:
                image = self._read(path, partial(self._say_once, path))
            except _UnreadPictureError as error:
                self._unread.add(index)
                if is_new:
                    self._info.skipped[kind_of(path)] += 1
                    _log.warning("%s %s: left out", path, error)
                continue
            if is_new and not is_single_picture(path):
                _log.warning("%s moves: its first picture is taken; named alone, all are", path)
            yield Frame(image, index, float(index), time.monotonic(), path)

    def interrupt(self) -> None:
        """Reading pictures never waits."""

    def close(self) -> None:
        """There is nothing to release."""

    def _say_once(self, path: Path, remark: str) -> None:
        """Says of the first file of its kind what may be true of all."""
        if remark not in self._remarks:
            self._remarks.add(remark)
            _log.warning("%s %s (said once)", path, remark)

    def _describe(self, uri: str, skipped: Counter[str]) -> SourceInfo:
        reasons = []
        for path in self._paths:
            try:
                height, width = self._read(path).shape[:2]
            except _UnreadPictureError as error:
                reasons.append(f"{path} {error}")
                continue
            count = len(self._paths)
            return SourceInfo(
                uri,
                "pictures",
                (width, height),
                frame_count=count,
                seekable=True,
                skipped=skipped,
            )
        raise SourceError(f"{uri}: not one picture there can be read; {reasons[0]}")

    def _read(self, path: Path, remark: Callable[[str], None] = lambda _: None) -> Image:
        """A picture, upright.

        Args:
            path: the file.
            remark: is given what there is to say of it.

        Raises:
            _UnreadPictureError: it cannot be read, or is too large.
        """
        try:
            image = read_picture(path, self._max_megapixels, remark=remark)
        except PictureTooLargeError as error:
            raise _UnreadPictureError(str(error)) from error
        if image is None:
            raise _UnreadPictureError("cannot be read as a picture")
        return image


class _UnreadPictureError(Exception):
    """Why a picture is left out, in words that follow its name."""


def pictures_in(folder: Path) -> tuple[list[Path], list[Path]]:
    """The pictures in a folder and below it, and the files of kinds that are not read.

    Both are in natural order: 2 before 10.
    """
    from imutils.paths import list_files  # imports Python's client of HTTP, which takes a moment

    found = sorted(map(Path, list_files(str(folder))), key=natural_order)
    return list(filter(is_picture, found)), list(filter(is_left_out, found))


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


def read_picture(
    path: Path,
    max_megapixels: int = MAX_MEGAPIXELS,
    *,
    remark: Callable[[str], None] = lambda _: None,
) -> Image | None:
    """Reads a picture, turned as its camera was held; None if it cannot be read.

    The file is not read by OpenCV, which cannot open every name.

    Args:
        path: the file.
        max_megapixels: pixels that are allowed, in millions.
        remark: is given what there is to say of it, in words that follow its name.

    Raises:
        PictureTooLargeError: it has more pixels than are allowed.
    """
    try:
        content = read_regular(path, MAX_PICTURE_BYTES)
        return decode_picture(content, max_megapixels, remark=remark)
    except UnfitFileError:
        return None


def natural_order(path: Path) -> list[tuple[int, int | str]]:
    """A key for sorting by which 2 comes before 10."""
    parts = re.split(r"(\d+)", str(path))
    return [(0, int(part)) if part.isdigit() else (1, part.lower()) for part in parts]
