"""A video file being written: the packets of an encoder, and the sound of the source beside them.

It consists of short fragments, so that it plays whenever the program is killed; closing it turns it
into an ordinary file.
"""

from pathlib import Path

import av
from av.packet import Packet
from av.video.stream import VideoStream

from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.sinks.video.codecs import ContainerFormat, VideoCodec
from stream.sinks.video.held_file import HeldFile
from stream.sinks.video.muxer import Muxer


class MuxedFile:
    """One video file.

    Args:
        path: the file.
        kind: its container.
        info: the source: its name, rate and sound; its start is where the file begins.
        sound: whether its sound is recorded, if it has any.
        quiet: what is to be said of the sound was said of a file before.

    Raises:
        SinkError: the file cannot be made.
    """

    def __init__(
        self,
        path: Path,
        kind: ContainerFormat,
        info: SourceInfo,
        *,
        sound: bool,
        quiet: bool = False,
    ) -> None:
        try:
            self._file = HeldFile(path)
            container = av.open(self._file, "w", format=kind.format, options=kind.options)
        except (av.error.FFmpegError, OSError) as error:
            raise SinkError(f"{path} cannot be made: {error.strerror}") from error
        self._muxer = Muxer(container, kind, info, sound=sound, quiet=quiet)
        self._header_bytes = 0

    def __repr__(self) -> str:
        return f"MuxedFile({self._file!r}, {self._muxer!r})"

    @property
    def has_begun(self) -> bool:
        """Whether it has a picture."""
        return self._muxer.has_begun

    def begin(self, track: VideoStream, codec: VideoCodec, start_s: float, start_tick: int) -> None:
        """Adds the tracks; the first packet follows. Arguments and errors as of `Muxer`."""
        self._muxer.begin(track, codec, start_s, start_tick)
        self._header_bytes = self._file.held_bytes

    def add(self, packet: "Packet[VideoStream]") -> None:
        """Adds a packet of the encoder, and the sound up to its end.

        Raises:
            OSError, FFmpegError: it cannot be written.
        """
        self._muxer.add(packet)
        if self._file.held_bytes > self._header_bytes:  # the first fragment is whole
            self._file.release()

    def finish(self) -> None:
        """Adds the rest of the sound: all of it where the source was read to its own end.

        Raises:
            OSError, FFmpegError: it cannot be written.
        """
        self._muxer.finish()

    def close(self) -> None:
        """Closes everything; a file shorter than a fragment reaches the disk only now."""
        try:
            self._muxer.close()
            if self.has_begun:
                self._file.release()
        finally:
            self._file.close()
