"""Videos through PyAV: any container and codec FFmpeg reads, animated GIFs among them."""

import logging
import time
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame

from stream.errors import SourceError
from stream.frames import ASSUMED_FPS, Frame, SourceInfo
from stream.sources.decoding import Decoder
from stream.sources.media_clock import MediaClock
from stream.sources.reconnection import Reconnection, what_happened
from stream.sources.span import ROUNDING_S, WHOLE, Span

_MICROSECONDS = 1_000_000
_MAX_PLAUSIBLE_FRAMES = 10**9  # some containers report nonsense
_MARGINS_S = (0.0, 10.0)  # of a seek: some containers land at a keyframe behind the time asked for
_SLACK_S, _SLACK = 1.0, 0.05  # a duration is a promise that is seldom kept to the frame

_log = logging.getLogger(__name__)


class VideoSource:
    """A video of which no frame is lost; time counts from the start of the container, so that sound
    stays beside it. Damaged packets are passed over, and counted at the end.

    Args:
        uri: the file, or how to call what is no file.
        span: the part to be read, exact to the frame.
        container: what is no file, opened.
        reopen: opens it again; None where that cannot be.
        reconnection: how it is found again when it is lost on the way; None for what stays.

    Raises:
        SourceError: it is not a video, not one that can be read, or has no such part.
    """

    def __init__(
        self,
        uri: str | Path,
        span: Span = WHOLE,
        *,
        container: InputContainer | None = None,
        reopen: Callable[[], InputContainer] | None = None,
        reconnection: Reconnection | None = None,
    ) -> None:
        self._name = str(uri)
        self._span = span
        self._reopen = reopen
        if container is None:
            self._reopen = partial(open_container, Path(uri))
            container = self._reopen()
        self._container = container
        self._reconnection = reconnection
        self._last_s = 0.0
        self._count = 0
        self._damaged = self._spoilt = 0  # packets that gave nothing; pictures that suffered
        try:
            self._decoder = Decoder(self._container, self._name)
            self._read = self._part()
            self._first = next(self._read, None)
            if self._first is None:
                raise SourceError(self._what_is_missing())
            self._info = self._describe(self._first)
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name})"

    @property
    def info(self) -> SourceInfo:
        """What the container says, and the size of the first frame."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Every frame of the part.

        Raises:
            SourceError: it cannot be read any further.
        """
        if self._first is not None:
            first, self._first = self._first, None
            yield first
        yield from self._read

    def interrupt(self) -> None:
        """Ends the wait for a video that was lost."""
        if self._reconnection is not None:
            self._reconnection.interrupt()

    def close(self) -> None:
        """Closes the video."""
        self._container.close()

    def _part(self) -> Iterator[Frame]:
        """The frames of the part, found again where the video is lost on the way."""
        rest = self._span
        while reason := (yield from self._until_lost(rest)):
            next_s = self._last_s + self._step_s / 2
            if self._span.is_after(next_s):
                break
            if not self._find_again(reason):
                return
            rest = Span(next_s, self._span.end_s)
        self._say_what_was_wrong()

    def _until_lost(self, span: Span) -> Generator[Frame, None, str]:
        """The frames of a part as far as they come; returns what happened, nothing at the end."""
        before = self._count
        try:
            for time_s, frame in self._from(span.start_s):
                self._last_s = time_s
                if span.is_after(time_s):
                    break
                if not span.is_before(time_s):
                    yield self._frame(frame, time_s)
                    self._count += 1
                    self._spoilt += frame.is_corrupt
        except av.error.FFmpegError as error:
            if self._reconnection is None or before == self._count:
                # Not from the error: its text holds the whole address, with the password in it.
                reason = f"cannot be read any further: {error.strerror}"
                raise SourceError(f"{self._name} {reason}") from None
            return what_happened(error)
        return "" if self._reconnection is None or before == self._count else self._cut_short()

    def _frame(self, decoded: VideoFrame, time_s: float) -> Frame:
        return self._decoder.frame(decoded, self._count, time_s, time.monotonic())

    def _from(self, start_s: float) -> Iterator[tuple[float, VideoFrame]]:
        """Frames and their times, from a keyframe before that time on."""
        for margin_s in _MARGINS_S if start_s > 0 and self._reopen is not None else ():
            frames = self._sought(max(start_s - margin_s, 0.0))
            first = next(frames, None)
            if first is not None and first[0] <= start_s + ROUNDING_S:
                yield first
                yield from frames
                return
        if start_s > 0 and self._reopen is not None:
            self._take(self._reopen())
        yield from self._timed()

    def _sought(self, time_s: float) -> Iterator[tuple[float, VideoFrame]]:
        """Frames from about there on; none where the container cannot seek, or has no times."""
        stream = self._decoder.stream
        ticks = round((time_s + start_time_s(self._container)) / (stream.time_base or 1))
        try:
            self._container.seek(ticks, stream=stream)
        except av.error.FFmpegError:
            return
        for at_s, frame in self._timed():
            if frame.time is None:
                return
            yield at_s, frame

    def _timed(self) -> Iterator[tuple[float, VideoFrame]]:
        clock = MediaClock(start_time_s(self._container), self._step_s)
        for frame in self._decoder.frames():
            yield clock.time_s(frame.time), frame

    @property
    def _step_s(self) -> float:
        return 1 / (self._decoder.fps or ASSUMED_FPS)

    def _find_again(self, reason: str) -> bool:
        """Whether it was; if not, nobody waits for it any more."""
        if self._reconnection is None or self._reopen is None:
            return False
        container = self._reconnection.again(reason, self._reopen)
        if container is not None:
            self._take(container)
        return container is not None

    def _take(self, container: InputContainer) -> None:
        """Goes on with the same video, opened anew."""
        self._container.close()
        self._damaged += self._decoder.damaged
        self._container, self._decoder = container, Decoder(container, self._name)

    def _cut_short(self) -> str:
        """In words, if the video ended before it should."""
        declared = self._decoder.stream.frames
        whole = self._span.start_s == 0 and self._span.end_s is None and not self._reconnection
        if whole and self._count + self._decoder.damaged < declared < _MAX_PLAUSIBLE_FRAMES:
            return f"ended after {self._count} of {declared} frames"
        duration_s = self._duration_s()
        ends_s = min(duration_s or 0.0, self._span.end_s or float("inf"))
        if self._last_s + self._step_s < ends_s * (1 - _SLACK) - _SLACK_S:
            return f"ended at {self._last_s:.1f} of {duration_s:.1f} s"
        return ""

    def _say_what_was_wrong(self) -> None:
        damaged = self._damaged + self._decoder.damaged
        if damaged or self._spoilt:
            _log.warning(
                "%s is damaged: packets left out: %d, pictures spoilt: %d",
                self._name,
                damaged,
                self._spoilt,
            )
        reason = self._cut_short()
        if reason:
            _log.warning("%s %s: it is cut short or damaged", self._name, reason)

    def _what_is_missing(self) -> str:
        if self._span.is_after(self._last_s):
            part = f"between {self._span.start_s:g} and {self._span.end_s:g} s"
            return f"{self._name} has no frame {part}: move --start or --end"
        if not self._span.start_s or not self._last_s:
            return f"{self._name} holds not one frame that can be read"
        end_s = self._duration_s() or self._last_s + self._step_s
        return (
            f"{self._name} ends at {end_s:.2f} s: --start {self._span.start_s:g} lies behind that"
        )

    def _duration_s(self) -> float | None:
        """As the container declares it."""
        ticks = self._container.duration
        return ticks / _MICROSECONDS if ticks and ticks > 0 else None

    def _describe(self, first: Frame) -> SourceInfo:
        return SourceInfo(
            uri=self._name,
            kind="video",
            size_wh=first.size_wh,
            fps=self._decoder.fps,
            frame_count=self._frame_count(),
            has_audio=bool(self._container.streams.audio),
            start_s=first.time_s if self._span.start_s > 0 else 0.0,
            reopen=self._reopen,
        )

    def _frame_count(self) -> int | None:
        """As declared, or reckoned from the duration."""
        declared, fps, duration_s = (
            self._decoder.stream.frames,
            self._decoder.fps,
            self._duration_s(),
        )
        if self._span == WHOLE and 0 < declared < _MAX_PLAUSIBLE_FRAMES:
            return declared
        ends_s = self._span.end_s if duration_s is None else duration_s
        if ends_s is None or fps is None:
            return None
        ends_s = min(ends_s, self._span.end_s or ends_s)
        return max(round((ends_s - self._span.start_s) * fps), 1)


def open_container(path: Path) -> InputContainer:
    """Opens a media file.

    Raises:
        SourceError: it is not one.
    """
    try:
        # A plain path would let FFmpeg take "http:..." or "concat:..." in a name for a protocol.
        return av.open(f"file:{path}")
    except (av.error.FFmpegError, OSError) as error:
        raise SourceError(f"{path} is not a video that can be read: {error.strerror}") from error


def start_time_s(container: InputContainer) -> float:
    """When the container's clock starts; media time is counted from here."""
    return (container.start_time or 0) / _MICROSECONDS
