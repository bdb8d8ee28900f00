"""The thread that encodes annotated video and sends it on, over losses and returns."""

import logging
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TypeAlias

import av
from av.video.frame import VideoFrame

from stream.deliveries import Delivery
from stream.drawing.canvas import Canvas
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.settings import Config
from stream.sinks.publishing.destinations import VideoDestination, format_of
from stream.sinks.publishing.far_end import FarEnd
from stream.sinks.publishing.mailbox import Mailbox
from stream.sinks.publishing.routes import Route, open_route
from stream.sinks.video.codecs import codec_in
from stream.sinks.video.encoder import TIME_BASE, Encoder
from stream.sinks.video.muxer import Muxer
from stream.stopwatch import stage

_TICK_S = 0.2
"""Time after which a sender without frames looks whether its way is still there, s."""

_KEY_S = 1.0
"""Time between two keyframes at most, s: the encoder counts frames, of which some may be missing.
More makes who joins wait for longer, and the segments of HLS longer; less takes more bytes."""

_ROUTE_END_S = 0.5
"""For how long the other side may take what is on its way to it at the end, s."""

WaitingFrame: TypeAlias = tuple[Canvas, VideoFrame | None, float]
"""A frame that waits: what is drawn on it, its coded picture, and its time in the source in s."""

_log = logging.getLogger(__name__)


class VideoSender(threading.Thread):
    """Sends frames to one destination until the mailbox ends. It is a daemon, for a disk may never
    answer.

    Args:
        destination: where to.
        info: the source.
        config: how video is encoded and sent.
        delivery: takes what became of the frames.
        mailbox: has the frames.

    Attributes:
        far_end: the state of the destination.
        reader_left: what reads standard output has closed it.
        error: why nothing can be sent any more.

    Raises:
        ConfigError: the format of the destination cannot hold the codec.
        SinkError: there can be no such encoder.
    """

    def __init__(
        self,
        destination: VideoDestination,
        info: SourceInfo,
        config: Config,
        delivery: Delivery,
        mailbox: Mailbox[WaitingFrame],
    ) -> None:
        super().__init__(name=f"stream to {destination}", daemon=True)
        self.far_end = FarEnd(str(destination), delivery)
        self.reader_left = False
        self.error: Exception | None = None
        self._destination, self._info, self._config = destination, info, config
        self._delivery, self._mailbox = delivery, mailbox
        self._kind = format_of(destination, config.publish)
        self._codec = codec_in(self._kind, destination.format, config.recorder.codec)
        try:
            self._encoder = Encoder(self._codec, self._kind, info, config.recorder)
        except (av.error.FFmpegError, ValueError) as error:
            raise SinkError(f"{destination} cannot be encoded for: {error}") from error
        self._way: _Way | None = None
        self._was_open = False
        self._has_begun = False  # once: what there is to say of the sound was said
        self._is_hurried = False
        self._last_key_s = 0.0  # time in the source of the last keyframe
        self.start()

    def hurry(self) -> None:
        """The run ends: no write waits for long any more. Called by another thread."""
        self._is_hurried = True
        if (way := self._way) is not None:
            way.route.hurry()

    def abandon(self) -> None:
        """Ends what the thread waits for in vain. Called by another thread."""
        if (way := self._way) is not None:
            way.route.cut()

    def run(self) -> None:
        """Sends."""
        try:
            while len(self._mailbox) or not self._mailbox.is_ended:
                frame = self._mailbox.take(_TICK_S)
                if frame is not None:
                    self._send(frame)
                elif self._way is not None:
                    self._check(self._way)
            self._finish()
        except Exception as error:  # noqa: BLE001 - raised again by the sink
            self.error = error
        finally:
            self._encoder.close()

    def _send(self, frame: WaitingFrame) -> None:
        """Encodes and sends a frame, if the destination is there; else it is lost.

        1. The destination is away, and the next try is not due.
        2. There is no way to it yet: one is opened, and the frame is its first, a keyframe.
        3. The way is open, and the other side has not answered yet.
        4. It has answered with this frame: a keyframe again, for those between are missing.
        5. It takes frames.
        """
        if self.reader_left or self.far_end.pause_s > 0:
            self._delivery.lost += 1
            return
        if self._way is None:
            self._open()
            is_key = True
        else:
            way, was_connected = self._way, self._way.is_connected
            if not self._check(way) and not (way is self._way and way.route.answers_late):
                self._delivery.lost += 1
                return
            is_key = not was_connected and not way.route.answers_late
        if self._way is not None:
            self._write(self._way, frame, is_key=is_key)

    def _open(self) -> None:
        """Opens the way to the destination."""
        settings = self._config.publish
        try:
            route = open_route(
                self._destination, settings, is_live=self._info.is_live, is_again=self._was_open
            )
        except (OSError, av.error.FFmpegError) as error:
            self.far_end.note_away(getattr(error, "strerror", None) or str(error))
            self._delivery.lost += 1
            return
        if self._is_hurried:
            route.hurry()
        self._way = _Way(route)
        self._was_open = True

    def _check(self, way: "_Way") -> bool:
        """Whether the other side takes the video by now."""
        if not way.is_connected:
            try:
                way.is_connected = way.route.is_connected()
            except OSError as error:
                self._lose(way, error)
        return way.is_connected

    @stage("encode")
    def _write(self, way: "_Way", frame: WaitingFrame, *, is_key: bool) -> None:
        canvas, coded, time_s = frame
        is_key = is_key or time_s >= self._last_key_s + _KEY_S
        packets = self._encoder.encode(self._encoder.drawn(canvas, coded), time_s, key=is_key)
        if any(packet.is_keyframe for packet in packets):
            self._last_key_s = time_s
        try:
            for packet in packets:
                if way.muxer is None:
                    self._begin(way, packet.pts or 0)
                if way.muxer is not None:
                    way.muxer.add(packet)
        except (OSError, av.error.FFmpegError, ValueError) as error:
            self._delivery.lost += 1
            self._lose(way, error)
        else:
            way.unanswered += 1
            if self._check(way):
                self._delivery.sent += way.unanswered
                way.unanswered = 0
                self.far_end.note_there()

    def _begin(self, way: "_Way", tick: int) -> None:
        """Begins the container with the packet of that timestamp of the encoder."""
        start_s = (self._encoder.start_s or 0.0) + float(tick * TIME_BASE)
        info = replace(self._info, start_s=start_s)
        sound, quiet = self._config.recorder.sound, self._has_begun
        self._has_begun = True
        way.muxer = Muxer(way.route.container, self._kind, info, sound=sound, quiet=quiet)
        way.muxer.begin(self._encoder.track, self._codec, start_s, tick)

    def _lose(self, way: "_Way", error: Exception) -> None:
        """Leaves a way that leads nowhere any more."""
        reason = way.route.reason(error)
        self._delivery.lost += way.unanswered
        way.close(0)
        self._way = None
        if self._destination.kind == "pipe":
            if not isinstance(error, BrokenPipeError):
                raise SinkError(f"standard output cannot be written: {reason}") from error
            self.reader_left = True
        elif not self._is_hurried:
            self.far_end.note_away(reason)

    def _finish(self) -> None:
        """Sends the rest, and leaves the destination."""
        way = self._way
        if way is None:
            return
        try:
            if way.muxer is not None:
                for packet in self._encoder.rest():
                    way.muxer.add(packet)
                way.muxer.finish()
        except (OSError, av.error.FFmpegError) as error:
            self._lose(way, error)
            return
        self._way = None
        way.close(_ROUTE_END_S if way.is_connected else 0)


class _Way:
    """A way that is open.

    Attributes:
        route: it.
        muxer: writes into its container; None before the first frame.
        is_connected: the other side has answered.
        unanswered: frames that were sent before it did.
    """

    def __init__(self, route: Route) -> None:
        self.route = route
        self.muxer: Muxer | None = None
        self.is_connected = False
        self.unanswered = 0

    def close(self, limit_s: float) -> None:
        """Closes everything; the end of the container may fail where the way is gone."""
        with suppress(OSError, av.error.FFmpegError):
            if self.muxer is not None:
                self.muxer.close()
            else:
                self.route.container.close()
        self.route.close(limit_s)
