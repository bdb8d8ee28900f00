"""Results are written aside and moved into place, so that none is ever half there."""

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


def write_text(path: Path, text: str) -> None:
    """Writes a whole text file, UTF-8."""
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8", newline="")


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a whole file."""
    with written_aside(path) as aside:
        aside.write_bytes(data)


def short_path(path: Path) -> str:
    """A file as a record names it: in its folder, wherever that lies."""
    return "/".join(path.resolve().parts[-2:])
