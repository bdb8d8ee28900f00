"""The length that a container declares, and what was seen of it, counted on one basis."""

import math

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from stream.sources.media_clock import duration_s, has_times, length_s, may_restart, start_time_s
from stream.sources.span import WHOLE, Span

_MAX_PLAUSIBLE_FRAMES = 10**9
"""Declared number of frames from which it is not believed: some containers state nonsense."""

_DURATION_TOLERANCE_S = 1.0
"""By how much a video may end before its declared duration, s, beside a share of the duration:
declared durations are seldom exact to the frame."""

_DURATION_TOLERANCE = 0.05
"""By what share of its declared duration a video may end before it."""


class Seen:
    """How far a container was read, counted in its own times, as its declared duration is.

    Attributes:
        end_s: the end of the whole packets of all tracks; 0 before the first.
        is_broken_off: whether the last packet is not whole.
    """

    def __init__(self) -> None:
        self.end_s = 0.0
        self.is_broken_off = False

    def __repr__(self) -> str:
        return f"Seen({self.end_s:.3f} s)"

    def note(self, packet: "Packet[Stream]") -> None:
        """Takes in the next packet, whatever its track, as the container states it."""
        if not packet.size:
            return
        self.is_broken_off = packet.is_corrupt
        ticks = packet.dts if packet.pts is None else packet.pts
        if ticks is not None and packet.time_base and not packet.is_corrupt:
            end_s = float((ticks + (packet.duration or 0)) * packet.time_base)
            self.end_s = max(self.end_s, end_s)

    def shortage_s(self, container: InputContainer, only: VideoStream | None) -> float:
        """By how much what was seen falls short of what is declared, once all was read.

        1. The container has no times, or may start its clock anew: its duration is a guess, and
           nothing is short.
        2. Only one track was read, and its duration is declared: of that.
        3. Otherwise of the whole. Some containers count from time 0 and some from their first
           packet: the lesser shortage is the right one.

        Args:
            container: that was read.
            only: the track that was read; None where all were.
        """
        if may_restart(container) or not has_times(container):
            return 0.0
        if only is not None and only.duration and only.time_base:
            return float(((only.start_time or 0) + only.duration) * only.time_base) - self.end_s
        declared_s = duration_s(container)
        if declared_s is None:
            return 0.0
        return declared_s - max(self.end_s, self.end_s - start_time_s(container))


def ended_early(missing_s: float, ends_s: float, step_s: float, *, is_broken_off: bool) -> str:
    """Where a video ended, in words that follow its name, if that is before its end.

    1. More is missing than a duration may be off.
    2. The last of its data is missing.
    3. Otherwise it is whole, and this is empty.

    Args:
        missing_s: what it falls short of what is declared.
        ends_s: when it ended.
        step_s: from one frame to the next; a lesser shortage is none.
        is_broken_off: whether its data ends in the middle.
    """
    whole_s = ends_s + missing_s
    is_short = missing_s > _DURATION_TOLERANCE_S + _DURATION_TOLERANCE * whole_s
    if is_short or (is_broken_off and missing_s >= step_s):
        return f"ended at {ends_s:.2f} of {whole_s:.2f} s"
    return f"ended at {ends_s:.2f} s, in the middle of its data" if is_broken_off else ""


def frame_count(
    container: InputContainer, stream: VideoStream, fps: float | None, span: Span
) -> int | None:
    """The number of frames of a span, declared or by the duration; None where it is not known.

    Of a file with an edit list it is the number of those that are shown.
    """
    declared, shown_s = stream.frames, float((stream.duration or 0) * (stream.time_base or 0))
    if span == WHOLE and 0 < declared < _MAX_PLAUSIBLE_FRAMES:
        return min(declared, math.ceil(shown_s * fps)) if shown_s and fps else declared
    ends_s = length_s(container) or span.end_s
    if ends_s is None or fps is None:
        return None
    ends_s = min(ends_s, span.end_s or ends_s)
    return max(round((ends_s - span.start_s) * fps), 1)


def no_frame_message(name: str, span: Span, last_s: float, ends_s: float) -> str:
    """Why a span has no frame.

    1. The video goes on after the end of the span.
    2. The video has no frame at all.
    3. The video ends before the start of the span.

    Args:
        name: of the video.
        span: the part that was asked for.
        last_s: when the last frame that was read is shown; 0 where none was.
        ends_s: when the video ends.
    """
    if span.is_after(last_s):
        part = f"between {span.start_s:g} and {span.end_s:g} s"
        return f"{name} has no frame {part}: move --start or --end"
    if not span.start_s or not last_s:
        return f"{name} holds not one frame that can be read"
    return f"{name} ends at {ends_s:.2f} s: --start {span.start_s:g} lies behind that"
