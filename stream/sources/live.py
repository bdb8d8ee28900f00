"""Live streams of the network: frames as they come, over losses and returns."""

import time
from collections.abc import Callable, Generator, Iterator

import av
from av.container import InputContainer
from av.video.frame import VideoFrame

from stream.errors import AbsentSourceError
from stream.frames import Frame, SourceInfo
from stream.media_tracks import warn_of_others
from stream.settings.schema import SourceSection
from stream.sources.decoding import Decoder
from stream.sources.deinterlacing import Deinterlacer
from stream.sources.reconnection import Reconnection, loss_reason

_SEGMENTED_FORMATS = frozenset({"hls", "dash"})
"""FFmpeg's names of formats that bring seconds of video at once."""

_MAX_SEGMENT_S = 20.0
"""Longest wait for the time of a frame of such a segment, s; a longer one means a new count."""

_FORMATS_WITHOUT_RATE = frozenset({"mpjpeg", "mjpeg", "jpeg_pipe"})
"""FFmpeg's names of formats without times: the rate that FFmpeg states is made up."""


class StreamSource:
    """A live stream of the network. When it is lost it is opened again; time and count go on.

    Args:
        name: the address as it may be printed.
        container: the stream, open.
        reopen: opens the stream again.
        reconnection: says for how long a lost stream is tried again.
        settings: which track, and the rate of a bare stream; the defaults without them.

    Raises:
        AbsentSourceError: the stream gives no picture.
    """

    def __init__(
        self,
        name: str,
        container: InputContainer,
        reopen: Callable[[], InputContainer],
        reconnection: Reconnection,
        settings: SourceSection | None = None,
    ) -> None:
        self._name = name
        self._reopen = reopen
        self._reconnection = reconnection
        self._settings = settings or SourceSection()
        self._deinterlacer = Deinterlacer(name)
        self._opened_s = time.monotonic()
        self._count = 0
        self._container = container
        try:
            self._start()
            wanted = self._settings.video_track
            warn_of_others(container, self._decoder.stream, name, wanted)
        except BaseException:
            self.close()
            raise
        has_rate = container.format.name not in _FORMATS_WITHOUT_RATE
        self._info = SourceInfo(
            uri=name,
            kind="stream",
            size_wh=self._next.size_wh,
            fps=self._decoder.fps if has_rate else None,
            has_audio=bool(container.streams.audio),
            history=reconnection.history,
        )

    def __repr__(self) -> str:
        return f"StreamSource({self._name})"

    @property
    def info(self) -> SourceInfo:
        """The size of the first frame, and the rate that the stream states."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Frames as they come, timed when they were decoded; the size may change on the way.

        Raises:
            LostSourceError: the stream was lost and has not come back.
        """
        while True:
            yield self._next
            reason = yield from self._until_lost()
            if not self._reconnection.retry(reason, self._open_again):
                return

    def interrupt(self) -> None:
        """Ends the wait for a stream that was lost."""
        self._reconnection.interrupt()

    def close(self) -> None:
        """Closes the stream."""
        self._container.close()

    def _open_again(self) -> bool:
        """Opens the stream again; whether it is still live: a broadcast that is over may be there
        as a video.
        """
        self._container.close()
        self._container = self._reopen()
        if is_live(self._container):
            self._start()
            return True
        return False

    def _start(self) -> None:
        """Decodes the first frame of a connection."""
        self._decoder = Decoder(
            self._container,
            self._name,
            self._settings,
            live=True,
            deinterlacer=self._deinterlacer,
            history=self._reconnection.history,
        )
        self._decoded = self._paced(self._decoder.frames())
        try:
            first = next(self._decoded, None)
        except av.error.FFmpegError as error:
            raise AbsentSourceError(f"{self._name} gives no pictures: {error.strerror}") from None
        if first is None:
            raise AbsentSourceError(f"{self._name} gives no pictures")
        self._next = self._frame(first)

    def _until_lost(self) -> Generator[Frame, None, str]:
        """The frames of this connection; returns why it was lost."""
        try:
            for decoded in self._decoded:
                yield self._frame(decoded)
        except av.error.FFmpegError as error:
            return loss_reason(error)
        return "has ended"

    def _paced(self, frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        """The frames, those of a segment at the pace of their times: else most of them would be
        dropped as too old.
        """
        if self._container.format.name not in _SEGMENTED_FORMATS:
            yield from frames
            return
        started_s: float | None = None
        for frame in frames:
            media_s, now_s = frame.time or 0.0, time.monotonic()
            if started_s is None or not 0 < started_s + media_s - now_s < _MAX_SEGMENT_S:
                # The first frame, or a late one: the frames that follow are as late.
                started_s = now_s - media_s
            elif not self._reconnection.pause(started_s + media_s - now_s):
                return
            yield frame

    def _frame(self, decoded: VideoFrame) -> Frame:
        now_s = time.monotonic()
        self._count += 1
        return self._decoder.frame(decoded, self._count - 1, now_s - self._opened_s, now_s)


def is_live(container: InputContainer) -> bool:
    """Whether a container has no end: no duration, and no size (a playlist's size is not that of
    the video).
    """
    if container.duration and container.duration > 0:
        return False
    return container.format.name == "hls" or container.size <= 0
