"""Why an input failed, in one line."""

from collections.abc import Sequence

from models.errors import ModelError
from stream.errors import ConfigError, SinkError, SourceError

_NAMED = 3
"""Failures of an input that its line names; more make a longer line."""


def reason_of(error: Exception) -> str:
    """Why something failed, by the error that it raised."""
    if isinstance(error, SourceError | SinkError | ConfigError | ModelError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return "memory ran out"
    fault = " ".join(f"{type(error).__name__}: {error}".split())
    return f"a fault of this program, please report what `face-stream run --debug` says: {fault}"


def one_line(failures: Sequence[str]) -> str:
    """What went wrong in one line; empty where nothing did."""
    more = len(failures) - _NAMED
    named = "; ".join(failures[:_NAMED])
    return f"{named}; and {more} more" if more > 0 else named
