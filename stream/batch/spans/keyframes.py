"""Where a video can be cut: at keyframes, found by its packets, without decoding a picture."""

import math
from bisect import bisect
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from stream.media_tracks import TrackNumber, video_track
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

    1. A container whose clock may start anew on the way cannot be sought in, and what it declares
       of its length is a guess: its packets are read from the first to the last.
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
        stream = video_track(container, str(path), settings.video_track)
        if may_restart(container):
            keys_s, ends_s = _read(container, stream, str(path), settings.sound_track)
            targets_s = _targets_s(ends_s, span_s)
            found_s = [keys_s[max(bisect(keys_s, each) - 1, 0)] for each in targets_s]
        else:
            declared_s = length_s(container) if has_times(container) else None
            ends_s = declared_s or 0.0
            found_s = list(_sought(container, stream, _targets_s(ends_s, span_s)))
    least_s = span_s * _LEAST_SHARE
    chosen_s: list[float] = []
    for time_s in found_s:
        if (chosen_s[-1] if chosen_s else 0.0) + least_s <= time_s <= ends_s - least_s:
            chosen_s.append(time_s)
    return chosen_s


def _targets_s(ends_s: float, span_s: float) -> list[float]:
    """Where a video of that length would be cut into the fewest spans of one length."""
    count = math.ceil(ends_s / span_s)
    return [ends_s * number / count for number in range(1, count)]


def _sought(
    container: InputContainer, stream: VideoStream, targets_s: Sequence[float]
) -> Iterator[float]:
    """The time of the keyframe that a seek for each time lands at."""
    base, start_s = float(stream.time_base or 1), start_time_s(container)
    for target_s in targets_s:
        try:
            container.seek(round((target_s + start_s) / base), stream=stream)
            packets = islice(container.demux(stream), _LOOKED_AT)
            key = next((packet for packet in packets if _is_whole_keyframe(packet)), None)
        except av.error.FFmpegError:
            continue
        if key is not None and key.pts is not None:
            yield key.pts * base - start_s


def _read(
    container: InputContainer, stream: VideoStream, name: str, sound: TrackNumber
) -> tuple[list[float], float]:
    """The times of all keyframes, and the end, by the clock that goes on over seams; as far as the
    container can be read.
    """
    clock, start_s = joint_clock(container, stream, name, sound), start_time_s(container)
    keys_s, ends_s = [0.0], 0.0
    with suppress(av.error.FFmpegError):
        for packet in container.demux():
            if clock is not None:
                clock.retime(packet)
            if packet.stream is stream and packet.pts is not None:
                time_s = float(packet.pts * packet.time_base) - start_s
                ends_s = max(ends_s, time_s)
                if _is_whole_keyframe(packet):
                    keys_s.append(time_s)
    return sorted(keys_s), ends_s


def _is_whole_keyframe(packet: "Packet[VideoStream] | Packet[Stream]") -> bool:
    """Whether a picture that is shown can be decoded of a packet alone."""
    is_whole = packet.size > 0 and not packet.is_corrupt and not packet.is_discard
    return is_whole and packet.is_keyframe and packet.pts is not None
