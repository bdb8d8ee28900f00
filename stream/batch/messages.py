"""What a worker process and the one that started it say to each other."""

from dataclasses import dataclass
from typing import TypeAlias

from models.errors import ModelError
from stream.batch.contract import Result
from stream.errors import ConfigError
from stream.settings import Config


@dataclass(frozen=True, slots=True)
class Start:
    """What a worker process is told first.

    Attributes:
        config: the settings.
        nice: by how much it makes way for other programs, 0 to 19.
    """

    config: Config
    nice: int = 0


@dataclass(frozen=True, slots=True)
class Ready:
    """The model is loaded, and the task at hand begins."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """Frames were done: the task that goes on does not hang."""


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning was logged.

    Attributes:
        line: for the user.
    """

    line: str


@dataclass(frozen=True, slots=True)
class Unfit:
    """Nothing can be annotated with these settings.

    Attributes:
        error: why.
    """

    error: ConfigError | ModelError


@dataclass(frozen=True, slots=True)
class Died:
    """The process has ended.

    Attributes:
        reason: why, in words that follow the name of an input.
    """

    reason: str


Message: TypeAlias = Ready | Advanced | Warned | Unfit | Result | Died
"""What comes of a process."""
