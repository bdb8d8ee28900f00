"""Sound encoded anew: one track without gaps, in one form, whatever the source changes to."""

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from numpy.typing import NDArray

_MAX_HZ = 48_000
"""Highest sampling rate of sound that is encoded, Hz; a higher one brings nothing that is heard."""

_MAX_DRIFT_S = 0.01
"""By how much sound may be off from the times it states, s, before it is moved: more than what
containers round, and less than is noticed."""

_SILENCE_SAMPLES = 48_000
"""Samples of silence that are encoded at once; more take memory in a long gap."""

_FORMAT = "fltp"
"""Samples as they are counted here: float32 `(channels, samples)`."""


class SoundEncoder:
    """Encodes decoded sound at its times: gaps become silence, overlaps are cut, and another rate
    or other channels are converted to those that the track began with.

    Args:
        output: the video, before anything was written to it.
        encoder: FFmpeg's name of it.
        track: of the source; its rate and channels are kept as far as the encoder takes them.

    Attributes:
        stream: the track in the video.
        layout: its channels.
    """

    def __init__(self, output: OutputContainer, encoder: str, track: AudioStream) -> None:
        self._rate, self.layout = _encodable(encoder, track)
        stream = output.add_stream(encoder, rate=self._rate, layout=self.layout)
        self.stream = cast(AudioStream, stream)
        self._resampler: AudioResampler | None = None
        self._form: tuple[object, ...] = ()
        self._next: int | None = None
        self._surplus = 0

    def __repr__(self) -> str:
        return f"SoundEncoder({self.stream.codec_context.name})"

    def encode(self, frame: AudioFrame, time_s: float) -> "Iterator[Packet[AudioStream]]":
        """The packets that come out once the next frame is in.

        1. It begins before the video, or before what is there ends: its beginning is cut off.
        2. It begins later: silence fills the gap. The first frame begins where it does.
        3. It begins so near to that end as not to be noticed: it follows.
        """
        form = frame.sample_rate, frame.layout.name, frame.format.name
        if self._resampler is None or form != self._form:
            yield from self._converted(None)
            self._resampler = AudioResampler(_FORMAT, self.layout, self._rate)
            self._form = form
        due = round(time_s * self._rate)
        if self._next is None:
            self._next = max(due, 0)
        gap = due - self._next
        if abs(gap) > _MAX_DRIFT_S * self._rate:
            self._surplus = max(-gap, 0)
            yield from self._silence(gap)
        yield from self._converted(frame)

    def rest(self) -> "Iterator[Packet[AudioStream]]":
        """The packets that come out at the end."""
        yield from self._converted(None)
        yield from self.stream.encode(None)

    def _silence(self, samples: int) -> "Iterator[Packet[AudioStream]]":
        channels = self.stream.codec_context.layout.nb_channels
        while samples > 0:
            count = min(samples, _SILENCE_SAMPLES)
            yield from self._encoded(np.zeros((channels, count), np.float32))
            samples -= count

    def _converted(self, frame: AudioFrame | None) -> "Iterator[Packet[AudioStream]]":
        """A frame in the form of the track; None for what the conversion holds back."""
        for part in self._resampler.resample(frame) if self._resampler is not None else ():
            if part is not None:  # PyAV passes the end mark on where there is nothing to convert
                samples = part.to_ndarray().astype(np.float32, copy=False)
                cut, self._surplus = self._surplus, max(self._surplus - samples.shape[1], 0)
                yield from self._encoded(samples[:, cut:])

    def _encoded(self, samples: NDArray[np.float32]) -> "Iterator[Packet[AudioStream]]":
        """Samples, which follow on those before."""
        if not samples.shape[1] or self._next is None:
            return
        block = AudioFrame.from_ndarray(np.ascontiguousarray(samples), _FORMAT, self.layout)
        block.sample_rate, block.pts = self._rate, self._next
        block.time_base = Fraction(1, self._rate)
        self._next += samples.shape[1]
        yield from self.stream.encode(block)


def _encodable(encoder: str, track: AudioStream) -> tuple[int, str]:
    """Sampling rate in Hz and channels in which a track is encoded.

    1. Its own, a rate of at most `_MAX_HZ`. Opus takes no other of the common rates.
    2. Stereo at `_MAX_HZ`, where the encoder refuses that: AAC takes few layouts of many channels.
    """
    rate = _MAX_HZ if encoder == "libopus" else min(track.codec_context.sample_rate, _MAX_HZ)
    trial = cast(AudioCodecContext, av.CodecContext.create(encoder, "w"))
    layout = layout_of(track)
    try:
        trial.sample_rate, trial.layout = rate, layout
        trial.format = next(iter(trial.codec.audio_formats or ()))
        trial.open()
    except (av.error.FFmpegError, ValueError):
        return _MAX_HZ, "stereo"
    return rate, layout


def layout_of(track: AudioStream) -> str:
    """The channels of a track; of one or two they are the usual ones."""
    layout = track.codec_context.layout
    return {1: "mono", 2: "stereo"}.get(layout.nb_channels, layout.name)
