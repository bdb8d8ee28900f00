"""Writes results aside and moves them into place, so that no file is ever half written."""

import os
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from models.program.interrupts import unfinished
from models.program.locks import LockedError, locked
from models.program.printable import printable
from training.errors import OutputError, OutputInUseError


@contextmanager
def sole_writer(path: Path, *, inside: bool = False) -> Iterator[None]:
    """Keeps other runs from writing a result, until its end.

    Args:
        path: a file or a folder, whose parents are made.
        inside: of a folder, that its files are written one by one; else it is replaced as a whole.

    Raises:
        OutputInUseError: another run writes it.
        OutputError: the disk refuses.
    """
    lock = locked(path, inside=inside)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.__enter__()
    except LockedError as error:
        raise OutputInUseError(str(error)) from None
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; nothing was changed") from error
    with ExitStack() as stack:
        stack.push(lock)
        yield


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; what was written there becomes `path` at the end.

    When the body raises, `path` stays as it was and nothing is left behind.

    Raises:
        OutputError: the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Always the same name: what a killed run left is overwritten by the next.
        aside = path.with_name(f".{path.name}.partial")
        unfinished.add(aside)
        try:
            yield aside
            os.replace(aside, path)
        finally:
            aside.unlink(missing_ok=True)
            unfinished.discard(aside)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"cannot write {path}: {reason}; nothing was changed") from error


def write_whole(path: Path, data: bytes) -> None:
    """Writes a whole file.

    Raises:
        OutputError: the disk refuses.
    """
    with written_aside(path) as aside:
        aside.write_bytes(data)


def short_path(path: Path) -> str:
    """The last folder and the name of a file, by which records name it."""
    return "/".join(path.resolve().parts[-2:])


def quoted(word: str) -> str:
    """A name as a word of a command line, in one line."""
    return shlex.quote(printable(word))
