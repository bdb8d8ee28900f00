"""What can go wrong in this room, as something a caller can act on."""


class TrainingError(Exception):
    """Training cannot go on; the message says what is wrong and what to do."""


class DatasetError(TrainingError):
    """The pictures, the labels or the features given cannot be used as they are."""


class OutputError(TrainingError):
    """A result cannot be written."""


class OutputInUseError(OutputError):
    """Another run writes the result; nothing was done."""
