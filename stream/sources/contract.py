"""What a source answers to."""

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
            SourceError: it cannot be read any further.
        """

    def interrupt(self) -> None:
        """Ends a wait of the reading thread, where it can; called by another, which is leaving."""

    def close(self) -> None:
        """Releases the device or file; may be called twice, by the thread that reads."""
