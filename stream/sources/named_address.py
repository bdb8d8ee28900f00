"""A source that a file or an environment variable names, so that the process list does not."""

import os
import re
from pathlib import Path

from models.safe_files import UnfitFileError, read_regular
from stream.errors import SourceError

_MAX_BYTES = 1 << 16
"""Size of a file with an address at most, bytes."""

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
"""A source that names an environment variable."""


def resolved(uri: str) -> str:
    """The source that is meant. The first case that fits decides:

    1. something of that name is there: that
    2. `@FILE`: the one line of the file, which may be a variable
    3. `$NAME` or `${NAME}`: the value of the variable
    4. anything else: as it is

    Raises:
        SourceError: there is no such file or variable, or it holds no source, or several.
    """
    if os.path.lexists(uri):
        return uri
    if uri.startswith("@"):
        return _from_variable(_from_file(uri))
    return _from_variable(uri)


def _from_file(uri: str) -> str:
    """The line of a file that is neither empty nor a comment."""
    try:
        text = read_regular(Path(uri[1:]), _MAX_BYTES).decode("utf-8-sig")
    except UnfitFileError as error:
        raise SourceError(f"{uri} {error}") from error
    except UnicodeDecodeError:
        raise SourceError(f"{uri} cannot be read: it is no text") from None
    lines = [line.strip() for line in text.splitlines()]
    named = [line for line in lines if line and not line.startswith("#")]
    if len(named) != 1:
        raise SourceError(f"{uri} names {len(named)} sources: write one, on a line of its own")
    return named[0]


def _from_variable(uri: str) -> str:
    """The value of an environment variable, if one is named."""
    named = _VARIABLE.fullmatch(uri)
    if named is None:
        return uri
    value = os.environ.get(named[1] or named[2], "").strip()
    if not value:
        raise SourceError(f"the environment variable {uri} is not set: it should hold a source")
    return value
