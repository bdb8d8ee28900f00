"""Files from elsewhere: read only where they are regular, bounded in size, and no link leads out.

JSON and TOML are parsed by the standard library here, which raises one error for whatever can be
wrong with them.
"""

import json
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any, BinaryIO

MAX_SETTINGS_BYTES = 1 << 18
"""Size of a settings file at most, bytes; the one that lists all settings has 8,000."""

MAX_PICTURE_BYTES = 1 << 30
"""Size of a picture file at most, bytes; 250 megapixels of three uncompressed bytes have 750 MB."""

_MAX_KEY_PARTS = 50
"""Parts of a dotted key of TOML at most; the parser's memory grows with their square."""

_KEY_PART = re.compile(r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+(\.?)[ \t]*+""")
"""A part of a dotted key, with the dot after it."""


class UnfitFileError(Exception):
    """Why a file is not read, in words that follow its name."""


def open_regular(path: Path) -> BinaryIO:
    """Opens a file to be read, if it is a regular one: a pipe or a device may never end.

    Raises:
        UnfitFileError: it is none, or cannot be opened.
    """
    # A FIFO that nothing writes into would otherwise be waited for.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise UnfitFileError(f"cannot be read: {error.strerror}") from error
    except ValueError as error:  # a name with a NUL
        raise UnfitFileError(f"cannot be read: {error}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        os.close(descriptor)
        kind = "Is a directory" if is_folder else "it is a pipe or a device, not a regular file"
        raise UnfitFileError(f"cannot be read: {kind}")
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, max_bytes: int) -> bytes:
    """The bytes of a regular file.

    Args:
        path: the file.
        max_bytes: its size at most; one that is larger is not read at all.

    Raises:
        UnfitFileError: it is larger, none, or cannot be read.
    """
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size > max_bytes:
            raise UnfitFileError(f"is larger than {_size(max_bytes)}")
        try:
            data = file.read(max_bytes + 1)  # the system's own files state no size
        except OSError as error:
            raise UnfitFileError(f"cannot be read: {error.strerror}") from error
    if len(data) > max_bytes:
        raise UnfitFileError(f"is larger than {_size(max_bytes)}")
    return data


def check_inside(path: Path, folder: Path) -> None:
    """Checks that a file lies in a folder, also where it is a link.

    Raises:
        UnfitFileError: the link leads elsewhere, or nowhere.
    """
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError) as error:  # links that lead to one another
        raise UnfitFileError(f"is a link that leads nowhere: {error}") from error
    if not inside:
        raise UnfitFileError("is a link that leads out of its folder: put the file itself there")


def parse_json(data: bytes) -> Any:
    """What JSON says, nested as deep as is sensible.

    Raises:
        UnfitFileError: it is no such JSON.
    """
    try:
        return json.loads(data)
    except RecursionError as error:
        raise UnfitFileError("is nested too deep") from error
    except ValueError as error:
        raise UnfitFileError(str(error)) from error


def parse_toml(data: bytes) -> dict[str, Any]:
    """What TOML says.

    Raises:
        UnfitFileError: it is no TOML.
    """
    try:
        text = data.decode("utf-8-sig")
        _check_keys(text)
        return tomllib.loads(text)
    except RecursionError as error:
        raise UnfitFileError("is nested too deep") from error
    except ValueError as error:  # of the syntax, of the encoding, of a number of 5,000 digits
        raise UnfitFileError(str(error)) from error


def _check_keys(text: str) -> None:
    """Checks that no dotted key has too many parts; looks at what is quoted, too."""
    parts, end = 0, -1
    for part in _KEY_PART.finditer(text):
        parts = parts + 1 if part.start() == end else 1
        end = part.end() if part[1] else -1
        if parts > _MAX_KEY_PARTS:
            raise UnfitFileError("is nested too deep")


def _size(max_bytes: int) -> str:
    return f"{max_bytes >> 20} MB" if max_bytes >= 1 << 20 else f"{max_bytes:,} bytes"
