"""A video file being written: encoded pictures, and the sound of the source beside them.

It consists of short fragments, so that it plays whenever the program is killed; closing it turns it
into an ordinary file.
"""

import logging
import math
import os
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Self, cast

import av
import cv2
from av.video.frame import PictureType

from models.faces import Image
from stream.coded import BT709, Colours
from stream.drawing.canvas import Canvas
from stream.drawing.marks import Box
from stream.drawing.planes import Planes
from stream.errors import SinkError, SourceError
from stream.frames import SourceInfo
from stream.settings.schema import RecorderSection
from stream.sinks.video.codecs import CONTAINERS, ContainerFormat, VideoCodec, codec_for
from stream.sinks.video.held_file import HeldFile
from stream.sinks.video.sound import Sound
from stream.stopwatch import stage

_TIME_BASE = Fraction(1, 90_000)
"""Tick of the timestamps, s: the usual one of video, fine enough for any frame rate."""

_COMMENT = "Made by face-stream. Labels are of perceived appearance."
"""What the comment of a file says."""

BEGINS_AT = "In its source it begins at"
"""Words of the comment before the time of the first picture, which logs count from 0."""

_log = logging.getLogger(__name__)


class VideoFile:
    """One video file.

    The times of a recorded source are kept, so that its sound stays beside the pictures; those of a
    live one are counted from its first picture.

    Args:
        path: ends in one of `CONTAINERS`.
        info: the source: its name, rate, start and sound.
        settings: codec, quality and speed.

    Raises:
        ConfigError: that file cannot hold the codec, or this FFmpeg lacks it.
        SinkError: the file cannot be made.
    """

    def __init__(self, path: Path, info: SourceInfo, settings: RecorderSection) -> None:
        codec, kind = codec_for(path, settings.codec), CONTAINERS[path.suffix.lower()]
        self._fps, self._ended = info.nominal_fps, info.ended
        width, height = info.size_wh
        self._size_wh = width + width % 2, height + height % 2  # 4:2:0 needs even sides
        try:
            self._file = HeldFile(path)
            self._container = av.open(self._file, "w", format=kind.format, options=kind.options)
        except (av.error.FFmpegError, OSError) as error:
            raise SinkError(f"{path} cannot be made: {error.strerror}") from error
        self._container.metadata.update(_metadata(info))
        self._sound: Sound | None = None
        self._header_bytes: int | None = None  # not known before the first picture
        try:
            self._video = self._add_video(codec, settings)
            if settings.sound and info.has_audio:
                self._sound = self._add_sound(info, kind)
        except (av.error.FFmpegError, ValueError) as error:
            self._close()
            raise SinkError(f"{path} cannot be made: {error}") from error
        self._colours: Colours | None = None  # known with the first frame
        self._start_s = None if info.is_live else info.start_s
        self._last_tick = -1
        self._end_s = 0.0

    def __repr__(self) -> str:
        return f"VideoFile({self._container.name}, {self._end_s:.2f} s)"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._close()

    @stage("encode")
    def add(self, image: Image, time_s: float) -> None:
        """Adds a picture, at its time in the source, and the sound up to it.

        Raises:
            OSError, FFmpegError: it cannot be written.
        """
        self._encode(self._converted(image), time_s)

    @stage("encode")
    def add_drawn(self, canvas: Canvas, coded: av.VideoFrame | None, time_s: float) -> None:
        """Adds a picture that was drawn on; its other parts stay as they were coded, to the bit.

        1. A coded picture of the video's size and colours is copied, and drawn on.
        2. Any other is converted as a whole.

        Args:
            canvas: the picture.
            coded: the same picture before it was drawn on, as `Frame.coded`.
            time_s: its time in the source.

        Raises:
            OSError, FFmpegError: it cannot be written.
        """
        if coded is not None and self._suits(coded):
            frame, planes = self._blank()
            planes.copy_from(Planes.of(coded))
            canvas.draw_on(planes, self._colours_of(coded))
        else:
            frame = self._converted(canvas.picture)
        self._encode(frame, time_s)

    @stage("encode")
    def add_decoded(self, frame: av.VideoFrame, time_s: float) -> None:
        """Adds a picture as a decoder gave it.

        Raises:
            OSError, FFmpegError: it cannot be written.
        """
        self._colours_of(frame)
        frame.pict_type = PictureType.NONE  # else the encoder repeats the source's
        self._encode(frame, time_s)

    def _suits(self, coded: av.VideoFrame) -> bool:
        same_size = (coded.width, coded.height) == self._size_wh
        return same_size and self._colours in (None, Colours.of(coded))

    def _converted(self, image: Image) -> av.VideoFrame:
        """A picture converted to a frame of this video."""
        frame, planes = self._blank()
        planes.write_region(self._fitted(image), Box(0, 0, *self._size_wh), self._colours_of(None))
        return frame

    def _blank(self) -> tuple[av.VideoFrame, Planes]:
        """A frame whose pixels are not set yet, and its planes."""
        frame = av.VideoFrame(*self._size_wh, "yuv420p")
        return frame, Planes.of(frame)

    def _colours_of(self, first: av.VideoFrame | None) -> Colours:
        """The colours of this video: those of its first frame, BT.709 where that was not coded."""
        if self._colours is None:
            self._colours = BT709 if first is None else Colours.of(first)
            context = self._video.codec_context
            context.colorspace, context.color_range = self._colours.matrix, self._colours.range
            context.color_primaries = self._colours.primaries
            context.color_trc = self._colours.transfer
        return self._colours

    def _encode(self, frame: av.VideoFrame, time_s: float) -> None:
        if self._start_s is None:
            self._start_s = time_s
        time_s -= self._start_s
        # Each picture is later than the one before, or players drop it.
        self._last_tick = max(round(time_s / _TIME_BASE), self._last_tick + 1)
        frame.pts, frame.time_base = self._last_tick, _TIME_BASE
        if self._header_bytes is None:
            self._container.metadata["comment"] = f"{_COMMENT} {BEGINS_AT} {self._start_s:.6f} s."
            self._container.start_encoding()
            self._header_bytes = self._file.held_bytes
        self._container.mux(self._video.encode(frame))
        self._end_s = time_s + 1 / self._fps
        if self._sound is not None:  # to its end: a muxer keeps a picture until later sound comes
            self._sound.copy_until(self._end_s)
        if self._file.held_bytes > self._header_bytes:  # the first fragment is whole
            self._file.release()

    def _close(self) -> None:
        """Closes everything; a file shorter than a fragment reaches the disk only now."""
        if self._sound is not None:
            self._sound.close()
        try:
            self._container.close()
            if self._header_bytes is not None:
                self._file.release()
        finally:
            self._file.close()

    @stage("encode")
    def _finish(self) -> None:
        self._container.mux(self._video.encode(None))
        if self._sound is not None:
            self._sound.copy_until(math.inf if self._ended.is_set() else self._end_s)

    def _add_video(self, codec: VideoCodec, settings: RecorderSection) -> av.VideoStream:
        rate = Fraction(self._fps).limit_denominator(1001)
        options = codec.settings(settings.quality, settings.preset)
        os.environ.setdefault("SVT_LOG", "0")  # the encoder of AV1 is talkative
        stream = cast(
            av.VideoStream, self._container.add_stream(codec.encoder, rate=rate, options=options)
        )
        stream.width, stream.height = self._size_wh
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = stream.time_base = _TIME_BASE
        context.max_b_frames = 0  # reordered pictures begin late in a file of fragments
        context.gop_size = max(round(self._fps), 1)  # a keyframe a second: a kill costs no more
        if codec.tag is not None:
            context.codec_tag = codec.tag
        return stream

    def _add_sound(self, info: SourceInfo, kind: ContainerFormat) -> Sound | None:
        try:
            return Sound(info, self._container, kind.sound)
        except (SourceError, av.error.FFmpegError, ValueError) as error:
            _log.warning("recorded without sound: %s", error)
            return None

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


def _metadata(info: SourceInfo) -> dict[str, str]:
    """Title and date of the file; its comment follows with the first picture."""
    return {
        "title": f"{info.name}, annotated",
        "creation_time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
