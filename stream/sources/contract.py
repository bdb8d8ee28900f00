"""The contract of a source: what every place that frames come from answers to."""

from collections.abc import Iterator
from typing import Protocol

from stream.frames import Frame, SourceInfo


class Source(Protocol):
    """Something that gives frames, once, to one thread."""

    @property
    def info(self) -> SourceInfo:
        """What is known before the first frame."""

    def frames(self) -> Iterator[Frame]:
        """The frames in order, lazily.

        Raises:
            SourceError: the source cannot be read any further.
        """

    def interrupt(self) -> None:
        """Ends a wait of the reading thread, where it can; called by another thread."""

    def close(self) -> None:
        """Releases the device or file; may be called twice, by the thread that reads."""
