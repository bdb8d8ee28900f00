"""The videos and pictures in a folder and below it."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from models.pictures.files import counted_kinds, is_left_out, is_picture, is_video, kinds_of
from stream.errors import ConfigError
from stream.sources.pictures import natural_order

_log = logging.getLogger(__name__)


def videos_and_pictures(folder: Path, out: Path) -> tuple[list[Path], list[Path]]:
    """The videos and the pictures in a folder and below it, each in natural order.

    Hidden files and folders are left out, and what is written into. Links are followed, and each
    folder is looked at once, wherever links lead. A warning counts videos and pictures of kinds
    that are not read.

    Args:
        folder: where they are.
        out: the folder that is written into, which need not exist.

    Raises:
        ConfigError: both are one folder.
    """
    if os.path.realpath(folder) == os.path.realpath(out):
        raise ConfigError(
            f"--out {out} is the folder that is read: name another, such as {out / 'faces'}"
        )
    found = sorted(_files(folder, os.path.realpath(out)), key=natural_order)
    videos = [path for path in found if is_video(path)]
    pictures = [path for path in found if is_picture(path) and not is_video(path)]
    others = set(found) - {*videos, *pictures}
    if left_out := kinds_of(path for path in others if is_left_out(path)):
        _log.warning(
            "%s: left out, of kinds that are not read: %s", folder, counted_kinds(left_out)
        )
    return videos, pictures


def _files(folder: Path, out: str) -> Iterator[Path]:
    """The files in a folder and below it, but for hidden ones and those in `out`; what links lead
    to comes last, so that files keep their own paths.
    """
    visited = set[tuple[int, int]]()
    pending = [os.fspath(folder)]
    while pending:
        for here, folders, files in os.walk(pending.pop(0), onerror=_say_unread):
            status = os.stat(here)
            if (place := (status.st_dev, status.st_ino)) in visited:
                folders.clear()
                continue
            visited.add(place)
            wanted = {each: os.path.join(here, each) for each in folders if not _is_hidden(each)}
            wanted = {each: path for each, path in wanted.items() if os.path.realpath(path) != out}
            folders[:] = [each for each, path in wanted.items() if not os.path.islink(path)]
            pending += sorted(path for path in wanted.values() if os.path.islink(path))
            paths = (Path(here, each) for each in files if not _is_hidden(each))
            yield from filter(os.path.isfile, paths)


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _say_unread(error: OSError) -> None:
    _log.warning("%s cannot be read and is left out: %s", error.filename, error.strerror)
