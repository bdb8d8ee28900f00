"""Video that comes through a pipe: standard input, a FIFO, a device."""

import os
import select
import stat
import sys
import threading

import av
from av.container import InputContainer

from stream.errors import ConfigError, SourceError
from stream.settings.schema import RawVideo
from stream.sources.span import WHOLE, Span
from stream.sources.video import VideoSource

STANDARD_INPUT = "-"
_POLL_S = 0.2
_HEAD, _MP4 = 12, b"ftyp"


class PipeSource(VideoSource):
    """A video that can be read only once, from its beginning; nothing of it is lost.

    Args:
        uri: `-`, or where the pipe lies.
        raw: how frames without a header lie in it.
        span: the part to be given; what comes before is decoded too.

    Raises:
        SourceError: nothing comes, or nothing that is a video.
        ConfigError: raw frames cannot lie as told.
    """

    def __init__(self, uri: str, raw: RawVideo, span: Span = WHOLE) -> None:
        self._pipe = _Pipe(uri)
        try:
            super().__init__(self._pipe.name, span, container=_open(self._pipe, raw))
        except BaseException as error:
            self._pipe.close()
            if isinstance(error, SourceError) and _MP4 in self._pipe.head:
                raise SourceError(
                    f"{self._pipe.name} cannot be read: to come through a pipe, an MP4 must begin "
                    "with its index (+faststart)"
                ) from error
            raise

    def interrupt(self) -> None:
        """Ends the wait for who writes into the pipe."""
        self._pipe.interrupt()

    def close(self) -> None:
        """Closes the pipe."""
        super().close()
        self._pipe.close()


class _Pipe:
    """What PyAV wants of a file, with waits that can be interrupted."""

    def __init__(self, uri: str) -> None:
        self.name = "standard input" if uri == STANDARD_INPUT else uri
        self.head = b""  # what came first
        self._interrupted = threading.Event()
        self._owned = uri != STANDARD_INPUT
        try:
            self._descriptor = os.open(uri, os.O_RDONLY) if self._owned else sys.stdin.fileno()
            self._is_file = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        except (OSError, ValueError, AttributeError) as error:  # closed, or none at all
            reason = getattr(error, "strerror", None) or "it is closed"
            raise SourceError(f"{self.name} cannot be read: {reason}") from error
        if os.isatty(self._descriptor):
            self.close()
            raise SourceError(f"{self.name} is a terminal: pipe a video into the program")

    def read(self, size: int) -> bytes:
        """What there is, once there is something; nothing at the end, or when interrupted."""
        while not self._interrupted.is_set():
            if sys.platform == "win32" or select.select([self._descriptor], [], [], _POLL_S)[0]:
                data = os.read(self._descriptor, size)
                self.head = self.head or data[:_HEAD]
                return data
        return b""

    def seekable(self) -> bool:
        """Whether a file was redirected here."""
        return self._is_file

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As of any file."""
        return os.lseek(self._descriptor, offset, whence)

    def tell(self) -> int:
        """As of any file."""
        return self.seek(0, os.SEEK_CUR)

    def interrupt(self) -> None:
        self._interrupted.set()

    def close(self) -> None:
        """Standard input is not ours to close."""
        if self._owned:
            os.close(self._descriptor)
            self._owned = False


def _open(pipe: _Pipe, raw: RawVideo) -> InputContainer:
    form, options = _raw_format(raw)
    try:
        return av.open(pipe, "r", format=form, options=options)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if not pipe.head:
            raise SourceError(f"{pipe.name} is empty: nothing was written into it") from error
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{pipe.name} is not a video that can be read: {reason}") from error


def _raw_format(raw: RawVideo) -> tuple[str | None, dict[str, str]]:
    """How FFmpeg is told; nothing where it is to find out by itself."""
    if not all(raw.size):
        return None, {}
    try:
        av.VideoFormat(raw.pixel_format)
    except ValueError:
        raise ConfigError(f"source.raw: there is no pixel format {raw.pixel_format!r}") from None
    return "rawvideo", {
        "video_size": "{}x{}".format(*raw.size),
        "pixel_format": raw.pixel_format,
        "framerate": str(raw.fps),
    }
