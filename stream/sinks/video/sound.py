"""The sound of a source, copied or encoded into a video that is being written."""

import io
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from stream.errors import SourceError
from stream.frames import SourceInfo
from stream.media_tracks import sound_track, warn_of_others
from stream.sources.media_clock import start_time_s

_MAX_HZ = 48_000
"""Highest sampling rate of sound that is encoded, Hz; a higher one brings nothing that is heard."""

_TITLES = {"aac": "AAC", "libopus": "Opus", "opus": "Opus", "mp3": "MP3", "vorbis": "Vorbis"}
"""Names of codecs for messages, by FFmpeg's."""

_log = logging.getLogger(__name__)


class Sound:
    """A sound track of the source: copied where the container can hold it, else encoded anew.

    Args:
        info: the source, which is opened a further time; its start is where the video begins.
        output: the video, before anything was written to it.
        encoder: encodes sound that cannot be copied; a warning says so.

    Raises:
        SourceError: the source cannot be opened again, or has no sound that can be decoded.
    """

    def __init__(self, info: SourceInfo, output: OutputContainer, encoder: str) -> None:
        if info.reopen is None:
            raise SourceError(f"{info.uri} can be read only once")
        self._source = info.reopen()
        try:
            track = sound_track(self._source, info.uri, info.sound_track)
        except SourceError:
            self.close()
            raise
        warn_of_others(self._source, track, info.uri, info.sound_track)
        self._output = output
        self._skips = info.start_s > 0
        self._start_s = start_time_s(self._source) + info.start_s
        if self._skips:
            self._seek()
        if _can_hold(output.format.name, info.reopen, track.index):
            self._stream = output.add_stream_from_template(track)
            self._packets = self._copied(track)
        else:
            rate, layout = _encodable(encoder, track)
            self._stream = cast(AudioStream, output.add_stream(encoder, rate=rate, layout=layout))
            self._packets = self._encoded(track)
            _log.warning(
                "the sound is %s, which %s cannot hold: recorded as %s%s",
                _title(track.codec_context.name),
                Path(output.name).suffix,
                _title(encoder),
                "" if layout == _layout(track) else f" in {layout}",
            )
        self._next: Packet[AudioStream] | None = None
        self._begun = False

    def __repr__(self) -> str:
        return f"Sound({self._stream.codec_context.name})"

    def copy_until(self, time_s: float) -> None:
        """Writes the sound that begins before that time of the video.

        Raises:
            OSError, FFmpegError: it cannot be written.
        """
        if not self._begun:
            self._begun, self._next = True, self._fetch()
        while self._next is not None and (self._next.pts or 0) * self._next.time_base < time_s:
            self._next.stream = self._stream
            self._output.mux_one(self._next)
            self._next = self._fetch()

    def close(self) -> None:
        """Closes the source."""
        self._source.close()

    def _fetch(self) -> "Packet[AudioStream] | None":
        try:
            return next(self._packets, None)
        except av.error.FFmpegError as error:
            _log.warning("the sound ends here, it is damaged: %s", error.strerror)
            return None

    def _copied(self, track: AudioStream) -> "Iterator[Packet[AudioStream]]":
        """The packets of the track, their times counted from the start of the video."""
        shift = self._ticks(track.time_base)
        for packet in _without_headers(self._from_start(track), track):
            if packet.dts is not None:  # the last packet is empty
                packet.pts = (packet.dts if packet.pts is None else packet.pts) - shift
                packet.dts -= shift
                yield packet

    def _from_start(self, track: AudioStream) -> "Iterator[Packet[AudioStream]]":
        """The packets as they are, without those before the start of the video."""
        shift = self._ticks(track.time_base)
        for packet in self._source.demux(track):
            if not self._skips or packet.pts is None or packet.pts >= shift:
                yield packet

    def _encoded(self, track: AudioStream) -> "Iterator[Packet[AudioStream]]":
        """The packets of the track in another codec, their times counted likewise."""
        for frame in self._source.decode(track):
            if frame.pts is not None:
                frame.pts -= self._ticks(frame.time_base)
                if self._skips and frame.pts < 0:
                    continue
            yield from self._stream.encode(frame)
        yield from self._stream.encode(None)

    def _seek(self) -> None:
        """Seeks near the start; media that cannot be sought in is read from its beginning."""
        with suppress(av.error.FFmpegError):
            self._source.seek(round(self._start_s * av.time_base))

    def _ticks(self, time_base: Fraction | None) -> int:
        return round(self._start_s / (time_base or 1))


def _without_headers(
    packets: "Iterable[Packet[AudioStream]]", track: AudioStream
) -> "Iterator[Packet[AudioStream]]":
    """The packets without the headers that AAC has in a transport stream; others as they are."""
    if track.codec_context.name != "aac" or track.codec_context.extradata:
        yield from packets
        return
    adts_to_asc = BitStreamFilterContext("aac_adtstoasc", track)
    for packet in packets:
        yield from adts_to_asc.filter(packet if packet.size else None)


def _title(codec: str) -> str:
    """Name of a codec for messages."""
    return _TITLES.get(codec, codec)


def _encodable(encoder: str, track: AudioStream) -> tuple[int, str]:
    """Sampling rate in Hz and channels in which a track is encoded.

    1. Its own, a rate of at most `_MAX_HZ`. Opus takes no other of the common rates.
    2. Stereo at `_MAX_HZ`, where the encoder refuses that: AAC takes few layouts of many channels.
    """
    rate = _MAX_HZ if encoder == "libopus" else min(track.codec_context.sample_rate, _MAX_HZ)
    trial = cast(AudioCodecContext, av.CodecContext.create(encoder, "w"))
    try:
        trial.sample_rate, trial.layout = rate, _layout(track)
        trial.format = next(iter(trial.codec.audio_formats or ()))
        trial.open()
    except (av.error.FFmpegError, ValueError):
        return _MAX_HZ, "stereo"
    return rate, _layout(track)


def _layout(track: AudioStream) -> str:
    """The channels of a track; of one or two they are the usual ones."""
    layout = track.codec_context.layout
    return {1: "mono", 2: "stereo"}.get(layout.nb_channels, layout.name)


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
        except (av.error.FFmpegError, ValueError):
            return False
    return True
