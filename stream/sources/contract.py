"""The contract of a source: what every place that frames come from answers to."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

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


@runtime_checkable
class SeekableSource(Source, Protocol):
    """A source whose frames can be asked for again, if its `info` says that it is seekable."""

    def frames_from(self, time_s: float) -> Iterator[Frame]:
        """The frames from the one on that is on the screen at a time; the iterator before is left.

        After the end it is the last one, before the beginning the first.

        Raises:
            SourceError: the source cannot be read any further.
        """
