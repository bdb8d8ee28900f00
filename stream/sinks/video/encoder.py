"""Pictures, drawn on or not → packets of a codec, in one encoder from beginning to end of a run."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import cast

import av
import cv2
from av.packet import Packet
from av.video.frame import PictureType
from av.video.stream import VideoStream

from models.faces import Image
from models.networks.runtime import available_cores
from stream.coded import BT709, Colours
from stream.drawing.canvas import Canvas
from stream.drawing.marks import Box
from stream.drawing.planes import Planes
from stream.frames import SourceInfo
from stream.settings.schema import RecorderSection
from stream.sinks.video.codecs import ContainerFormat, VideoCodec
from stream.stalls import awaited

TIME_BASE = Fraction(1, 90_000)
"""Tick of the timestamps, s: the usual one of video, fine enough for any frame rate."""


_FRAMES_A_THREAD = 8
"""Frames a second for each picture that is encoded beside another; fewer hold back more of a second
of a slow video."""

_HANGS_S = 60.0
"""Time for a picture after which an encoder hangs, s; less ends recordings where the machine is
busy. SVT-AV1 4.1 waited for ever in one of 62,000 pictures of 96×64, and in none of 44,000 of
320×180."""


class Encoder:
    """Encodes pictures; its packets go into one file after another, each from a keyframe on.

    Args:
        codec: what it encodes in.
        kind: the container that its packets are for.
        info: the source: its size, rate and start.
        settings: quality and speed.
        may_hold_back: packets may come out some pictures later, which is faster.

    Attributes:
        start_s: time in the source from which timestamps count; None before the first picture of a
            live source.

    Raises:
        FFmpegError, ValueError: there can be no such encoder.
    """

    def __init__(
        self,
        codec: VideoCodec,
        kind: ContainerFormat,
        info: SourceInfo,
        settings: RecorderSection,
        *,
        may_hold_back: bool = False,
    ) -> None:
        width, height = info.size_wh
        self._size_wh = width + width % 2, height + height % 2  # 4:2:0 needs even sides
        self.start_s = None if info.is_live else info.start_s
        self._codec = codec
        self._hangs = False
        self._last_tick = -1
        self._colours: Colours | None = None  # known with the first frame
        # A container that nothing is written to: the encoder belongs to its track.
        self._container = av.open(io.BytesIO(), "w", format=kind.format)
        rate = Fraction(info.nominal_fps).limit_denominator(1001)
        options = codec.settings(settings.quality, settings.preset)
        os.environ.setdefault("SVT_LOG", "0")  # the encoder of AV1 is talkative
        track = self._container.add_stream(codec.encoder, rate=rate, options=options)
        self.track = cast(VideoStream, track)
        self.track.width, self.track.height = self._size_wh
        self.track.pix_fmt = "yuv420p"
        context = self.track.codec_context
        context.time_base = self.track.time_base = TIME_BASE
        held = _frame_threads(codec, info.nominal_fps) - 1 if may_hold_back else 0
        if held:
            context.thread_type, context.thread_count = "FRAME", held + 1
        context.max_b_frames = 0  # reordered pictures begin late in a file of fragments
        # A kill costs a second at most: the pictures since the last keyframe and those held back.
        context.gop_size = max(round(info.nominal_fps) - held, 1)
        if codec.tag is not None:
            context.codec_tag = codec.tag

    def __repr__(self) -> str:
        return f"Encoder({self.track.codec_context.name})"

    def converted(self, image: Image) -> av.VideoFrame:
        """A picture converted to a frame of this video."""
        frame, planes = self._blank()
        planes.write_region(self._fitted(image), Box(0, 0, *self._size_wh), self._colours_of(None))
        return frame

    def drawn(self, canvas: Canvas, coded: av.VideoFrame | None) -> av.VideoFrame:
        """A picture that was drawn on; its other parts stay as they were coded, to the bit.

        1. A coded picture of the video's size and colours is copied, and drawn on.
        2. Any other is converted as a whole.

        Args:
            canvas: the picture.
            coded: the same picture before it was drawn on, as `Frame.coded`.
        """
        if coded is None or not self._suits(coded):
            return self.converted(canvas.picture)
        frame, planes = self._blank()
        planes.copy_from(Planes.of(coded))
        canvas.draw_on(planes, self._colours_of(coded))
        return frame

    def decoded(self, frame: av.VideoFrame) -> av.VideoFrame:
        """A picture as a decoder gave it."""
        self._colours_of(frame)
        frame.pict_type = PictureType.NONE  # else the encoder repeats the source's
        return frame

    def encode(
        self, frame: av.VideoFrame, time_s: float, *, key: bool = False
    ) -> "list[Packet[VideoStream]]":
        """The packets that come out once the next picture is in.

        Args:
            frame: of this encoder.
            time_s: its time in the source.
            key: a file may begin with it.

        Raises:
            FFmpegError: it cannot be encoded.
            OSError: the encoder hangs.
        """
        if self.start_s is None:
            self.start_s = time_s
        if self._last_tick < 0:
            with _kept_scheduling():
                self._container.start_encoding()  # its colours are known now
        # Each picture is later than the one before, or players drop it.
        tick = round((time_s - self.start_s) / TIME_BASE)
        self._last_tick = max(tick, self._last_tick + 1)
        frame.pts, frame.time_base = self._last_tick, TIME_BASE
        if key:
            frame.pict_type = PictureType.I
        return self._encoded(frame)

    def rest(self) -> "list[Packet[VideoStream]]":
        """The packets that come out at the end; raises as `encode` does."""
        return self._encoded(None) if self._last_tick >= 0 else []

    def close(self) -> None:
        """Releases the encoder, unless it hangs; may be called twice."""
        if not self._hangs:
            self._container.close()

    def _encoded(self, frame: av.VideoFrame | None) -> "list[Packet[VideoStream]]":
        if not self._codec.may_hang:
            return list(self.track.encode(frame))
        try:
            return awaited(lambda: list(self.track.encode(frame)), _HANGS_S)
        except TimeoutError:
            self._hangs = True
            raise OSError(
                f"the encoder of {self._codec.title} hangs, a fault of its own: set recorder.codec "
                "to another"
            ) from None

    def _suits(self, coded: av.VideoFrame) -> bool:
        same_size = (coded.width, coded.height) == self._size_wh
        return same_size and self._colours in (None, Colours.of(coded))

    def _blank(self) -> tuple[av.VideoFrame, Planes]:
        """A frame whose pixels are not set yet, and its planes."""
        frame = av.VideoFrame(*self._size_wh, "yuv420p")
        return frame, Planes.of(frame)

    def _colours_of(self, first: av.VideoFrame | None) -> Colours:
        """The colours of this video: those of its first frame, BT.709 where that was not coded."""
        if self._colours is None:
            self._colours = BT709 if first is None else Colours.of(first)
            context = self.track.codec_context
            context.colorspace, context.color_range = self._colours.matrix, self._colours.range
            context.color_primaries = self._colours.primaries
            context.color_trc = self._colours.transfer
        return self._colours

    def _fitted(self, image: Image) -> Image:
        """The picture at the size of the video: an odd side is lengthened by a pixel."""
        height, width = image.shape[:2]
        wide, high = self._size_wh
        if (width, height) == (wide, high):
            return image
        if wide - width in (0, 1) and high - height in (0, 1):
            border = cv2.BORDER_REPLICATE
            padded = cv2.copyMakeBorder(image, 0, high - height, 0, wide - width, border)
        else:  # the source has changed its size
            padded = cv2.resize(image, (wide, high), interpolation=cv2.INTER_AREA)
        return padded.astype(image.dtype, copy=False)


def _frame_threads(codec: VideoCodec, fps: float) -> int:
    """How many pictures of a file are encoded at the same time."""
    return min(codec.frame_threads, available_cores(), 1 + int(fps / _FRAMES_A_THREAD))


@contextmanager
def _kept_scheduling() -> Iterator[None]:
    """Leaves all threads as the system schedules them.

    SVT-AV1, run by root, makes its threads and the one that opens it real-time ones (`SCHED_FIFO`,
    99), and whatever that starts later inherits it: nothing else of the machine then gets a core.
    """
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        for thread in os.listdir("/proc/self/task"):
            with suppress(OSError):  # it has ended, or is not ours to change
                if os.sched_getscheduler(int(thread)) == os.SCHED_FIFO != policy:
                    os.sched_setscheduler(int(thread), policy, parameters)
