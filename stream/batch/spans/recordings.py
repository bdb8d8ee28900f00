"""The recordings of spans joined into one: their packets copied, the sound of the source once."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from stream.errors import SinkError, SourceError
from stream.frames import SourceInfo
from stream.settings.schema import RecorderSection
from stream.sinks.video.codecs import CONTAINERS, codec_for
from stream.sinks.video.encoder import TIME_BASE
from stream.sinks.video.muxed_file import MuxedFile
from stream.sinks.video.video_file import VideoFile
from stream.sources.media import open_container

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PartRecording:
    """The recording of a span.

    Attributes:
        path: the file.
        first_s: media time of its first picture.
    """

    path: Path
    first_s: float


def join_recordings(
    parts: Sequence[PartRecording], target: Path, info: SourceInfo, settings: RecorderSection
) -> None:
    """Writes the recordings of spans as one.

    1. They have the same parameters: their packets are copied.
    2. They have not, as where the pictures change their size or their colours on the way: all are
       encoded anew, as one recording has only one set, and a warning says so.

    Args:
        parts: in their order.
        target: the file, with the name that it has while it grows.
        info: the source, whose sound is copied.
        settings: how it is recorded.

    Raises:
        SinkError: it cannot be written.
        SourceError: a part cannot be read.
    """
    try:
        if len({_parameters(part) for part in parts}) == 1:
            _copy(parts, target, info, settings)
            return
        _log.warning(
            "%s: the spans of the video are coded in different ways: its recording is encoded anew",
            info.name,
        )
        _encode(parts, target, info, settings)
    except (av.error.FFmpegError, OSError) as error:
        raise SinkError(f"{target} cannot be written: {error.strerror or error}") from error


def _parameters(part: PartRecording) -> tuple[object, ...]:
    """What a decoder must know before the first packet."""
    with open_container(part.path) as container:
        context = _pictures(container, part).codec_context
        return context.name, context.width, context.height, context.extradata


def _copy(
    parts: Sequence[PartRecording], target: Path, info: SourceInfo, settings: RecorderSection
) -> None:
    """Copies the packets of all parts, each at its time in the source."""
    kind = CONTAINERS[target.suffix.lower()]
    codec = codec_for(target, settings.codec)
    file = MuxedFile(target, kind, info, sound=settings.sound)
    last_tick = -1
    try:
        for part in parts:
            with open_container(part.path) as container:
                track = _pictures(container, part)
                if not file.has_begun:
                    file.begin(track, codec, info.start_s, 0)
                shift_s: float | None = None
                for packet in container.demux(track):
                    if packet.pts is None:
                        continue
                    time_s = float(packet.pts * packet.time_base)
                    if shift_s is None:
                        shift_s = part.first_s - time_s
                    # Each is later than the one before, as in a recording that is not joined.
                    last_tick = max(round((time_s + shift_s) / TIME_BASE), last_tick + 1)
                    duration = round((packet.duration or 0) * packet.time_base / TIME_BASE)
                    packet.pts = packet.dts = last_tick
                    packet.duration, packet.time_base = duration, TIME_BASE
                    file.add(packet)
        file.finish()
    finally:
        file.close()


def _encode(
    parts: Sequence[PartRecording], target: Path, info: SourceInfo, settings: RecorderSection
) -> None:
    """Decodes all parts and encodes them as one."""
    with VideoFile(target, info, settings) as video:
        for part in parts:
            with open_container(part.path) as container:
                track = _pictures(container, part)
                shift_s: float | None = None
                for frame in container.decode(track):
                    time_s = frame.time or 0.0
                    if shift_s is None:
                        shift_s = part.first_s - time_s
                    picture = frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
                    video.add(picture, time_s + shift_s)


def _pictures(container: InputContainer, part: PartRecording) -> VideoStream:
    if not container.streams.video:
        raise SourceError(f"{part.path} has no pictures: it was changed meanwhile")
    return container.streams.video[0]
