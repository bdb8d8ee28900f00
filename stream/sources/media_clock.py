"""Media time: one clock for all tracks of a container, also where recordings were joined."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from av.container import InputContainer
from av.format import Flags
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from stream.errors import SourceError
from stream.media_tracks import TrackNumber, sound_track

_TICKS_PER_S = 1_000_000
"""Ticks a second of FFmpeg's clock for containers (`AV_TIME_BASE`)."""

_INDEXED_FORMATS = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "avi"})
"""FFmpeg's names of formats whose times follow from an index, so that they cannot go back."""

_COUNTED_FROM_NOUGHT = frozenset({"matroska,webm", "flv"})
"""FFmpeg's names of formats whose duration counts from time 0, not from their first packet."""

_MIN_SETBACK_S = 0.1
"""How far back a track must go for its clock to count as started anew, s; less is jitter."""

_MAX_GAP_S = 10.0
"""Longest gap in a format whose clock may start anew, s; a longer one is another clock. That of
ffmpeg's option `dts_delta_threshold`."""

_MAX_LAG_S = 0.5
"""How long after its last packet a track may go on by the clock before a seam, s: tracks are
interleaved, and reach the seam one after the other."""

_MAX_OVERHANG_S = 0.1
"""By how much sound may outlast the pictures at a seam, s, and be overlapped by the sound that
follows; more leaves a gap between the pictures instead."""

_MIN_JUMP_S = 1.0
"""How far back the stated time of a frame must lie for the clock to count as started anew, s, where
packets did not show it."""


class MediaClock:
    """Counts the frames of a track only forwards, whatever times they state.

    Args:
        start_s: when the container's own clock starts.
        step_s: from one frame to the next, where the container states no time.
    """

    def __init__(self, start_s: float, step_s: float) -> None:
        self._start_s = start_s
        self._step_s = step_s
        self._last_s: float | None = None

    def __repr__(self) -> str:
        return f"MediaClock({self._last_s})"

    def time_s(self, stated_s: float | None) -> float:
        """The time of the next frame, given the time that the container states.

        1. No time is stated: one step after the last frame.
        2. The first frame is not before the start.
        3. The stated time lies far back: the clock was started anew, and counts on from here.
        4. It is not after the last frame: half a step after that, so that the clock catches up.
        5. Otherwise it is the stated time.
        """
        next_s = 0.0 if self._last_s is None else self._last_s + self._step_s
        time_s = next_s if stated_s is None else stated_s - self._start_s
        if self._last_s is None:
            time_s = max(time_s, 0.0)
        elif time_s <= self._last_s - _MIN_JUMP_S:
            self._start_s += time_s - next_s
            time_s = next_s
        elif time_s <= self._last_s:
            time_s = self._last_s + self._step_s / 2
        self._last_s = time_s
        return time_s


@dataclass(slots=True)
class _TrackTime:
    """How far a track has come.

    Attributes:
        part: number of the part that it is in.
        shift_s: from the times that the container states in that part to those that go on.
        last_s: the last stated time of decoding; None before the first.
        end_s: the end of all its packets, in times that go on; None before the first.
    """

    part: int = 0
    shift_s: float = 0.0
    last_s: float | None = None
    end_s: float | None = None

    def delay_s(self, lasts_s: float) -> float:
        """From when a packet of that length is decoded to when it is shown, at the most."""
        if self.last_s is None or self.end_s is None:
            return 0.0
        return max(self.end_s - self.shift_s - self.last_s - lasts_s, 0.0)


class JointClock:
    """Makes the times of all tracks go on over the seams of a container, with one shift for all, so
    that sound and pictures stay in step as they were recorded.

    A seam is where a track goes back, or far ahead in a format whose clock may start anew. The
    track that comes to it first sets the shift, so that nothing of the pictures is overlapped; the
    other tracks follow when they come to it. All packets are given in the order of the container,
    so that two readers of the same file come to the same times.

    Args:
        container: says whether its clock may start anew.
        tracks: those that are read, the pictures first.
    """

    def __init__(self, container: InputContainer, tracks: Sequence[Stream]) -> None:
        self._restarts = may_restart(container)
        self._tracks = {track.index: _TrackTime() for track in tracks}
        self._pictures = self._tracks[tracks[0].index]
        self._part = 0
        self._shift_s = 0.0

    def __repr__(self) -> str:
        return f"JointClock({self._part + 1} parts, {self._shift_s:+.3f} s)"

    @property
    def has_seams(self) -> bool:
        """Whether there was a seam."""
        return self._part > 0

    def retime(self, packet: "Packet[Stream]") -> None:
        """Shifts the times of the next packet of a track."""
        track = self._tracks.get(packet.stream.index)
        base = packet.time_base
        ticks = packet.dts if packet.pts is None else packet.pts
        if track is None or ticks is None or not base:
            return
        shown_s, lasts_s = float(ticks * base), float((packet.duration or 0) * base)
        if packet.dts is not None:  # only these never go back within a recording
            decoded_s = float(packet.dts * base)
            # Within a group of pictures the next one to be decoded may be shown later than others.
            is_first = packet.is_keyframe or track.last_s is None
            begins_s = shown_s if is_first else decoded_s + track.delay_s(lasts_s)
            self._follow(track, decoded_s, begins_s)
            track.last_s = decoded_s
        end_s = shown_s + lasts_s + track.shift_s
        track.end_s = end_s if track.end_s is None else max(track.end_s, end_s)
        shift = round(track.shift_s / base)
        if shift:
            packet.pts = None if packet.pts is None else packet.pts + shift
            packet.dts = None if packet.dts is None else packet.dts + shift

    def _follow(self, track: _TrackTime, decoded_s: float, begins_s: float) -> None:
        """Says by which shift a track goes on.

        1. It has not begun: by the present one.
        2. It is in the present part, or still in one before, and goes on there: by that.
        3. It is in a part before, and the present shift fits: it follows into the present part.
        4. Otherwise it comes to a seam, and begins a new part.
        """
        if track.last_s is None or track.end_s is None:
            track.part, track.shift_s = self._part, self._shift_s
            return
        is_present = track.part == self._part
        if decoded_s >= track.last_s - _MIN_SETBACK_S:
            furthest_s = self._end_s - track.shift_s if is_present else track.last_s
            limit_s = furthest_s + (_MAX_GAP_S if is_present else _MAX_LAG_S)
            if decoded_s <= limit_s or (is_present and not self._restarts):
                return
        followed_s = begins_s + self._shift_s
        fits = track.end_s - _MAX_LAG_S <= followed_s <= self._end_s + _MAX_GAP_S
        if is_present or not fits:
            is_overlap = track is self._pictures and self._end_s - track.end_s <= _MAX_OVERHANG_S
            self._part += 1
            self._shift_s = (track.end_s if is_overlap else self._end_s) - begins_s
        track.part, track.shift_s = self._part, self._shift_s

    @property
    def _end_s(self) -> float:
        """The end of all tracks."""
        return max(each.end_s for each in self._tracks.values() if each.end_s is not None)


def joint_clock(
    container: InputContainer, video: VideoStream, name: str, sound: TrackNumber = "auto"
) -> JointClock | None:
    """The clock of the tracks that are taken of a container; None where no track can go back."""
    if is_indexed(container):
        return None
    tracks: list[Stream] = [video]
    with suppress(SourceError):  # without sound the pictures alone say where a seam is
        tracks.append(sound_track(container, name, sound))
    return JointClock(container, tracks)


def is_indexed(container: InputContainer) -> bool:
    """Whether times follow from an index, in which no track goes back."""
    return container.format.name in _INDEXED_FORMATS


def may_restart(container: InputContainer) -> bool:
    """Whether a format may start its clock anew, as transport and program streams do."""
    restarts = container.format.flags & cast(int, Flags.ts_discont.value)
    return bool(restarts) and has_times(container)


def has_times(container: InputContainer) -> bool:
    """Whether a format has times; a bare stream, such as a `.h264` file, is pictures only."""
    return not container.format.flags & cast(int, Flags.no_timestamps.value)


def start_time_s(container: InputContainer) -> float:
    """When the container's clock starts; media time counts from there."""
    return (container.start_time or 0) / _TICKS_PER_S


def duration_s(container: InputContainer) -> float | None:
    """The duration that the container declares; None where it declares none."""
    ticks = container.duration
    return ticks / _TICKS_PER_S if ticks and ticks > 0 else None


def length_s(container: InputContainer) -> float | None:
    """When the container ends by the duration that it declares, counted from its start."""
    declared_s = duration_s(container)
    if declared_s is None or container.format.name not in _COUNTED_FROM_NOUGHT:
        return declared_s
    start_s = start_time_s(container)
    return declared_s - start_s if start_s < declared_s else declared_s
