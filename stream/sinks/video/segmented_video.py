"""A video in segments: one encoder, whose packets go into one file after another or are held."""

import logging
import math
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from itertools import chain
from threading import Event
from typing import Self

import av
from av.packet import Packet
from av.video.stream import VideoStream

from models.program.locks import LockedError
from stream.controls import RunReport
from stream.drawing.canvas import Canvas
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.settings.schema import RecorderSection
from stream.sinks.claims import claim_file
from stream.sinks.paths import finish_partial, partial_path, what_is_left
from stream.sinks.segments import WHOLE_RUN, Placement, Segment, SegmentNames
from stream.sinks.video.codecs import CONTAINERS, codec_for
from stream.sinks.video.encoder import TIME_BASE, Encoder
from stream.sinks.video.muxed_file import MuxedFile
from stream.stopwatch import stage

_log = logging.getLogger(__name__)

_HELD_BYTES = 64 << 20
"""Packets that are held back at most, bytes: half a minute of full HD at usual quality. More takes
memory; with fewer less may be left of the time before a face."""


@dataclass(slots=True, eq=False)
class _Part:
    """The file of one segment, and what it holds of the disk's names."""

    segment: Segment
    file: MuxedFile
    info: SourceInfo
    claim: ExitStack


class SegmentedVideo:
    """The files of the segments, each complete as soon as the next one begins.

    A file that fails costs its segment, which keeps what was written under its partial name; the
    next segment is tried again.

    Args:
        names: of the files.
        info: the source.
        settings: codec, quality, speed, and how long packets are held back.
        report: takes which segments are complete, and failures.
        retry_soon: asks for a new segment after a failure.

    Attributes:
        complete: the file of the last segment is to take its name.

    Raises:
        ConfigError: such a file cannot hold the codec, or this FFmpeg lacks it.
        SinkError: there can be no such encoder.
    """

    def __init__(
        self,
        names: SegmentNames,
        info: SourceInfo,
        settings: RecorderSection,
        report: RunReport,
        retry_soon: Callable[[], None],
    ) -> None:
        self._names, self._info, self._settings = names, info, settings
        self._report, self._retry_soon = report, retry_soon
        self._kind = CONTAINERS[names.ending.lower()]
        self._codec = codec_for(names.path(""), settings.codec)
        try:
            self._encoder = Encoder(self._codec, self._kind, info, settings)
        except (av.error.FFmpegError, ValueError) as error:
            raise SinkError(f"{names.path('')} cannot be made: {error}") from error
        self._part: _Part | None = None
        self._failed: Segment | None = None
        self._has_opened = False  # a file before: what there is to say of the sound was said
        self._held: deque[list[Packet[VideoStream]]] = deque()
        self._held_bytes = 0
        self.complete = False

    def __repr__(self) -> str:
        return f"SegmentedVideo({self._names.path('')}, {sum(map(len, self._held))} packets held)"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self._part is not None:
                if self._info.ended.is_set():
                    self._part.info.ended.set()
                self._write(self._encoder.rest())
            self._end_part(complete=kind is None and self.complete)
        finally:
            self._encoder.close()

    @stage("encode")
    def add_drawn(
        self, canvas: Canvas, coded: av.VideoFrame | None, time_s: float, place: Placement
    ) -> None:
        """Adds a picture that was drawn on; arguments as of `VideoFile`.

        Raises:
            FFmpegError: it cannot be encoded.
        """
        frame = self._encoder.drawn(canvas, coded)
        packets = self._encoder.encode(frame, time_s, key=place.is_key)
        if place.segment is None:
            if self._settings.segment_s:
                self._end_part(complete=True)
            self._hold(packets, place)
        elif place.segment != self._failed:
            if self._part is None or place.segment != self._part.segment:
                self._end_part(complete=True)
                self._begin_part(place.segment)
            self._write([*self._released(place.since_s), *packets])

    def go_on_after(self, segment: Segment | None, reason: str) -> None:
        """Goes on after another of these that hangs, with the next segment.

        Args:
            segment: the one that the other has; None where frames were held back.
            reason: why it is left.
        """
        self._fail(segment, reason)

    def _begin_part(self, segment: Segment) -> None:
        """Opens the file of a segment."""
        path = self._names.path(segment.stamp)
        info = replace(self._info, start_s=segment.start_s, ended=Event())
        claim = ExitStack()
        try:
            if segment.stamp:  # the name of the only one is claimed for all of the run
                claim.enter_context(claim_file(path))
            file = MuxedFile(
                partial_path(path),
                self._kind,
                info,
                sound=self._settings.sound,
                quiet=self._has_opened,
            )
        except (SinkError, LockedError) as error:
            claim.close()
            self._fail(segment, str(error))
            return
        self._part, self._has_opened = _Part(segment, file, info, claim), True

    def _write(self, packets: "Iterable[Packet[VideoStream]]") -> None:
        """Writes packets into the file of the segment, which begins with a keyframe."""
        part = self._part
        if part is None:
            return
        try:
            for packet in packets:
                if not part.file.has_begun and packet.is_keyframe:
                    tick = packet.pts or 0
                    start_s = (self._encoder.start_s or 0.0) + float(tick * TIME_BASE)
                    part.file.begin(self._encoder.track, self._codec, start_s, tick)
                part.file.add(packet)
        except (OSError, av.error.FFmpegError) as error:
            self._abandon(part, error)

    def _end_part(self, *, complete: bool) -> None:
        """Closes the file of the segment; a complete one takes its name."""
        part, self._part = self._part, None
        if part is None:
            return
        path = self._names.path(part.segment.stamp)
        has_begun = part.file.has_begun
        try:
            with part.claim:
                try:
                    part.file.finish()
                finally:
                    part.file.close()
                finish_partial(path, complete=complete and has_begun, keep=has_begun)
        except (OSError, av.error.FFmpegError) as error:
            self._fail(part.segment, _reason(error))
        else:
            if complete and has_begun and part.segment.stamp:
                self._report.segments.note_complete(part.segment.number)

    def _abandon(self, part: _Part, error: Exception) -> None:
        """Leaves a file that cannot be written any further as it is."""
        self._part = None
        with part.claim, suppress(OSError, av.error.FFmpegError):
            part.file.close()
        self._fail(part.segment, _reason(error))

    def _fail(self, segment: Segment | None, reason: str) -> None:
        """Reports that a segment is lost from here on.

        Raises:
            SinkError: it is the only one.
        """
        if segment == WHOLE_RUN:
            raise SinkError(reason)
        self._failed = segment
        path = self._names.path("" if segment is None else segment.stamp)
        failure = f"recorder ({path.name}): {reason}{what_is_left(partial_path(path))}"
        if self._report.note_failure(failure):
            _log.error("%s", failure)
        self._retry_soon()

    def _hold(self, packets: "list[Packet[VideoStream]]", place: Placement) -> None:
        """Keeps packets, in groups that begin with a key, and drops the groups that are too old."""
        if place.is_key or not self._held:
            self._held.append([])
        self._held[-1].extend(packets)
        self._held_bytes += sum(packet.size for packet in packets)
        oldest = self._tick(place.since_s)
        while len(self._held) > 1 and (
            self._held_bytes > _HELD_BYTES or _first_tick(self._held[1]) <= oldest
        ):
            self._held_bytes -= sum(packet.size for packet in self._held.popleft())

    def _released(self, since_s: float) -> "list[Packet[VideoStream]]":
        """The packets that were held, from the key of a time on."""
        since = self._tick(since_s)
        groups = [group for group in self._held if group and _first_tick(group) >= since]
        self._held.clear()
        self._held_bytes = 0
        return list(chain.from_iterable(groups))

    def _tick(self, time_s: float) -> int:
        return round((time_s - (self._encoder.start_s or 0.0)) / TIME_BASE)


def _first_tick(packets: "list[Packet[VideoStream]]") -> float:
    """Timestamp of the first packet; infinity where there is none."""
    return next((packet.pts or 0 for packet in packets), math.inf)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
