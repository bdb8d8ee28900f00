"""Where a video can be cut: at keyframes, found by its packets, without decoding a picture."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from stream.errors import SourceError
from stream.media_tracks import video_track
from stream.settings.schema import SourceSection
from stream.sources.media import open_container
from stream.sources.media_clock import (
    has_times,
    joint_clock,
    length_s,
    may_restart,
    start_time_s,
)

_LOOKED_AT = 1000
"""Packets after a seek among which the keyframe is looked for; a container lands at it or a little
before."""

_LEAST_SHARE = 0.25
"""How long a span is at least, as a share of the longest; longer ones leave out more keyframes that
lie unevenly."""


def cuts_s(path: Path, settings: SourceSection, span_s: float) -> list[float]:
    """The media times at which a video is cut into spans of nearly one length.

    1. A container whose clock may start anew on the way cannot be sought in: its packets are read
       from the first to the last.
    2. Any other is sought for each place, and the keyframe read there. What lies behind the data of
       a file that is cut short, or is damaged, is no place.

    Args:
        path: the video.
        settings: which of its tracks is read.
        span_s: the longest that a span should be, s.

    Returns:
        Times of keyframes, in order; none where the video is no longer than a span, where its
        length is not known, or where it has no keyframe but the first.

    Raises:
        SourceError: it cannot be read as a video.
    """
    with open_container(path, settings.max_megapixels) as container:
        ends_s = length_s(container)
        if ends_s is None or ends_s <= span_s or not has_times(container):
            return []
        stream = video_track(container, str(path), settings.video_track)
        count = int(-(-ends_s // span_s))
        targets_s = [ends_s * number / count for number in range(1, count)]
        if may_restart(container):
            found = _read(container, stream, str(path), settings, targets_s)
        else:
            found = _sought(container, stream, targets_s)
        return _apart(found, ends_s, span_s * _LEAST_SHARE)


def _apart(found_s: Iterator[float], ends_s: float, least_s: float) -> list[float]:
    """Those of the times between which there is enough of the video."""
    chosen: list[float] = []
    for time_s in found_s:
        if (chosen[-1] if chosen else 0.0) + least_s <= time_s <= ends_s - least_s:
            chosen.append(time_s)
    return chosen


def _sought(
    container: InputContainer, stream: VideoStream, targets_s: Sequence[float]
) -> Iterator[float]:
    """The time of the keyframe that a seek for each time lands at."""
    base, start_s = float(stream.time_base or 1), start_time_s(container)
    for target_s in targets_s:
        try:
            container.seek(round((target_s + start_s) / base), stream=stream)
            packets = zip(range(_LOOKED_AT), container.demux(stream), strict=False)
            key = next((packet for _, packet in packets if _is_whole_keyframe(packet)), None)
        except av.error.FFmpegError:
            continue
        if key is not None and key.pts is not None:
            yield key.pts * base - start_s


def _read(
    container: InputContainer,
    stream: VideoStream,
    name: str,
    settings: SourceSection,
    targets_s: Sequence[float],
) -> Iterator[float]:
    """The time of the first keyframe from each time on, by the clock that goes on over seams."""
    clock = joint_clock(container, stream, name, settings.sound_track)
    waiting, start_s = [*targets_s], start_time_s(container)
    try:
        for packet in container.demux():
            if clock is not None:
                clock.retime(packet)
            if packet.stream is not stream or not _is_whole_keyframe(packet):
                continue
            time_s = float((packet.pts or 0) * packet.time_base) - start_s
            if waiting and time_s >= waiting[0]:
                while waiting and time_s >= waiting[0]:
                    waiting.pop(0)
                yield time_s
            if not waiting:
                return
    except av.error.FFmpegError as error:
        raise SourceError(f"{name} cannot be read any further: {error.strerror}") from None


def _is_whole_keyframe(packet: "Packet[VideoStream] | Packet[Stream]") -> bool:
    """Whether a picture that is shown can be decoded of a packet alone."""
    is_whole = packet.size > 0 and not packet.is_corrupt and not packet.is_discard
    return is_whole and packet.is_keyframe and packet.pts is not None
