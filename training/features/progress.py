"""Who is told how far long work on pictures is."""

from typing import Protocol


class ProgressCallback(Protocol):
    """Is told of pictures as they are done."""

    def __call__(self, done: int, *, known: bool = False) -> None:
        """Is given how many were done since the last call.

        Args:
            done: how many.
            known: they were done by an earlier run, so the time they took says nothing of the rest.
        """


def no_progress(done: int, *, known: bool = False) -> None:
    """Shows no progress."""
