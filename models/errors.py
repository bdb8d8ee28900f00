"""The errors of this package, which a caller can act on."""


class ModelError(Exception):
    """A model that is missing, damaged or not made for this program; it says what to do."""


class ModelWriteError(ModelError):
    """A model that the disk does not take."""
