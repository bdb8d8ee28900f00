"""Who is told how far long work on pictures is."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeAlias


class ProgressCallback(Protocol):
    """Is told of pictures as they are done."""

    def __call__(self, done: int, *, known: bool = False) -> None:
        """Is given how many were done since the last call.

        Args:
            done: how many.
            known: they were done by an earlier run, so the time they took says nothing of the rest.
        """


OpenProgress: TypeAlias = Callable[[int], AbstractContextManager[ProgressCallback]]
"""Opens what shows how much of so much work is done."""


def no_progress(done: int, *, known: bool = False) -> None:
    """Shows no progress."""


@contextmanager
def nothing_shown(total: int) -> Iterator[ProgressCallback]:
    """An `OpenProgress` that shows nothing."""
    yield no_progress
