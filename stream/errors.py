"""The errors of `stream`, each something that a caller can act on.

Each message is one line that says what is wrong and what to do.
"""


class SourceError(Exception):
    """A source or a log that cannot be opened or read."""


class AbsentSourceError(SourceError):
    """A source that is not there, or does not answer: it may come."""


class EmptySpanError(SourceError):
    """The part of a video that is asked for has no frame that can be read."""


class LostSourceError(SourceError):
    """A source that was waited for, and has not come, or not come back."""


class SinkError(Exception):
    """An output that cannot be written."""


class ConfigError(Exception):
    """A wrong request: an unknown setting, a bad value, an output that exists."""


class LedgerError(Exception):
    """The ledger of a batch that cannot be read or written any more."""
