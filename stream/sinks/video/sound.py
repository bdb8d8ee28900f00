"""The sound of a source, copied or encoded into a video that is being written."""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream

from stream.errors import SourceError
from stream.frames import SourceInfo
from stream.media_tracks import sound_track, video_track, warn_of_others
from stream.sinks.video.sound_encoder import SoundEncoder, layout_of
from stream.sinks.video.sound_packets import without_discarded, without_headers, without_overlap
from stream.sources.media_clock import joint_clock, may_restart, start_time_s

_MAX_DAMAGED = 100
"""Packets in a row that may be damaged before the rest of the sound is given up."""

_TITLES = {
    "aac": "AAC", "libopus": "Opus", "opus": "Opus", "mp3": "MP3", "vorbis": "Vorbis",
    "ac3": "AC-3", "mp2": "MP2",
}  # fmt: skip
"""Names of codecs for messages, by FFmpeg's."""

_log = logging.getLogger(__name__)


class Sound:
    """A sound track of the source, at the times of its pictures.

    1. It is copied where the container can hold it.
    2. It is encoded anew where that cannot be, or where its form may change on the way: in a format
       that recordings are joined in. A warning says so, unless the codec stays the same.

    An error in it ends the sound, not the video.

    Args:
        info: the source, which is opened a further time; its start is where the video begins.
        output: the video, before anything was written to it.
        container_format: FFmpeg's name of what the video becomes, which the output may not be.
        encoder: encodes sound that cannot be copied.
        quiet: what is to be said of the track was said of a file before.

    Raises:
        SourceError: the source cannot be opened again, or has no sound that can be decoded.
    """

    def __init__(
        self,
        info: SourceInfo,
        output: OutputContainer,
        container_format: str,
        encoder: str,
        *,
        quiet: bool = False,
    ) -> None:
        if info.reopen is None:
            raise SourceError(f"{info.uri} can be read only once")
        self._source = info.reopen()
        try:
            self._track = sound_track(self._source, info.uri, info.sound_track)
            video = video_track(self._source, info.uri, info.video_track)
        except SourceError:
            self.close()
            raise
        if not quiet:
            warn_of_others(self._source, self._track, info.uri, info.sound_track)
        self._clock = joint_clock(self._source, video, info.uri, info.sound_track)
        self._tracks: list[Stream] = [self._track] if self._clock is None else [self._track, video]
        self._output, self._format = output, container_format
        self._skips = info.start_s > 0
        self._start_s = start_time_s(self._source) + info.start_s
        if self._skips and not may_restart(self._source):
            self._seek()
        holds = _can_hold(container_format, info.reopen, self._track.index)
        if holds and not may_restart(self._source):
            self._stream = output.add_stream_from_template(self._track)
            self._packets = self._copied()
        else:
            anew = SoundEncoder(output, encoder, self._track)
            self._stream = anew.stream
            self._packets = self._encoded(anew)
            if not quiet:
                self._warn(anew.layout, encoder, holds=holds)
        self._next: Packet[AudioStream] | None = None
        self._begun = False

    def __repr__(self) -> str:
        return f"Sound({self._stream.codec_context.name})"

    def copy_until(self, time_s: float) -> None:
        """Writes the sound that begins before that time of the video.

        Raises:
            OSError: the disk refuses.
        """
        if not self._begun:
            self._begun, self._next = True, self._fetch()
        while self._next is not None and (self._next.pts or 0) * self._next.time_base < time_s:
            self._next.stream = self._stream
            try:
                self._output.mux_one(self._next)
            except (av.error.FFmpegError, ValueError) as error:
                if isinstance(error, OSError):
                    raise
                self._end(error)
                return
            self._next = self._fetch()

    def close(self) -> None:
        """Closes the source."""
        self._source.close()

    def _fetch(self) -> "Packet[AudioStream] | None":
        try:
            return next(self._packets, None)
        except (av.error.FFmpegError, ValueError) as error:
            self._end(error)
            return None

    def _end(self, error: Exception) -> None:
        self._next = None
        reason = getattr(error, "strerror", None) or error
        _log.warning("the sound ends here, it is damaged: %s", reason)

    def _warn(self, layout: str, encoder: str, *, holds: bool) -> None:
        """Says that the sound is encoded anew, unless it is as it was."""
        codec = self._track.codec_context.name
        as_it_was = layout == layout_of(self._track)
        if holds and as_it_was and _title(codec) == _title(encoder):
            return
        why = (
            "may change on the way"
            if holds
            else f"{Path(self._output.name).suffix or self._format} cannot hold"
        )
        _log.warning(
            "the sound is %s, which %s: recorded as %s%s",
            _title(codec),
            why,
            _title(encoder),
            "" if as_it_was else f" in {layout}",
        )

    def _read(self) -> "Iterator[Packet[AudioStream]]":
        """The packets of the track, at times that go on over seams."""
        for packet in self._source.demux(self._tracks):
            if self._clock is not None:
                self._clock.retime(packet)
            if packet.stream is self._track:
                yield cast("Packet[AudioStream]", packet)

    def _copied(self) -> "Iterator[Packet[AudioStream]]":
        """The packets of the track, their times counted from the start of the video."""
        shift = self._ticks(self._track.time_base)
        packets = without_discarded(without_headers(self._from_start(shift), self._track))
        for packet in without_overlap(packets):
            packet.pts = (packet.pts or 0) - shift
            packet.dts = (packet.dts or 0) - shift
            yield packet

    def _from_start(self, shift: int) -> "Iterator[Packet[AudioStream]]":
        """The packets as they are, without those before the start of the video."""
        for packet in self._read():
            if packet.pts is None:
                packet.pts = packet.dts
            if not self._skips or packet.pts is None or packet.pts >= shift:
                yield packet

    def _encoded(self, encoder: SoundEncoder) -> "Iterator[Packet[AudioStream]]":
        """The packets of the track in another codec, their times counted likewise."""
        damaged = 0
        for packet in self._read():
            try:
                frames = packet.decode()
                damaged = 0
            except av.error.EOFError:
                break
            except av.error.InvalidDataError:
                damaged += 1
                if damaged == _MAX_DAMAGED:
                    raise
                continue
            for frame in frames:
                if frame.time is not None:
                    yield from encoder.encode(frame, frame.time - self._start_s)
        yield from encoder.rest()

    def _seek(self) -> None:
        """Seeks near the start; media that cannot be sought in is read from its beginning."""
        with suppress(av.error.FFmpegError):
            self._source.seek(round(self._start_s * av.time_base))

    def _ticks(self, time_base: Fraction | None) -> int:
        return round(self._start_s / (time_base or 1))


def _title(codec: str) -> str:
    """Name of a codec for messages."""
    return _TITLES.get(codec, codec)


def _can_hold(container: str, reopen: Callable[[], InputContainer], index: int) -> bool:
    """Whether the container takes the stream of that index as it is, tried with its first packet.

    FFmpeg may refuse what it says it supports, such as Opus in QuickTime.
    """
    with reopen() as again:
        track = cast(AudioStream, again.streams[index])
        try:
            with av.open(io.BytesIO(), "w", format=container) as trial:
                stream = trial.add_stream_from_template(track)
                packet = next(again.demux(track))
                packet.stream = stream
                trial.mux_one(packet)
        except (av.error.FFmpegError, ValueError, StopIteration):
            return False
    return True
