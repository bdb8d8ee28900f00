"""Live streams: frames as they come, over losses and returns."""

import time
from collections.abc import Callable, Generator, Iterator

import av
from av.container import InputContainer
from av.video.frame import VideoFrame

from stream.errors import SourceError
from stream.frames import Frame, SourceInfo
from stream.sources.decoding import Decoder
from stream.sources.reconnection import Reconnection, what_happened

_IN_PIECES = frozenset({"hls", "dash"})  # these bring seconds of video at once
_LONGEST_PIECE_S = 20.0
_WITHOUT_CLOCK = frozenset({"mpjpeg", "mjpeg"})  # what FFmpeg says of their rate is made up


class StreamSource:
    """A live stream of the network. When it is lost it is opened again; time and count go on.

    Args:
        name: the address as it may be printed.
        container: the stream, open.
        reopen: opens it again.
        reconnection: for how long.

    Raises:
        SourceError: it gives no picture.
    """

    def __init__(
        self,
        name: str,
        container: InputContainer,
        reopen: Callable[[], InputContainer],
        reconnection: Reconnection,
    ) -> None:
        self._name = name
        self._reopen = reopen
        self._reconnection = reconnection
        self._opened_s = time.monotonic()
        self._count = 0
        self._container = container
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        timed = container.format.name not in _WITHOUT_CLOCK
        self._info = SourceInfo(
            uri=name,
            kind="stream",
            size_wh=self._next.size_wh,
            fps=self._decoder.fps if timed else None,
            has_audio=bool(container.streams.audio),
        )

    def __repr__(self) -> str:
        return f"StreamSource({self._name})"

    @property
    def info(self) -> SourceInfo:
        """The size of the first frame, and the rate the stream says it has."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Frames as they come, timed when they were decoded; the size may change on the way.

        Raises:
            SourceError: the stream was lost and has not come back.
        """
        while True:
            yield self._next
            reason = yield from self._until_lost()
            if not self._reconnection.again(reason, self._open_again):
                return

    def interrupt(self) -> None:
        """Ends the wait for a stream that was lost."""
        self._reconnection.interrupt()

    def close(self) -> None:
        """Closes the stream."""
        self._container.close()

    def _open_again(self) -> bool:
        """Whether it is live still: a broadcast that is over may be there as a video."""
        self._container.close()
        self._container = self._reopen()
        if is_live(self._container):
            self._begin()
            return True
        return False

    def _begin(self) -> None:
        """The first frame of a connection; without one it is none."""
        self._decoder = Decoder(self._container, self._name, live=True)
        self._decoded = self._paced(self._decoder.frames())
        try:
            first = next(self._decoded, None)
        except av.error.FFmpegError as error:
            raise SourceError(f"{self._name} gives no pictures: {error.strerror}") from None
        if first is None:
            raise SourceError(f"{self._name} gives no pictures")
        self._next = self._frame(first)

    def _until_lost(self) -> Generator[Frame, None, str]:
        """The frames of this connection; returns what happened to it."""
        try:
            for decoded in self._decoded:
                yield self._frame(decoded)
        except av.error.FFmpegError as error:
            return what_happened(error)
        return "has ended"

    def _paced(self, frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        """What comes in pieces is given out at the pace of the pictures: else all but a few of a
        piece would be dropped as too old.
        """
        if self._container.format.name not in _IN_PIECES:
            yield from frames
            return
        began_s: float | None = None
        for frame in frames:
            media_s, now_s = frame.time or 0.0, time.monotonic()
            if began_s is None or not 0 < began_s + media_s - now_s < _LONGEST_PIECE_S:
                began_s = now_s - media_s  # the first, or late: what follows is as late
            elif not self._reconnection.pause(began_s + media_s - now_s):
                return
            yield frame

    def _frame(self, decoded: VideoFrame) -> Frame:
        now_s = time.monotonic()
        self._count += 1
        return self._decoder.frame(decoded, self._count - 1, now_s - self._opened_s, now_s)


def is_live(container: InputContainer) -> bool:
    """Whether it has no end: no duration, and no size (a playlist's is not that of the video)."""
    if container.duration and container.duration > 0:
        return False
    return container.format.name == "hls" or container.size <= 0
