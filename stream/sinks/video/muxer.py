"""What is written into one container: the packets of an encoder, and the sound of the source beside
them, wherever the container goes.
"""

import logging
import math
from datetime import UTC, datetime

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from stream.errors import SourceError
from stream.frames import SourceInfo
from stream.sinks.video.codecs import ContainerFormat, VideoCodec
from stream.sinks.video.encoder import TIME_BASE
from stream.sinks.video.sound import Sound

_COMMENT = "Made by face-stream. Labels are of perceived appearance."
"""What the comment of a video says."""

BEGINS_AT = "In its source it begins at"
"""Words of the comment before the time of the first picture, which logs count from 0."""

_log = logging.getLogger(__name__)


class Muxer:
    """Writes one container.

    Args:
        container: open, and nothing written to it.
        kind: what it is.
        info: the source: its name, rate and sound; its start is where the container begins.
        sound: whether its sound is written, if it has any.
        quiet: what is to be said of the sound was said of a container before.
    """

    def __init__(
        self,
        container: OutputContainer,
        kind: ContainerFormat,
        info: SourceInfo,
        *,
        sound: bool,
        quiet: bool = False,
    ) -> None:
        self._container, self._kind, self._info, self._quiet = container, kind, info, quiet
        self._has_sound = sound and info.has_audio
        self._container.metadata.update(_metadata(info))
        self._track: VideoStream | None = None  # not there before the first picture
        self._sound: Sound | None = None
        self._start_tick = 0
        self._end_s = 0.0

    def __repr__(self) -> str:
        return f"Muxer({self._kind.format}, {self._end_s:.2f} s)"

    @property
    def has_begun(self) -> bool:
        """Whether it has a picture."""
        return self._track is not None

    def begin(self, track: VideoStream, codec: VideoCodec, start_s: float, start_tick: int) -> None:
        """Adds the tracks; the first packet follows.

        Args:
            track: that of the encoder, or of a file whose packets are copied.
            codec: what it is encoded in.
            start_s: time in the source at which the container begins.
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

    def finish(self) -> None:
        """Adds the rest of the sound: all of it where the source was read to its own end.

        Raises:
            OSError, FFmpegError: it cannot be written.
        """
        if self._sound is not None:
            self._sound.copy_until(math.inf if self._info.ended.is_set() else self._end_s)

    def close(self) -> None:
        """Closes the source of the sound and the container.

        Raises:
            OSError, FFmpegError: its end cannot be written.
        """
        if self._sound is not None:
            self._sound.close()
        self._container.close()

    def _add_sound(self) -> Sound | None:
        try:
            kind = self._kind
            return Sound(self._info, self._container, kind.format, kind.sound, quiet=self._quiet)
        except (SourceError, av.error.FFmpegError, ValueError) as error:
            if not self._quiet:
                _log.warning("recorded without sound: %s", error)
            return None


def _metadata(info: SourceInfo) -> dict[str, str]:
    """Title and date of the video; its comment follows with the first picture."""
    return {
        "title": f"{info.name}, annotated",
        "creation_time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
