"""A video file being written: pictures in H.264 and, beside them, a copy of the source's sound.

It is written as fragments, a keyframe a second, so that it plays whenever the program is killed;
closing it turns it into an ordinary file.
"""

import logging
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
from av.video.reformatter import ColorRange, Colorspace

from models.faces import Image
from stream.config import RecorderSection
from stream.errors import SinkError, SourceError
from stream.frames import SourceInfo
from stream.sinks.sound import Sound

CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""The endings understood, and FFmpeg's names for them."""

_CLOCK = Fraction(1, 90_000)  # s: the usual tick of video, fine enough for any frame rate
_DEFAULT_FPS = 25.0
_FLUSHED = {"flush_packets": "1"}  # else a quiet scene stays in memory for many seconds
_FRAGMENTS = {"movflags": "hybrid_fragmented+frag_keyframe+default_base_moof+delay_moov"}
_BT709 = 1  # the code of its primaries and transfer function in ITU-T H.273

_log = logging.getLogger(__name__)


class Film:
    """One video file.

    Args:
        path: where; the ending is one of `CONTAINERS`.
        info: the source: its rate, where its time begins, and its sound if it has any.
        settings: quality and speed.

    Raises:
        SinkError: the file cannot be made.
    """

    def __init__(self, path: Path, info: SourceInfo, settings: RecorderSection) -> None:
        self._fps = info.fps or _DEFAULT_FPS
        self._start_s = info.start_s
        self._size_wh = tuple(side + side % 2 for side in info.size_wh)  # 4:2:0 wants even sides
        name = CONTAINERS[path.suffix.lower()]
        options = _FLUSHED if name == "matroska" else _FLUSHED | _FRAGMENTS
        try:
            path.open("wb").close()  # FFmpeg would not open it before the first picture
            self._container = av.open(f"file:{path}", "w", format=name, options=options)
        except (av.error.FFmpegError, OSError) as error:
            raise SinkError(f"{path} cannot be made: {error.strerror}") from error
        self._sound: Sound | None = None
        try:
            self._video = self._add_video(settings)
            if settings.sound and info.has_audio:
                self._sound = self._add_sound(info)
        except (av.error.FFmpegError, ValueError) as error:
            self._close()
            path.unlink(missing_ok=True)
            raise SinkError(f"{path} cannot be made: {error}") from error
        self._last_tick = -1
        self._end_s = 0.0

    def __repr__(self) -> str:
        return f"Film({self._container.name}, {self._end_s:.2f} s)"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._close()

    def add(self, image: Image, time_s: float) -> None:
        """The next picture, at its time in the source, and the sound up to it.

        Raises:
            OSError, FFmpegError: it cannot be written.
        """
        time_s -= self._start_s
        frame = av.VideoFrame.from_ndarray(self._fitted(image), format="bgr24")
        frame = frame.reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        # Players drop a picture that is not later than the one before.
        self._last_tick = max(round(time_s / _CLOCK), self._last_tick + 1)
        frame.pts, frame.time_base = self._last_tick, _CLOCK
        self._container.mux(self._video.encode(frame))
        if self._sound is not None:
            self._sound.copy_until(time_s)
        self._end_s = time_s + 1 / self._fps

    def _close(self) -> None:
        if self._sound is not None:
            self._sound.close()
        self._container.close()

    def _finish(self) -> None:
        self._container.mux(self._video.encode(None))
        if self._sound is not None:
            self._sound.copy_until(self._end_s)

    def _add_video(self, settings: RecorderSection) -> av.VideoStream:
        rate = Fraction(self._fps).limit_denominator(1001)
        options = {"crf": str(settings.quality), "preset": settings.preset}
        stream = self._container.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height = self._size_wh
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = stream.time_base = _CLOCK
        context.max_b_frames = 0  # reordered pictures would begin late in a file of fragments
        context.gop_size = max(round(self._fps), 1)  # a keyframe a second: what a kill can cost
        context.colorspace = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        context.color_primaries = context.color_trc = _BT709
        return stream

    def _add_sound(self, info: SourceInfo) -> Sound | None:
        if info.reopen is None:
            _log.warning("recorded without sound: %s can be read only once", info.uri)
            return None
        try:
            return Sound(info.reopen, self._container, info.start_s)
        except SourceError as error:
            _log.warning("recorded without sound: %s", error)
            return None

    def _fitted(self, image: Image) -> Image:
        """The picture at the size the video has: an odd side is lengthened by a pixel."""
        height, width = image.shape[:2]
        wide, high = self._size_wh
        if (width, height) == (wide, high):
            return image
        if wide - width in (0, 1) and high - height in (0, 1):
            border = cv2.BORDER_REPLICATE
            padded = cv2.copyMakeBorder(image, 0, high - height, 0, wide - width, border)
        else:  # the source changed its size on the way
            padded = cv2.resize(image, (wide, high), interpolation=cv2.INTER_AREA)
        return padded.astype(image.dtype, copy=False)
