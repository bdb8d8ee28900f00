"""What an input was when it was begun, by which it is noticed that it has changed since."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from models.safe_files import UnfitFileError, open_regular
from stream.several.listing import NamedSource

_END_BYTES = 1 << 20
"""Bytes at either end of a file that are hashed, of pictures at the ends of all of them together;
more notice more, and take longer to read."""

_LEAST_END_BYTES = 1 << 12
"""Bytes at either end of each picture that are hashed at least: as many as a disk reads anyway."""


@dataclass(frozen=True, slots=True)
class ContentKey:
    """What an input was; both are empty where its file is missing, and of an address.

    Attributes:
        stamp: names, sizes and times of its files, which are looked up without reading any.
        content: names and sizes of its files, and what stands at their ends.
    """

    stamp: str = ""
    content: str = ""


def content_key(source: NamedSource) -> ContentKey:
    """What an input is now."""
    stamp = _stamp(source)
    if not stamp:
        return ContentKey()
    files = _files(source)
    end_bytes = max(_END_BYTES // len(files), _LEAST_END_BYTES)
    try:
        return ContentKey(stamp, _digest(_ends(path, end_bytes) for path in files))
    except (OSError, UnfitFileError):  # why it cannot be read is said when it is opened
        return ContentKey(stamp)


def is_unchanged(source: NamedSource, known: ContentKey) -> bool:
    """Whether an input is what it was. One that was copied or touched is read to tell."""
    if (stamp := _stamp(source)) == known.stamp:
        return True
    return bool(stamp and known.content) and content_key(source).content == known.content


def _files(source: NamedSource) -> tuple[Path, ...]:
    if source.pictures:
        return source.pictures
    return () if source.is_live else (Path(source.uri),)


def _stamp(source: NamedSource) -> str:
    """Names, sizes and times of the files of an input; empty unless all are there."""
    stamps = []
    for path in _files(source):
        try:
            status = os.stat(path)
        except (OSError, ValueError):  # ValueError: a name that no file can have
            return ""
        stamps.append(os.fsencode(f"{path.name}/{status.st_size}/{status.st_mtime_ns}"))
    return _digest(stamps) if stamps else ""


def _ends(path: Path, end_bytes: int) -> bytes:
    """The name and the size of a file, and a digest of its first and its last bytes."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        first = file.read(end_bytes)
        file.seek(max(size - end_bytes, len(first)))
        last = file.read(end_bytes)
    ends = hashlib.sha256(first + last).hexdigest()
    return os.fsencode(f"{path.name}/{size}/{ends}")


def _digest(parts: Iterable[bytes]) -> str:
    """A digest of parts, of which none holds a zero byte."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part + b"\0")
    return digest.hexdigest()
