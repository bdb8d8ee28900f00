"""What can go wrong in this room, as things a caller can act on.

Each message is one line that says what is wrong and what to do.
"""


class SourceError(Exception):
    """A camera, file or picture that cannot be opened or read."""


class SinkError(Exception):
    """An output that cannot be written."""


class ConfigError(Exception):
    """Something asked for wrongly: an unknown setting, a bad value, an output that exists."""
