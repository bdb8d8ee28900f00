"""How many pixels a frame of a video may have: FFmpeg allocates no more."""

from collections.abc import Mapping

import av
from av.packet import Packet
from av.video.stream import VideoStream

from models.pictures.size import PictureTooLargeError, check_picture_size, check_size_wh
from stream.errors import SourceError

_PICTURE_CODECS = frozenset({"bmp", "jpeg2000", "mjpeg", "pgm", "png", "ppm", "tiff", "webp"})
"""FFmpeg's decoders of which each packet is a whole picture file."""

FILE_PROTOCOL = "file:"
"""FFmpeg's protocol of files; a plain path would let it take "http:..." in a name for another."""

_HEAD_BYTES = 1 << 16
"""Bytes of a packet that are searched for the size."""


def pixel_options(max_megapixels: int) -> Mapping[str, str]:
    """FFmpeg's option by which neither detection nor decoding makes a larger frame."""
    return {"max_pixels": str(max_megapixels * 1_000_000)}


def limit_pixels(stream: VideoStream, name: str, max_megapixels: int) -> None:
    """Makes a track's decoder refuse larger frames.

    Where FFmpeg refused them already when it opened the container, it forgot their size.

    Raises:
        SourceError: the track states that its frames are larger.
    """
    context = stream.codec_context
    context.options = {**context.options, **pixel_options(max_megapixels)}
    size_wh = context.width, context.height
    if 0 in size_wh and context.name not in _PICTURE_CODECS:
        size_wh = _stated_size_wh(stream)
    try:
        check_size_wh(size_wh, max_megapixels)
    except PictureTooLargeError as error:
        raise SourceError(f"{name} {error}") from None


def check_packet(packet: "Packet[VideoStream]", name: str, max_megapixels: int) -> None:
    """Checks a packet of pictures in a row, of which each states its size: FFmpeg would only say
    that it is damaged.

    Raises:
        SourceError: it holds a picture that is too large.
    """
    if packet.stream.codec_context.name in _PICTURE_CODECS and packet.size:
        try:
            check_picture_size(bytes(memoryview(packet)[:_HEAD_BYTES]), max_megapixels)
        except PictureTooLargeError as error:
            raise SourceError(f"{name} {error}") from None


def _stated_size_wh(stream: VideoStream) -> tuple[int, int]:
    """The size that a track of a file states, of which nothing is decoded; else 0 × 0."""
    if not stream.container.name.startswith(FILE_PROTOCOL):
        return 0, 0
    try:
        with av.open(stream.container.name, "r", options={"skip_frame": "all"}) as container:
            context = container.streams[stream.index].codec_context
            if isinstance(context, av.VideoCodecContext):
                return context.width, context.height
    except (av.error.FFmpegError, OSError):
        pass
    return 0, 0
