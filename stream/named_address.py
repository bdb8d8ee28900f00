"""What a file or an environment variable names, so that the process list does not: a source, an
address to send to, a secret."""

import os
import re
from pathlib import Path

from models.safe_files import UnfitFileError, read_regular
from stream.errors import ConfigError, SourceError

_MAX_BYTES = 1 << 16
"""Size of a file with an address at most, bytes."""

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
"""A name of an environment variable."""


def resolved(
    uri: str, what: str = "source", family: type[SourceError | ConfigError] = SourceError
) -> str:
    """What is meant. The first case that fits decides:

    1. something of that name is there: that
    2. `@FILE`: the one line of the file, which may be a variable
    3. `$NAME` or `${NAME}`: the value of the variable
    4. anything else: as it is

    Args:
        uri: what was given.
        what: is named, for messages, in the singular.
        family: what is raised.

    Raises:
        SourceError, ConfigError: there is no such file or variable, or it holds none, or several.
    """
    if os.path.lexists(uri):
        return uri
    try:
        named = _from_file(uri, what) if uri.startswith("@") else uri
        return _from_variable(named, what)
    except _UnnamedError as error:
        raise family(str(error)) from error.__cause__


class _UnnamedError(Exception):
    """A file or a variable that names nothing."""


def _from_file(uri: str, what: str) -> str:
    """The line of a file that is neither empty nor a comment."""
    try:
        text = read_regular(Path(uri[1:]), _MAX_BYTES).decode("utf-8-sig")
    except UnfitFileError as error:
        raise _UnnamedError(f"{uri} {error}") from error
    except UnicodeDecodeError:
        raise _UnnamedError(f"{uri} cannot be read: it is no text") from None
    lines = [line.strip() for line in text.splitlines()]
    named = [line for line in lines if line and not line.startswith("#")]
    if len(named) != 1:
        raise _UnnamedError(f"{uri} names {len(named)} {what}s: write one, on a line of its own")
    return named[0]


def _from_variable(uri: str, what: str) -> str:
    """The value of an environment variable, if one is named."""
    named = _VARIABLE.fullmatch(uri)
    if named is None:
        return uri
    value = os.environ.get(named[1] or named[2], "").strip()
    if not value:
        raise _UnnamedError(f"the environment variable {uri} is not set: it should hold a {what}")
    return value
