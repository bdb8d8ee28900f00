"""The pictures of a container, decoded one by one, past what is damaged among them."""

import threading
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import Any, cast

import av
import numpy as np
from av.codec.context import Flags
from av.container import InputContainer
from av.packet import Packet
from av.sidedata.sidedata import SideDataContainer, Type
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from models.faces import Image
from stream.coded import is_planar
from stream.errors import SourceError
from stream.frames import Frame
from stream.stopwatch import stage

_MAX_PLAUSIBLE_FPS = 1000  # above, it is the tick of a clock
_MAX_DAMAGED = 100  # reads in a row that bring nothing: there is nothing to come


class Decoder:
    """Decodes the first video track of a container.

    Args:
        container: open; whoever opened it closes it.
        name: how it is called in what is said.
        live: no frame is held back for the sake of speed.

    Attributes:
        stream: the track.
        damaged: how many packets could not be decoded.

    Raises:
        SourceError: it has no pictures, or none that can be decoded.
    """

    def __init__(self, container: InputContainer, name: str, *, live: bool = False) -> None:
        self._container = container
        self._name = name
        self.stream = _video_track(container, name)
        # With a thread a frame, each comes out as many frames late as there are threads.
        self.stream.thread_type = "SLICE" if live else "AUTO"
        if live:
            self.stream.codec_context.flags |= Flags.low_delay
        self.damaged = 0
        self._reformatter = VideoReformatter()  # one for all: each has threads of its own
        self._converting = threading.Lock()  # it serves one caller at a time
        self._matrix: bytes | None = None
        self._matrix_known = False

    @property
    def fps(self) -> float | None:
        """Frames a second, None if the container does not know."""
        rate = self.stream.average_rate or self.stream.guessed_rate
        return float(rate) if rate and rate <= _MAX_PLAUSIBLE_FPS else None

    def frames(self) -> Iterator[VideoFrame]:
        """From where the container stands to its end.

        Raises:
            FFmpegError: the container cannot be read any further; what was read is given out first.
        """
        try:
            for packet in self._packets():
                yield from self._decoded(packet)
        except av.error.FFmpegError:
            yield from self._decoded(self._flush())
            raise

    @stage("decode")
    def _decoded(self, packet: "Packet[VideoStream]") -> list[VideoFrame]:
        """The pictures that come out of the decoder once it has that packet."""
        try:
            return packet.decode()
        except av.error.EOFError:
            return []
        except av.error.FFmpegError:
            self.damaged += 1  # the decoder finds its way again by itself
            return []

    def _flush(self) -> "Packet[VideoStream]":
        """Asks the decoder for the pictures that its threads hold back."""
        packet = cast("Packet[VideoStream]", Packet())
        packet.stream = self.stream
        packet.time_base = self.stream.time_base or Fraction(0)  # else they would have no time
        return packet

    def frame(self, decoded: VideoFrame, index: int, time_s: float, captured_s: float) -> Frame:
        """A picture as it is to be shown: with square pixels, turned and mirrored.

        One that may be recorded just as it was coded is converted when somebody asks for its
        pixels, and by them.

        Raises:
            SourceError: it cannot be converted.
        """
        if self._is_shown_as_coded(decoded):
            # The container may be closed by then: nothing of it must be needed.
            convert = partial(self._converted, decoded, decoded.width)
            return Frame(convert, index, time_s, captured_s, coded=decoded)
        return Frame(self.picture(decoded), index, time_s, captured_s)

    def picture(self, decoded: VideoFrame) -> Image:
        """The same in BGR, at once.

        Raises:
            SourceError: it cannot be converted.
        """
        width = max(round(decoded.width * (self.stream.sample_aspect_ratio or 1)), 1)
        return _upright(self._converted(decoded, width), self._display_matrix(decoded))

    @stage("convert")
    def _converted(self, decoded: VideoFrame, width: int) -> Image:
        try:
            with self._converting:
                plain = self._reformatter.reformat(decoded, width, decoded.height, "bgr24")
        except av.error.FFmpegError as error:
            raise SourceError(f"{self._name}: a picture is damaged: {error.strerror}") from error
        return np.ascontiguousarray(plain.to_ndarray(), dtype=np.uint8)

    def _is_shown_as_coded(self, frame: VideoFrame) -> bool:
        """Whether it is what is shown already, but for being 8 bits, 4:2:0."""
        square = (self.stream.sample_aspect_ratio or 1) == 1
        return square and self._display_matrix(frame) is None and is_planar(frame)

    def _display_matrix(self, frame: VideoFrame) -> bytes | None:
        """How the pictures are turned and mirrored; None where they are not."""
        if not self._matrix_known:  # asking each frame would keep it from being freed
            self._matrix, self._matrix_known = _display_matrix(frame), True
        return self._matrix

    def _packets(self) -> "Iterator[Packet[VideoStream]]":
        in_a_row = 0
        while True:
            try:
                for packet in self._container.demux(self.stream):
                    in_a_row = 0
                    yield packet
            except av.error.InvalidDataError:
                self.damaged += 1
                in_a_row += 1
                if in_a_row == _MAX_DAMAGED:
                    raise
            else:
                return


def _video_track(container: InputContainer, name: str) -> VideoStream:
    """The first track that is not a cover; whatever else there is, is not read."""
    tracks = [
        track
        for track in container.streams.video
        if not Disposition.attached_pic & track.disposition
    ]
    if not tracks:
        raise SourceError(f"{name} has no pictures in it, only sound or data")
    if tracks[0].codec_context is None:
        raise SourceError(f"{name} is in a format that cannot be decoded here")
    for other in container.streams:
        if other is not tracks[0]:
            other.discard = Discard.all
    return tracks[0]


def _upright(image: NDArray[Any], matrix: bytes | None) -> Image:
    """A picture turned and mirrored as its display matrix says."""
    if matrix is not None:
        # It takes (x, y) of the stored picture to (a x + c y, b x + d y) of the one shown.
        a, b, _, c, d = np.frombuffer(matrix, dtype=np.int32)[:5]
        turned = abs(int(b)) > abs(int(a))
        if turned:
            image = image.transpose(1, 0, 2)
        right, down = (c, b) if turned else (a, d)
        image = image[:: -1 if down < 0 else 1, :: -1 if right < 0 else 1]
    return np.ascontiguousarray(image, dtype=np.uint8)


def _display_matrix(frame: VideoFrame) -> bytes | None:
    side_data = cast(SideDataContainer, frame.side_data)  # its stub knows motion vectors only
    try:
        return bytes(side_data[Type.DISPLAYMATRIX])
    except KeyError:
        return None
