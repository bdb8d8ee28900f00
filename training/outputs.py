"""Writes results aside and moves them into place, so that no file is ever half written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.errors import OutputError


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
        try:
            yield aside
            os.replace(aside, path)
        finally:
            aside.unlink(missing_ok=True)
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
