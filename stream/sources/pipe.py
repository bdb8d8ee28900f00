"""Video through a pipe: standard input, a FIFO or a device, read once from its beginning."""

import os
import select
import stat
import sys
import threading

import av
from av.container import InputContainer

from stream.errors import ConfigError, SourceError
from stream.frames import ASSUMED_FPS
from stream.settings.schema import RawVideo, SourceSection
from stream.sources.media import open_media
from stream.sources.span import WHOLE, Span
from stream.sources.video import VideoSource
from stream.sources.waiting import call_in_thread

STANDARD_INPUT = "-"
"""The name of standard input on the command line."""

_POLL_S = 0.2
"""Time after which an interrupted wait for data ends at the latest, s."""

_HEAD_BYTES = 12
"""Bytes of the beginning that are kept, by which an MP4 is recognised."""

_MP4_FILE_TYPE = b"ftyp"
"""Type of the box that an MP4 begins with (ISO 14496-12)."""


class PipeSource(VideoSource):
    """A video that can be read only once, from its beginning; nothing of it is lost.

    Args:
        uri: `-`, or the path of the pipe.
        settings: which tracks, and the format of frames without a container.
        span: the part that is wanted; what comes before it is decoded too.

    Raises:
        SourceError: no data comes, or it is not a video.
        ConfigError: there is no such format of raw frames.
    """

    def __init__(self, uri: str, settings: SourceSection, span: Span = WHOLE) -> None:
        self._pipe = _Pipe(uri)
        try:
            call_in_thread(lambda: self._begin(settings, span), self._pipe.interrupt)
        except BaseException as error:
            self._pipe.close()
            if isinstance(error, SourceError) and _MP4_FILE_TYPE in self._pipe.head:
                raise SourceError(
                    f"{self._pipe.name} cannot be read: to come through a pipe, an MP4 must begin "
                    "with its index (+faststart)"
                ) from error
            raise

    def _begin(self, settings: SourceSection, span: Span) -> None:
        """Reads the header and the first frame, for which it may have to wait."""
        container = _open(self._pipe, settings)
        super().__init__(self._pipe.name, span, settings, container=container)

    def interrupt(self) -> None:
        """Ends the wait for data."""
        self._pipe.interrupt()

    def close(self) -> None:
        """Closes the pipe."""
        super().close()
        self._pipe.close()


class _Pipe:
    """A file as PyAV takes it, whose reads can be interrupted.

    Attributes:
        name: as messages print it.
        head: the first bytes that were read.
    """

    def __init__(self, uri: str) -> None:
        self.name = "standard input" if uri == STANDARD_INPUT else uri
        self.head = b""
        self._interrupted = threading.Event()
        self._must_close = uri != STANDARD_INPUT  # standard input belongs to the process
        try:
            self._descriptor = os.open(uri, os.O_RDONLY) if self._must_close else sys.stdin.fileno()
            self._is_file = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        except (
            OSError,
            ValueError,
            AttributeError,
        ) as error:  # standard input is closed, or missing
            reason = getattr(error, "strerror", None) or "it is closed"
            raise SourceError(f"{self.name} cannot be read: {reason}") from error
        if os.isatty(self._descriptor):
            self.close()
            raise SourceError(f"{self.name} is a terminal: pipe a video into the program")

    def read(self, size: int) -> bytes:
        """The next bytes, as soon as there are any; empty at the end, or when interrupted."""
        while not self._interrupted.is_set():
            if sys.platform == "win32" or select.select([self._descriptor], [], [], _POLL_S)[0]:
                data = os.read(self._descriptor, size)
                self.head = self.head or data[:_HEAD_BYTES]
                return data
        return b""

    def seekable(self) -> bool:
        """Whether a regular file was redirected into standard input."""
        return self._is_file

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves to a place in a regular file, and returns it."""
        return os.lseek(self._descriptor, offset, whence)

    def tell(self) -> int:
        """The present place in a regular file."""
        return self.seek(0, os.SEEK_CUR)

    def interrupt(self) -> None:
        """Ends a read, now and from now on."""
        self._interrupted.set()

    def close(self) -> None:
        """Closes the pipe, unless it is standard input; may be called twice."""
        if self._must_close:
            os.close(self._descriptor)
            self._must_close = False


def _open(pipe: _Pipe, settings: SourceSection) -> InputContainer:
    container_format, options = _raw_format(settings.raw)
    try:
        return open_media(
            pipe,
            container_format=container_format,
            options=options,
            max_megapixels=settings.max_megapixels,
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if not pipe.head:
            raise SourceError(f"{pipe.name} is empty: nothing was written into it") from error
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{pipe.name} is not a video that can be read: {reason}") from error


def _raw_format(raw: RawVideo) -> tuple[str | None, dict[str, str]]:
    """FFmpeg's name and options of the format of raw frames; None where FFmpeg is to detect it."""
    if not all(raw.size):
        return None, {}
    try:
        av.VideoFormat(raw.pixel_format)
    except ValueError:
        raise ConfigError(f"source.raw: there is no pixel format {raw.pixel_format!r}") from None
    return "rawvideo", {
        "video_size": "{}x{}".format(*raw.size),
        "pixel_format": raw.pixel_format,
        "framerate": str(ASSUMED_FPS if raw.fps == "auto" else raw.fps),
    }
