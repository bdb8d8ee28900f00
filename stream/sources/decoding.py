"""Decodes the video track of a container, past damaged packets, and converts its pictures."""

import threading
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import cast

import av
import numpy as np
from av.codec.context import Flags
from av.container import InputContainer
from av.format import Flags as ContainerFlags
from av.packet import Packet
from av.stream import Discard
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from models.faces import Image
from stream.coded import is_planar
from stream.errors import SourceError
from stream.frames import Frame
from stream.media_tracks import video_track
from stream.settings.schema import SourceSection
from stream.sources.orientation import Orientation, upright
from stream.sources.pixel_limit import check_packet, limit_pixels
from stream.stopwatch import stage

_MAX_PLAUSIBLE_FPS = 1000
"""Rate above which a container states the tick of its clock instead, frames a second."""

_MAX_FAILED_READS = 100
"""Reads in a row that may fail before the rest of a container is given up."""


class Decoder:
    """Decodes one video track of a container.

    Args:
        container: open; the caller closes it.
        name: of the source, as messages print it.
        settings: which track, and the rate of a bare stream; the defaults without them.
        live: no frame is held back for the sake of speed.

    Attributes:
        stream: the track.
        damaged_packets: how many packets could not be decoded.

    Raises:
        SourceError: the container has no pictures, or none that can be decoded.
    """

    def __init__(
        self,
        container: InputContainer,
        name: str,
        settings: SourceSection | None = None,
        *,
        live: bool = False,
    ) -> None:
        settings = settings or SourceSection()
        self._container = container
        self._name = name
        self.stream = video_track(container, name, settings.video_track)
        for other in container.streams:
            if other is not self.stream:
                other.discard = Discard.all
        # With a thread for each frame, frames come out as many frames late as there are threads.
        self.stream.thread_type = "SLICE" if live else "AUTO"
        if live:
            self.stream.codec_context.flags |= Flags.low_delay
        self._max_megapixels = settings.max_megapixels
        limit_pixels(self.stream, name, self._max_megapixels)
        self.damaged_packets = 0
        self._reformatter = VideoReformatter()  # one for all frames: each has threads of its own
        self._reformatter_lock = threading.Lock()
        self._orientation = Orientation()
        self._raw_fps = settings.raw.fps
        self._is_bare = _is_bare(container)

    @property
    def fps(self) -> float | None:
        """Frames a second; None if no plausible rate is stated.

        1. Of a bare stream: the rate in the settings, else the one that its pictures state as far
           as FFmpeg can tell. The average is made up.
        2. Of any other: what the container states.
        """
        if self._is_bare and self._raw_fps != "auto":
            return self._raw_fps
        average = None if self._is_bare else self.stream.average_rate
        rate = average or self.stream.guessed_rate
        return float(rate) if rate and rate <= _MAX_PLAUSIBLE_FPS else None

    def frames(self) -> Iterator[VideoFrame]:
        """The frames from where the container stands to its end.

        Raises:
            FFmpegError: the container cannot be read any further; frames read before come first.
        """
        try:
            for packet in self._packets():
                yield from self._decoded(packet)
        except av.error.FFmpegError:
            yield from self._decoded(self._flush())
            raise

    @stage("decode")
    def _decoded(self, packet: "Packet[VideoStream]") -> list[VideoFrame]:
        """The frames that come out of the decoder once it has that packet.

        Raises:
            SourceError: it holds a picture that is too large.
        """
        check_packet(packet, self._name, self._max_megapixels)
        try:
            return packet.decode()
        except av.error.EOFError:
            return []
        except av.error.FFmpegError:
            self.damaged_packets += 1  # the decoder recovers by itself
            return []

    def _flush(self) -> "Packet[VideoStream]":
        """An empty packet, on which the decoder gives out the frames that its threads hold back."""
        packet = cast("Packet[VideoStream]", Packet())
        packet.stream = self.stream
        packet.time_base = self.stream.time_base or Fraction(0)  # else those frames have no time
        return packet

    def stated_s(self, decoded: VideoFrame) -> float | None:
        """The time that the container states of a frame; None where it states none, and in a bare
        stream whose rate the settings say.
        """
        return None if self._is_bare and self._raw_fps != "auto" else decoded.time

    def frame(self, decoded: VideoFrame, index: int, time_s: float, captured_s: float) -> Frame:
        """A frame as it is to be shown: with square pixels, turned and mirrored.

        1. A frame that is shown as it was coded is converted only when its pixels are asked for,
           in the thread that asks.
        2. Any other frame is converted at once.

        Raises:
            SourceError: the frame cannot be converted.
        """
        if self._is_shown_as_coded(decoded):
            # The conversion must not need the container, which may be closed by then.
            convert = partial(self._converted, decoded, decoded.width)
            return Frame(convert, index, time_s, captured_s, coded=decoded)
        return Frame(self.picture(decoded), index, time_s, captured_s)

    def picture(self, decoded: VideoFrame) -> Image:
        """A frame in BGR as it is to be shown.

        Raises:
            SourceError: the frame cannot be converted.
        """
        width = max(round(decoded.width * (self.stream.sample_aspect_ratio or 1)), 1)
        return upright(self._converted(decoded, width), self._orientation.matrix_of(decoded))

    @stage("convert")
    def _converted(self, decoded: VideoFrame, width: int) -> Image:
        try:
            with self._reformatter_lock:
                converted = self._reformatter.reformat(decoded, width, decoded.height, "bgr24")
        except av.error.FFmpegError as error:
            raise SourceError(f"{self._name}: a picture is damaged: {error.strerror}") from error
        return np.ascontiguousarray(converted.to_ndarray(), dtype=np.uint8)

    def _is_shown_as_coded(self, frame: VideoFrame) -> bool:
        """Whether a frame is shown as it was coded, 8-bit 4:2:0, neither turned nor stretched."""
        square = (self.stream.sample_aspect_ratio or 1) == 1
        return square and self._orientation.matrix_of(frame) is None and is_planar(frame)

    def _packets(self) -> "Iterator[Packet[VideoStream]]":
        """The packets of the track, past those that cannot be read."""
        failed_reads = 0
        while True:
            try:
                for packet in self._container.demux(self.stream):
                    failed_reads = 0
                    yield packet
            except av.error.InvalidDataError:
                self.damaged_packets += 1
                failed_reads += 1
                if failed_reads == _MAX_FAILED_READS:
                    raise
            else:
                return


def _is_bare(container: InputContainer) -> bool:
    """Whether it is a bare stream: coded pictures and no times, such as a `.h264` file."""
    without_times = cast(int, ContainerFlags.no_timestamps.value)  # as its stub does not say
    return bool(container.format.flags & without_times)
