"""A video in one file: pictures are encoded and written to it, from its beginning to its end."""

from pathlib import Path
from typing import Self

import av
from av.packet import Packet
from av.video.stream import VideoStream

from models.faces import Image
from stream.drawing.canvas import Canvas
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.settings.schema import RecorderSection
from stream.sinks.segments import WHOLE, Placement
from stream.sinks.video.codecs import CONTAINERS, codec_for
from stream.sinks.video.encoder import Encoder
from stream.sinks.video.muxed_file import MuxedFile
from stream.stopwatch import stage


class VideoFile:
    """One video file.

    The times of a recorded source are kept, so that its sound stays beside the pictures; those of a
    live one are counted from its first picture.

    Args:
        path: ends in one of `CONTAINERS`.
        info: the source: its name, rate, start and sound.
        settings: codec, quality and speed.

    Attributes:
        complete: whoever writes has given it everything; of no meaning here.

    Raises:
        ConfigError: that file cannot hold the codec, or this FFmpeg lacks it.
        SinkError: the file cannot be made.
    """

    def __init__(self, path: Path, info: SourceInfo, settings: RecorderSection) -> None:
        self.complete = False
        self._codec, kind = codec_for(path, settings.codec), CONTAINERS[path.suffix.lower()]
        self._file = MuxedFile(path, kind, info, sound=settings.sound)
        try:
            self._encoder = Encoder(
                self._codec, kind, info, settings, may_hold_back=not info.is_live
            )
        except (av.error.FFmpegError, ValueError) as error:
            self._file.close()
            raise SinkError(f"{path} cannot be made: {error}") from error

    def __repr__(self) -> str:
        return f"VideoFile({self._file!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            try:
                self._file.close()
            finally:
                self._encoder.close()

    @stage("encode")
    def add(self, image: Image, time_s: float) -> None:
        """Adds a picture, at its time in the source, and the sound up to it.

        Raises:
            OSError, FFmpegError: it cannot be written.
        """
        self._write(self._encoder.encode(self._encoder.converted(image), time_s))

    @stage("encode")
    def add_drawn(
        self,
        canvas: Canvas,
        coded: av.VideoFrame | None,
        time_s: float,
        place: Placement = WHOLE,
    ) -> None:
        """Adds a picture that was drawn on.

        Args:
            canvas: the picture.
            coded: the same picture before it was drawn on, as `Frame.coded`.
            time_s: its time in the source.
            place: its segment; of no meaning here, where all of a run is one.

        Raises:
            OSError, FFmpegError: it cannot be written.
        """
        self._write(self._encoder.encode(self._encoder.drawn(canvas, coded), time_s))

    @stage("encode")
    def add_decoded(self, frame: av.VideoFrame, time_s: float) -> None:
        """Adds a picture as a decoder gave it.

        Raises:
            OSError, FFmpegError: it cannot be written.
        """
        self._write(self._encoder.encode(self._encoder.decoded(frame), time_s))

    def _write(self, packets: "list[Packet[VideoStream]]") -> None:
        if not self._file.has_begun:
            self._file.begin(self._encoder.track, self._codec, self._encoder.start_s or 0.0, 0)
        for packet in packets:
            self._file.add(packet)

    @stage("encode")
    def _finish(self) -> None:
        for packet in self._encoder.rest():
            self._file.add(packet)
        self._file.finish()
