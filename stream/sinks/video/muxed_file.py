"""A video file being written: the packets of an encoder, and the sound of the source beside them.

It consists of short fragments, so that it plays whenever the program is killed; closing it turns it
into an ordinary file.
"""

import logging
import math
from datetime import UTC, datetime
from pathlib import Path

import av
from av.packet import Packet
from av.video.stream import VideoStream

from stream.errors import SinkError, SourceError
from stream.frames import SourceInfo
from stream.sinks.video.codecs import ContainerFormat, VideoCodec
from stream.sinks.video.encoder import TIME_BASE
from stream.sinks.video.held_file import HeldFile
from stream.sinks.video.sound import Sound

_COMMENT = "Made by face-stream. Labels are of perceived appearance."
"""What the comment of a file says."""

BEGINS_AT = "In its source it begins at"
"""Words of the comment before the time of the first picture, which logs count from 0."""

_log = logging.getLogger(__name__)


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
        self._kind, self._info, self._quiet = kind, info, quiet
        self._has_sound = sound and info.has_audio
        try:
            self._file = HeldFile(path)
            self._container = av.open(self._file, "w", format=kind.format, options=kind.options)
        except (av.error.FFmpegError, OSError) as error:
            raise SinkError(f"{path} cannot be made: {error.strerror}") from error
        self._container.metadata.update(_metadata(info))
        self._track: VideoStream | None = None  # not there before the first picture
        self._sound: Sound | None = None
        self._header_bytes = 0
        self._start_tick = 0
        self._end_s = 0.0

    def __repr__(self) -> str:
        return f"MuxedFile({self._container.name}, {self._end_s:.2f} s)"

    @property
    def has_begun(self) -> bool:
        """Whether it has a picture."""
        return self._track is not None

    def begin(self, track: VideoStream, codec: VideoCodec, start_s: float, start_tick: int) -> None:
        """Adds the tracks; the first packet follows.

        Args:
            track: that of the encoder, or of a file whose packets are copied.
            codec: what it is encoded in.
            start_s: time in the source at which the file begins.
            start_tick: timestamp of the encoder at that time.

        Raises:
            OSError, FFmpegError: it cannot be written.
        """
        self._start_tick = start_tick
        # What only a decoder is there of, such as AV1 of a file, is taken as it is.
        is_copied = not track.codec_context.is_encoder
        own = self._container.add_stream_from_template(track, opaque=is_copied)
        own.time_base = TIME_BASE
        if codec.tag is not None:
            own.codec_context.codec_tag = codec.tag
        if self._has_sound:
            self._sound = self._add_sound()
        self._container.metadata["comment"] = f"{_COMMENT} {BEGINS_AT} {start_s:.6f} s."
        self._container.start_encoding()
        self._header_bytes = self._file.held_bytes
        self._track = own

    def add(self, packet: "Packet[VideoStream]") -> None:
        """Adds a packet of the encoder, and the sound up to its end.

        Raises:
            OSError, FFmpegError: it cannot be written.
        """
        if self._track is None or packet.pts is None or packet.dts is None:
            return
        packet.pts, packet.dts = packet.pts - self._start_tick, packet.dts - self._start_tick
        self._end_s = float(packet.pts * TIME_BASE) + 1 / self._info.nominal_fps
        packet.stream = self._track
        self._container.mux_one(packet)
        if self._sound is not None:  # to its end: a muxer keeps a picture until later sound comes
            self._sound.copy_until(self._end_s)
        if self._file.held_bytes > self._header_bytes:  # the first fragment is whole
            self._file.release()

    def finish(self) -> None:
        """Adds the rest of the sound: all of it where the source was read to its own end.

        Raises:
            OSError, FFmpegError: it cannot be written.
        """
        if self._sound is not None:
            self._sound.copy_until(math.inf if self._info.ended.is_set() else self._end_s)

    def close(self) -> None:
        """Closes everything; a file shorter than a fragment reaches the disk only now."""
        if self._sound is not None:
            self._sound.close()
        try:
            self._container.close()
            if self.has_begun:
                self._file.release()
        finally:
            self._file.close()

    def _add_sound(self) -> Sound | None:
        try:
            return Sound(self._info, self._container, self._kind.sound, quiet=self._quiet)
        except (SourceError, av.error.FFmpegError, ValueError) as error:
            if not self._quiet:
                _log.warning("recorded without sound: %s", error)
            return None


def _metadata(info: SourceInfo) -> dict[str, str]:
    """Title and date of the file; its comment follows with the first picture."""
    return {
        "title": f"{info.name}, annotated",
        "creation_time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
