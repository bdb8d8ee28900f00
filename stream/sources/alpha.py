"""The decoder of a track, with the alpha of its pictures."""

import logging
from typing import Literal, cast

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Decoders that read alpha, by the name of FFmpeg's own, which leave it out but get over damage."""

_ALPHA: Literal["matroska_block_additional"] = "matroska_block_additional"
"""PyAV's name of what a packet of WebM has beside its picture: a second one, its alpha."""

_log = logging.getLogger(__name__)


def decoder_of(track: VideoStream, first: "Packet[VideoStream]", name: str) -> VideoCodecContext:
    """What decodes a track.

    Args:
        track: of an open container.
        first: its first packet.
        name: of the source, as messages print it.
    """
    own = track.codec_context
    if own.name not in _DECODERS or not first.has_sidedata(_ALPHA):
        return own
    try:
        decoder = cast(VideoCodecContext, av.CodecContext.create(_DECODERS[own.name], "r"))
    except av.codec.codec.UnknownCodecError:
        _log.warning("%s: this FFmpeg does not read what is transparent: all of it is shown", name)
        return own
    decoder.extradata = own.extradata
    decoder.options = own.options
    decoder.thread_type, decoder.thread_count = own.thread_type, own.thread_count
    return decoder
