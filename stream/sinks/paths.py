"""Names of files while they are written and after, and the two ways to write a file.

1. A file that grows has a partial name, and takes its own in the end.
2. A file that is there at once is written as a whole.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import chain, count, filterfalse
from pathlib import Path

from stream.errors import SinkError

_MAX_NAME_BYTES = 255
"""Length of the name of a file at most, bytes; so on all common file systems."""

STAMP_FORMAT = "%Y%m%d-%H%M%S%z"
"""Date, time and zone in names of files; with its zone no hour of a year is there twice."""

_DIGEST_LETTERS = 12
"""Letters of the digest in the place of the end of a name."""

_PARTIAL = ".part"
"""What the stem of a name ends with while the file grows."""


def partial_path(path: Path) -> Path:
    """Where a file that grows is written until it is complete."""
    return path.parent / f"{path.stem}{_PARTIAL}{path.suffix}"


def final_path(partial_file: Path) -> Path | None:
    """The name that a file gets when it is complete; None where it has no partial name."""
    stem = partial_file.stem
    if not stem.endswith(_PARTIAL) or stem == _PARTIAL:
        return None
    return partial_file.with_name(stem.removesuffix(_PARTIAL) + partial_file.suffix)


def finish_partial(path: Path, *, complete: bool, keep: bool) -> None:
    """Gives a file that has grown its own name.

    Args:
        path: the file's own name.
        complete: all of it is written; else it keeps its partial name.
        keep: a file that is not complete holds something; else it is removed.

    Raises:
        OSError: the name cannot be taken, or the file not be removed.
    """
    unfinished = partial_path(path)
    if complete:
        unfinished.replace(path)
    elif not keep:
        unfinished.unlink(missing_ok=True)


def what_is_left(partial_file: Path) -> str:
    """Words that name what was written of a file that failed; an empty one is removed."""
    with suppress(OSError):
        if partial_file.stat().st_size:
            return f"; what was written stands in {partial_file.name}"
        partial_file.unlink()
    return ""


def dated_paths(
    folder: Path, name: str, suffix: str, now: datetime | None = None
) -> Iterator[Path]:
    """Names for a new file, of the date, the time and the zone, which no other file has."""
    stamp = f"{now or datetime.now().astimezone():{STAMP_FORMAT}}"
    path = folder / f"{name}-{stamp}{suffix}"
    yield from filterfalse(is_taken, chain([path], map(partial(numbered_path, path), count(2))))


def numbered_path(path: Path, number: int) -> Path:
    """The name of a further file beside a file."""
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def is_taken(path: Path) -> bool:
    """Whether there is a file of that name, or one that is to have it once it is complete."""
    return path.exists() or partial_path(path).exists()


def same_file(one: Path, other: Path) -> bool:
    """Whether both name one file or folder that exists, links resolved."""
    # Unlike Path.exists, os.path.exists takes any text, such as a long address.
    return os.path.exists(one) and os.path.exists(other) and os.path.samefile(one, other)


def written_names(path: Path) -> tuple[Path, ...]:
    """The names that a file has while it is written and after."""
    return path, partial_path(path), aside_path(path)


def aside_path(path: Path) -> Path:
    """Where a file that is there at once is written."""
    return path.parent / short_name(f".{path.name}", ".part")


def short_name(name: str, suffix: str, most_bytes: int = _MAX_NAME_BYTES) -> str:
    """A name with a suffix; of one that would be too long for a file, the beginning and a digest.

    Two long names with one beginning so have two short ones.
    """
    coded = os.fsencode(name)
    if len(coded) + len(os.fsencode(suffix)) <= most_bytes:
        return name + suffix
    mark = f"~{hashlib.sha256(coded).hexdigest()[:_DIGEST_LETTERS]}{suffix}"
    beginning = coded[: most_bytes - len(os.fsencode(mark))]
    return beginning.decode(errors="ignore") + mark


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file beside its name, then renames it: a partial file never has the name.

    The folder is made where it is missing.

    Raises:
        SinkError: the disk refuses.
    """
    aside = aside_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(data)
        os.replace(aside, path)
    except OSError as error:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise SinkError(f"{path} cannot be written: {error.strerror}") from error
