"""Files from elsewhere: read only where they are regular, bounded in size, and no link leads out.

JSON and TOML are parsed by the standard library here, which raises one error for whatever can be
wrong with them.
"""

import json
import os
import stat
import tomllib
from pathlib import Path
from typing import Any, BinaryIO

MAX_SETTINGS_BYTES = 1 << 20
"""Size of a settings file at most, bytes; the longest that make sense are some ten thousand."""


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
        return tomllib.loads(data.decode("utf-8-sig"))
    except RecursionError as error:
        raise UnfitFileError("is nested too deep") from error
    except ValueError as error:  # of the syntax, of the encoding, of a number of 5,000 digits
        raise UnfitFileError(str(error)) from error


def _size(max_bytes: int) -> str:
    return f"{max_bytes >> 20} MB" if max_bytes >= 1 << 20 else f"{max_bytes} bytes"
