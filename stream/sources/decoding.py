"""Decodes the video track of a container, past damaged packets, and converts its pictures."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from typing import cast

import av
import numpy as np
from av.codec.context import Flags
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from models.faces import Image
from models.pictures.alpha import over_grey
from stream.coded import complete_colours, has_alpha, is_planar, stated_colours
from stream.errors import SourceError
from stream.frames import Frame
from stream.media_tracks import video_track
from stream.settings.schema import SourceSection
from stream.source_history import SourceHistory
from stream.sources.alpha import decoder_of
from stream.sources.bt709 import in_bt709
from stream.sources.declared import Seen
from stream.sources.deinterlacing import Deinterlacer
from stream.sources.media_clock import JointClock, has_times, is_indexed, joint_clock
from stream.sources.orientation import display_matrix, upright
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
        live: no frame is held back for the sake of speed, and times are as they are stated.
        remote: tracks that may lie far from the pictures are not read; else all are, by which seams
            and the end are told.
        deinterlacer, history: those of the source, where it is opened several times; the history
            takes how many packets could not be decoded.

    Attributes:
        stream: the track.
        seen: how far the container was read.

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
        remote: bool = False,
        deinterlacer: Deinterlacer | None = None,
        history: SourceHistory | None = None,
    ) -> None:
        settings = settings or SourceSection()
        self._container = container
        self._name = name
        self.stream = video_track(container, name, settings.video_track)
        self.seen = Seen()
        self._sound_track = settings.sound_track
        self._clock: JointClock | None = None
        self._is_live = live
        is_apart = live or (remote and is_indexed(container))
        self._tracks: list[Stream] = [self.stream] if is_apart else [*container.streams]
        for other in container.streams:
            if other not in self._tracks:
                other.discard = Discard.all
        # With a thread for each frame, frames come out as many frames late as there are threads.
        self.stream.thread_type = "SLICE" if live else "AUTO"
        if live:
            self.stream.codec_context.flags |= Flags.low_delay
        self._codec: VideoCodecContext | None = None  # known with the first packet
        self._max_megapixels = settings.max_megapixels
        limit_pixels(self.stream, name, self._max_megapixels)
        self._history = history or SourceHistory()
        self._reformatter = VideoReformatter()  # one for all frames: each has threads of its own
        self._reformatter_lock = threading.Lock()
        self._depth_reformatter = VideoReformatter()  # used by the thread that reads, without lock
        self._stated = stated_colours(self.stream.codec_context)  # decoding puts its own in place
        self._raw_fps = settings.raw.fps
        self._is_bare = not has_times(container)
        self._deinterlacer = deinterlacer or Deinterlacer(name)

    @property
    def damaged_packets(self) -> int:
        """How many packets could not be decoded."""
        return self._history.damaged_packets

    @property
    def only_stream(self) -> VideoStream | None:
        """The track, where no other one is read."""
        return self.stream if len(self._tracks) == 1 else None

    @property
    def has_seams(self) -> bool:
        """Whether the clock of the container was started anew on the way."""
        return self._clock is not None and self._clock.has_seams

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

    def frames(self, from_s: float = 0.0) -> Iterator[VideoFrame]:
        """The frames from where the container stands to its end.

        Args:
            from_s: packets before the last keyframe until then are passed over, s of the container.

        Raises:
            FFmpegError: the container cannot be read any further; frames read before come first.
        """
        if not self._is_live:
            self._clock = joint_clock(self._container, self.stream, self._name, self._sound_track)
        return self._deinterlacer.frames(self._all_decoded(_from_keyframe(self._packets(), from_s)))

    def _all_decoded(self, packets: "Iterable[Packet[VideoStream]]") -> Iterator[VideoFrame]:
        """The frames as they were coded, interlaced or not."""
        try:
            for packet in packets:
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
        if self._codec is None:
            self._codec = decoder_of(self.stream, packet, self._name)
        try:
            return self._codec.decode(packet)
        except av.error.EOFError:
            return []
        except av.error.FFmpegError:
            self._history.damaged_packets += 1  # the decoder recovers by itself
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
        """A frame as it is to be shown: in BT.709, with square pixels, turned and mirrored.

        1. A frame that is shown as it was coded is converted only when its pixels are asked for,
           in the thread that asks. So is one that only its colours had to be converted of.
        2. Any other frame is converted at once.

        Raises:
            SourceError: the frame cannot be converted.
        """
        shown = self._in_bt709(decoded)
        if self._is_shown_as_coded(decoded, shown):
            # The conversion must not need the container, which may be closed by then.
            convert = partial(self._converted, shown, shown.width)
            return Frame(convert, index, time_s, captured_s, coded=shown)
        return Frame(self._picture(decoded, shown), index, time_s, captured_s)

    def picture(self, decoded: VideoFrame) -> Image:
        """A frame in BGR as it is to be shown.

        Raises:
            SourceError: the frame cannot be converted.
        """
        return self._picture(decoded, self._in_bt709(decoded))

    def _picture(self, decoded: VideoFrame, shown: VideoFrame) -> Image:
        """A frame in BGR, of itself as it was decoded and in BT.709."""
        width = max(round(decoded.width * (self.stream.sample_aspect_ratio or 1)), 1)
        picture = self._converted(shown, width)
        if has_alpha(decoded):
            picture = over_grey(picture, self._converted(decoded, width, "bgra")[..., 3])
        return upright(picture, display_matrix(decoded))

    @stage("convert")
    def _in_bt709(self, decoded: VideoFrame) -> VideoFrame:
        complete_colours(decoded, self._stated)
        with self._errors_translated():
            return in_bt709(decoded, self._depth_reformatter)

    @stage("convert")
    def _converted(self, decoded: VideoFrame, width: int, pixels: str = "bgr24") -> Image:
        with self._errors_translated(), self._reformatter_lock:
            converted = self._reformatter.reformat(decoded, width, decoded.height, pixels)
        return np.ascontiguousarray(converted.to_ndarray(), dtype=np.uint8)

    @contextmanager
    def _errors_translated(self) -> Iterator[None]:
        try:
            yield
        except av.error.FFmpegError as error:
            raise SourceError(f"{self._name}: a picture is damaged: {error.strerror}") from error

    def _is_shown_as_coded(self, decoded: VideoFrame, shown: VideoFrame) -> bool:
        """Whether a frame is shown as it is coded: 8-bit 4:2:0, neither turned nor stretched, and
        opaque.
        """
        square = (self.stream.sample_aspect_ratio or 1) == 1
        upright = display_matrix(decoded) is None
        return square and upright and is_planar(shown) and not has_alpha(decoded)

    def _packets(self) -> "Iterator[Packet[VideoStream]]":
        """The packets of the track, past those that cannot be read, at times that go on."""
        failed_reads = 0
        while True:
            try:
                for packet in self._container.demux(self._tracks):
                    failed_reads = 0
                    self.seen.note(packet)
                    if self._clock is not None:
                        self._clock.retime(packet)
                    if packet.stream is self.stream:
                        yield cast("Packet[VideoStream]", packet)
            except av.error.InvalidDataError:
                self._history.damaged_packets += 1
                failed_reads += 1
                if failed_reads == _MAX_FAILED_READS:
                    raise
            else:
                return


def _from_keyframe(
    packets: "Iterable[Packet[VideoStream]]", from_s: float
) -> "Iterator[Packet[VideoStream]]":
    """The packets from the last keyframe on that is not after a time."""
    if from_s <= 0:
        yield from packets
        return
    waiting: list[Packet[VideoStream]] = []
    packets = iter(packets)
    for packet in packets:
        is_there = packet.pts is not None and packet.pts * packet.time_base >= from_s
        if packet.is_keyframe and not is_there:  # pictures before a keyframe may come after it
            waiting.clear()
        waiting.append(packet)
        if is_there:
            break
    yield from waiting
    yield from packets
