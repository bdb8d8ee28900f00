"""Pictures → fragments of H.264 that a browser plays at once."""

import time
from collections.abc import Callable
from dataclasses import replace

import av

from stream.coded import Colours
from stream.frames import SourceInfo
from stream.page.fragments import TIMESCALE, codec_of, first_segment, fragment
from stream.page.painter import Painted
from stream.page.viewers import Encoded, VideoHead
from stream.settings.schema import RecorderSection
from stream.sinks.video.codecs import CODECS, CONTAINERS
from stream.sinks.video.encoder import Encoder

_QUANTISER = 24
"""Quantiser of all pictures (ITU-T H.264, QP), 0 to 51; more is worse, and takes less of the
network. A constant one spares the encoder an estimate of each: 2.2 instead of 3.5 ms of 720p."""

_PARAMETERS = f"qp={_QUANTISER}:no-dct-decimate=1"
"""Parameters of x264. Not to look for blocks with hardly any coefficients saves 15 % of its time of
filmed pictures, for 5 % more bytes."""

_CODEC = replace(CODECS["h264"], options={**CODECS["h264"].options, "x264-params": _PARAMETERS})
"""H.264 of the page, each picture at the same quantiser."""

_LONGEST_STEP_S = 1.0
"""Time for which a picture is shown at most by its fragment, s: a pause is no part of the video."""


class VideoEncoding:
    """Encodes the pictures of one source, of one size, for all who watch.

    Each picture is shown for as long as the one before it was, so that there is no gap between
    two, and none waits until the time of the next one is known.

    Args:
        size_wh: width and height of the pictures, px.
        fps: pictures a second, about.
        clock: the monotonic clock, s.

    Raises:
        FFmpegError, ValueError: there can be no such encoder.
    """

    def __init__(
        self,
        size_wh: tuple[int, int],
        fps: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        settings = RecorderSection(preset="ultrafast")
        info = SourceInfo("page", "stream", size_wh, fps)
        self.size_wh = size_wh
        self._clock = clock
        self._encoder = Encoder(_CODEC, CONTAINERS[".mp4"], info, settings)
        context = self._encoder.track.codec_context
        context.gop_size = max(round(fps * 4), 1)
        context.thread_count = 1
        self._colours: Colours | None = None  # known with the first picture
        self._head: VideoHead | None = None
        self._number = 0
        self._ticks = 0
        self._step_s = 1 / fps
        self._last_s: float | None = None

    def __repr__(self) -> str:
        return f"VideoEncoding({self.size_wh}, {self._number} fragments)"

    def suits(self, painted: Painted) -> bool:
        """Whether a picture can be the next one: its size and colours are those of the video."""
        same_size = painted.size_wh == self.size_wh
        return same_size and self._colours in (None, painted.colours)

    def encode(self, painted: Painted, *, key: bool) -> list[Encoded]:
        """The fragment of the next picture.

        Args:
            painted: a picture that suits this video; its planes are encoded as they are.
            key: it is to be decodable without those before it.
        """
        now_s = self._clock()
        if self._last_s is not None:
            self._step_s = min(now_s - self._last_s, _LONGEST_STEP_S)
        self._last_s = now_s
        self._colours = painted.colours
        if isinstance(painted.drawn, av.VideoFrame):
            frame = self._encoder.decoded(painted.drawn)
        else:
            frame = self._encoder.converted(painted.drawn)
        return [
            self._fragment(bytes(packet), is_key=packet.is_keyframe)
            for packet in self._encoder.encode(frame, now_s, key=key)
        ]

    def close(self) -> None:
        """Releases the encoder; may be called twice."""
        self._encoder.close()

    def _fragment(self, stream: bytes, *, is_key: bool) -> Encoded:
        if self._head is None:
            parameters = bytes(self._encoder.track.codec_context.extradata or b"")
            track = self._encoder.track
            size_wh = track.width, track.height
            mime = f'video/mp4; codecs="{codec_of(parameters)}"'
            self._head = VideoHead(mime, size_wh, first_segment(parameters, size_wh))
        duration = max(round(self._step_s * TIMESCALE), 1)
        self._number += 1
        data = fragment(self._number, self._ticks, duration, stream, is_key=is_key)
        self._ticks += duration
        return Encoded(data, is_key, self._head)
