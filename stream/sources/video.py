"""Videos through PyAV: any container and codec that FFmpeg reads, animated GIFs among them."""

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame

from stream.errors import EmptySpanError, SourceError
from stream.frames import ASSUMED_FPS, Frame, SourceInfo
from stream.media_tracks import sound_track, warn_of_others
from stream.settings.schema import SourceSection
from stream.source_history import SourceHistory
from stream.sources.declared import ended_early, frame_count, no_frame_message
from stream.sources.decoding import Decoder
from stream.sources.deinterlacing import Deinterlacer
from stream.sources.file_structure import is_cut
from stream.sources.media import open_container
from stream.sources.media_clock import MediaClock, length_s, may_restart, start_time_s
from stream.sources.reconnection import Reconnection, loss_reason
from stream.sources.span import ROUNDING_S, WHOLE, Span, shown_from

_SEEK_MARGINS_S = (0.0, 10.0)
"""How long before the start each try of a seek aims, s: some containers land at a keyframe behind
the time asked for."""

_log = logging.getLogger(__name__)


class VideoSource:
    """A video of which no frame is lost. Time counts from the start of the container, so that sound
    stays in step. Damaged packets are passed over, and counted at the end.

    Args:
        uri: the file, or the name of a source that is not a file.
        span: the part to be read, exact to the frame.
        settings: which tracks, and the rate of a bare stream; the defaults without them.
        container: the open source, where it is not a file.
        reopen: opens the container again; None where that is impossible.
        reconnection: opens a video again that is lost on the way; None for a file.

    Raises:
        SourceError: it is not a video, not one that can be read, or has no such part.
    """

    def __init__(
        self,
        uri: str | Path,
        span: Span = WHOLE,
        settings: SourceSection | None = None,
        *,
        container: InputContainer | None = None,
        reopen: Callable[[], InputContainer] | None = None,
        reconnection: Reconnection | None = None,
    ) -> None:
        self._name = str(uri)
        self._span = span
        self._settings = settings or SourceSection()
        self._reopen = reopen
        self._path = Path(uri) if container is None else None
        if container is None:
            self._reopen = partial(open_container, Path(uri), self._settings.max_megapixels)
            container = self._reopen()
        self._container = container
        self._reconnection = reconnection
        self._history = SourceHistory() if reconnection is None else reconnection.history
        self._deinterlacer = Deinterlacer(self._name)
        self._last_s = 0.0
        # Placed by its time is also what leads in to a span: a joined run counts all frames.
        self._count = -1 if span.lead_in_s else 0
        self._corrupt_frames = 0
        self._is_damage_logged = False
        self._has_seams = False  # in containers before the present one
        self._ended = threading.Event()
        try:
            self._decoder = self._decoder_of(container)
            self._check_tracks()
            self._read = self._span_frames(self._frames_from(span.read_from_s))
            self._first = next(self._read, None)
            if self._first is None:
                ends_s = length_s(container) or self._last_s + self._step_s
                raise EmptySpanError(no_frame_message(self._name, span, self._last_s, ends_s))
            self._info = self._describe(self._first)
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name})"

    @property
    def info(self) -> SourceInfo:
        """What the container states, and the size of the first frame."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Every frame of the span, and those that lead in to it.

        Raises:
            SourceError: the video cannot be read any further.
        """
        if self._first is not None:
            first, self._first = self._first, None
            yield first
        yield from self._read

    def frames_from(self, time_s: float) -> Iterator[Frame]:
        """The frames of the span from the one on that is on the screen at a time, decoded from a
        keyframe of the video opened anew: a decoder that was left has a state.

        Raises:
            SourceError: the video cannot be opened again, or not be read.
        """
        if self._reopen is None:
            raise SourceError(f"{self._name} can be read only once, from its beginning")
        self._switch_to(self._reopen())
        self._count = -1  # the frames before are not counted: the first is placed by its time
        yield from self._span_frames(shown_from(self._frames_from(time_s), time_s))

    def interrupt(self) -> None:
        """Ends the wait for a video that was lost."""
        if self._reconnection is not None:
            self._reconnection.interrupt()

    def close(self) -> None:
        """Closes the video."""
        self._container.close()

    def _check_tracks(self) -> None:
        """Says which video track is read of several, and refuses a number that no sound has."""
        tracks, wanted = self._container, self._settings
        warn_of_others(tracks, self._decoder.stream, self._name, wanted.video_track)
        if wanted.sound_track != "auto":
            sound_track(tracks, self._name, wanted.sound_track)

    def _span_frames(self, timed: Iterator[tuple[float, VideoFrame]]) -> Iterator[Frame]:
        """The frames of the span; a video that is lost on the way is opened again."""
        while reason := (yield from self._until_lost(timed)):
            next_s = self._last_s + self._step_s / 2
            if self._span.is_after(next_s):
                break
            if not self._reconnect(reason):
                return
            rest = Span(next_s)
            timed = (each for each in self._frames_from(next_s) if not rest.is_before(each[0]))
        self._log_damage()

    def _until_lost(self, timed: Iterator[tuple[float, VideoFrame]]) -> Generator[Frame, None, str]:
        """The frames of the span as far as they come; returns why they were lost, else empty."""
        before = self._count
        try:
            for time_s, frame in timed:
                self._last_s = time_s
                if self._span.is_after(time_s):
                    return ""
                if not self._span.is_unread(time_s):
                    if self._count < 0:
                        begin_s = 0.0 if self._span.lead_in_s else self._info.start_s
                        self._count = max(round((time_s - begin_s) / self._step_s), 0)
                    shown = self._decoder.frame(frame, self._count, time_s, time.monotonic())
                    yield replace(shown, is_lead_in=True) if self._span.is_before(time_s) else shown
                    self._count += 1
                    self._corrupt_frames += frame.is_corrupt
        except av.error.FFmpegError as error:
            if self._reconnection is None or before == self._count:
                # Not raised from the error: its text holds the whole address, with the password.
                reason = f"cannot be read any further: {error.strerror}"
                raise SourceError(f"{self._name} {reason}") from None
            return loss_reason(error)
        if self._reconnection is not None and before < self._count and (lost := self._truncation()):
            return lost
        self._ended.set()
        return ""

    def _frames_from(self, start_s: float) -> Iterator[tuple[float, VideoFrame]]:
        """Times and frames, from a keyframe before that time on.

        1. A container whose clock starts anew on the way cannot be sought in: it is read from its
           beginning. An address is, only once it has done so.
        2. The container is sought for that time, or for one a little before.
        3. Where no seek lands before it, the container is opened again and read from its beginning.
        """
        if may_restart(self._container) and (
            self._path is not None or self._reopen is None or self._has_seams
        ):
            yield from self._timed_frames(start_s - ROUNDING_S)
            return
        for margin_s in _SEEK_MARGINS_S if start_s > 0 and self._reopen is not None else ():
            frames = self._seek(max(start_s - margin_s, 0.0))
            first = next(frames, None)
            if first is not None and first[0] <= start_s + ROUNDING_S:
                yield first
                yield from frames
                return
        if start_s > 0 and self._reopen is not None:
            self._switch_to(self._reopen())
        yield from self._timed_frames()

    def _seek(self, time_s: float) -> Iterator[tuple[float, VideoFrame]]:
        """Times and frames from about a time on; none where the container cannot seek, or states
        no times.
        """
        stream = self._decoder.stream
        ticks = round((time_s + start_time_s(self._container)) / (stream.time_base or 1))
        try:
            self._container.seek(ticks, stream=stream)
        except av.error.FFmpegError:
            return
        for frame_s, frame in self._timed_frames():
            if self._decoder.stated_s(frame) is None:
                return
            yield frame_s, frame

    def _timed_frames(self, from_s: float = 0.0) -> Iterator[tuple[float, VideoFrame]]:
        """Times and frames from where the container stands, or from a keyframe before a time."""
        start_s = start_time_s(self._container)
        clock = MediaClock(start_s, self._step_s)
        for frame in self._decoder.frames(start_s + from_s if from_s > 0 else 0.0):
            yield clock.time_s(self._decoder.stated_s(frame)), frame

    @property
    def _step_s(self) -> float:
        return 1 / (self._decoder.fps or ASSUMED_FPS)

    def _reconnect(self, reason: str) -> bool:
        """Opens the video again; whether it is open, and the wait for it was not interrupted."""
        if self._reconnection is None or self._reopen is None:
            return False
        container = self._reconnection.retry(reason, self._reopen)
        if container is not None:
            self._switch_to(container)
        return container is not None

    def _switch_to(self, container: InputContainer) -> None:
        """Goes on with the same video in a container that was opened again."""
        self._container.close()
        self._has_seams |= self._decoder.has_seams
        self._container, self._decoder = container, self._decoder_of(container)

    def _decoder_of(self, container: InputContainer) -> Decoder:
        remote = self._reconnection is not None
        return Decoder(
            container,
            self._name,
            self._settings,
            remote=remote,
            deinterlacer=self._deinterlacer,
            history=self._history,
        )

    def _truncation(self) -> str:
        """Where the video ended, in words that follow its name, if that is before its end."""
        seen, step_s = self._decoder.seen, self._step_s
        missing_s = seen.shortage_s(self._container, self._decoder.only_stream)
        ends_s = max(seen.end_s - start_time_s(self._container), self._last_s + step_s)
        is_broken_off = seen.is_broken_off or (self._path is not None and is_cut(self._path))
        return ended_early(missing_s, ends_s, step_s, is_broken_off=is_broken_off)

    def _log_damage(self) -> None:
        """Warns of damage, and of a video that ended too soon; once, however often it ends."""
        if self._is_damage_logged:
            return
        self._is_damage_logged = True
        damaged = self._history.damaged_packets
        if damaged or self._corrupt_frames:
            _log.warning(
                "%s is damaged: packets left out: %d, pictures spoilt: %d",
                self._name,
                damaged,
                self._corrupt_frames,
            )
        truncation = self._truncation() if self._ended.is_set() else ""
        if truncation:
            _log.warning("%s %s: it is cut short or damaged", self._name, truncation)

    def _describe(self, first: Frame) -> SourceInfo:
        fps = self._decoder.fps
        return SourceInfo(
            uri=self._name,
            kind="video",
            size_wh=first.size_wh,
            fps=fps,
            frame_count=frame_count(self._container, self._decoder.stream, fps, self._span),
            has_audio=bool(self._container.streams.audio),
            sound_track=self._settings.sound_track,
            video_track=self._settings.video_track,
            start_s=self._span.begins_s(first.time_s),
            seekable=self._reopen is not None,
            reopen=self._reopen,
            ended=self._ended,
            history=self._history,
        )
