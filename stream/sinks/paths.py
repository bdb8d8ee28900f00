"""How files are named while they are written and after."""

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from stream.errors import SinkError


def partial_path(path: Path) -> Path:
    """Where a file is written before it is complete."""
    return path.parent / f"{path.stem}.part{path.suffix}"


def dated_path(folder: Path, name: str, suffix: str, now: datetime | None = None) -> Path:
    """A new file's name with the date and the time, which no other has."""
    stem = f"{name}-{now or datetime.now():%Y%m%d-%H%M%S}"
    path, count = folder / f"{stem}{suffix}", 1
    while path.exists() or partial_path(path).exists():
        count += 1
        path = folder / f"{stem}-{count}{suffix}"
    return path


def same_file(one: Path, other: Path) -> bool:
    """Whether both stand for one file or folder, under whatever names."""
    return one.exists() and other.exists() and one.samefile(other)


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file beside its name, then renames it: a half-written one never has the name.

    Raises:
        SinkError: the disk refuses.
    """
    aside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(data)
        os.replace(aside, path)
    except OSError as error:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise SinkError(f"{path} cannot be written: {error.strerror}") from error
