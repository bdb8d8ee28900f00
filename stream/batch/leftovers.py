"""What earlier attempts left of an input: removed before it is done again."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from models.program.locks import LockedError, lock_path, locked
from stream.errors import SinkError
from stream.sinks.data.tables import persons_path, tracks_path
from stream.sinks.paths import written_names
from stream.sinks.targets import LOG_SUFFIXES


def remove_leftovers(paths: Iterable[Path]) -> None:
    """Removes files and folders of an input, under all the names that they have while they are
    written and after. What is not there need not be removed.

    Args:
        paths: the files and folders; nothing but this input has written into the folders.

    Raises:
        SinkError: one cannot be removed, or another run is writing it.
    """
    for path in (each for named in paths for each in with_tables(named)):
        is_folder = _is_folder(path)
        names = [each for each in _names(path, is_folder) if os.path.lexists(each)]
        if not (names or is_folder or os.path.lexists(lock_path(path))):
            continue
        try:
            with locked(path, inside=is_folder):
                for each in names:
                    _remove(each)
            if is_folder:
                path.rmdir()
        except LockedError as error:
            raise SinkError(str(error)) from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise SinkError(f"{path} of an earlier attempt cannot be removed: {reason}") from error


def with_tables(path: Path) -> Iterator[Path]:
    """An output, and the tables of tracks and persons that a log may have beside it."""
    yield path
    if path.suffix.lower() in LOG_SUFFIXES:
        yield tracks_path(path)
        yield persons_path(path)


def is_there(path: Path) -> bool:
    """Whether an output is there under any of its names, or a table beside it."""
    return any(
        os.path.lexists(each) for own in with_tables(path) for each in _names(own, _is_folder(own))
    )


def _is_folder(path: Path) -> bool:
    """Whether a folder itself has that name, and no link to one; the name may be too long."""
    return os.path.isdir(path) and not os.path.islink(path)


def _names(path: Path, is_folder: bool) -> Iterator[Path]:
    """What an output is called while it is written and after; of a folder, what is in it."""
    if is_folder:
        lock = lock_path(path, inside=True)  # it is held meanwhile, and goes last
        yield from (each for each in path.iterdir() if each != lock)
    else:
        yield from written_names(path)


def _remove(path: Path) -> None:
    """Removes a file, or a folder with all that is in it; of a link only the link."""
    if _is_folder(path):
        shutil.rmtree(path)
    else:
        with suppress(FileNotFoundError):
            path.unlink()
