"""Annotated video sent on while it comes, encoded in a thread of its own; the newest frame wins."""

from collections.abc import Sequence
from pathlib import Path

from models.program.interrupts import exit_code
from stream.deliveries import Delivery
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.people import Person
from stream.settings import Config
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.publishing.destinations import VideoDestination
from stream.sinks.publishing.ending import Ending
from stream.sinks.publishing.mailbox import Mailbox
from stream.sinks.publishing.pace import Pace
from stream.sinks.publishing.video_sender import VideoSender, WaitingFrame
from stream.stalls import TICK_S
from stream.stopwatch import stage

_ROOM = 2
"""Frames that may wait for the encoder; more are sent later, fewer are lost at a slow frame."""

_LEAST_END_S = 0.1
"""How long the end of what is sent may take in any case, s; then it is left."""


class LiveVideo:
    """Sends annotated video to one destination.

    1. Of a live source the newest frame is sent, and those that come meanwhile are dropped.
    2. What has an end is sent at its own pace, or as fast as standard output and HLS take it; of
       these no frame is lost.

    A destination that is away is said once, and tried again in growing pauses; the frames meanwhile
    are dropped and counted. Standard output whose reader has left ends the run instead.

    Args:
        destination: where to.
        info: the source.
        config: how video is encoded and sent.
        delivery: takes what became of the frames.
        ending: the time that is left at the end of the run.

    Raises:
        ConfigError: its format cannot hold the codec.
        SinkError: there can be no such encoder.
    """

    def __init__(
        self,
        destination: VideoDestination,
        info: SourceInfo,
        config: Config,
        delivery: Delivery,
        ending: Ending | None = None,
    ) -> None:
        self._ending = ending or Ending()
        self._is_ending = False
        self.name = f"stream ({destination})"
        self._destination, self._delivery = destination, delivery
        is_local = destination.kind in ("hls", "pipe")
        self._pace = None if info.is_live or is_local else Pace()
        self._is_lossless = is_local and not info.is_live
        self._mailbox = Mailbox[WaitingFrame](_ROOM)
        self._sender = VideoSender(destination, info, config, delivery, self._mailbox)

    def __repr__(self) -> str:
        return f"LiveVideo({self._destination})"

    @property
    def output(self) -> Path | None:
        """The playlist of HLS; nothing else is kept."""
        return self._destination.path

    @property
    def quit_requested(self) -> bool:
        """Whether what reads standard output has left."""
        return self._sender.reader_left

    def write(self, annotated: AnnotatedFrame) -> None:
        """Hands the frame to the sender.

        Raises:
            SinkError: frames cannot be encoded, or standard output not be written.
        """
        self._raise_error()
        if self._pace is not None:
            self._pace.wait(annotated.frame.time_s)
        if self._is_lossless:
            with stage("wait for the encoder"):
                self._mailbox.await_room(lambda: not self._sender.is_alive())
        frame = annotated.frame
        self._delivery.replaced += self._mailbox.put((annotated.canvas, frame.coded, frame.time_s))

    def begin_end(self, present: Sequence[Person]) -> None:
        """No frame follows: what waits is sent, of what may lose frames in the time for all."""
        self._is_ending = True
        self._mailbox.end()
        if not self._is_lossless or exit_code(0):
            self._hurry()

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Sends what waits, and leaves the destination.

        Raises:
            SinkError: nothing was ever taken there.
        """
        if not self._is_ending:  # it has failed, and the others go on
            self._ending = Ending()
            self.begin_end(present)
        sender = self._sender
        with stage("wait for the encoder"):
            while self._is_lossless and sender.is_alive() and not exit_code(0):
                sender.join(TICK_S)
            self._hurry()
            sender.join(self._ending.left_s(_LEAST_END_S))
        if sender.is_alive():
            self._ending.cut()
            sender.join(self._ending.left_s(_LEAST_END_S))
        self._raise_error()
        nothing_arrived = self._delivery.dropped and not self._delivery.sent
        if nothing_arrived and not sender.reader_left:
            raise SinkError(
                f"nothing could be sent: {self._sender.far_end.last_reason or 'no answer'}"
            )

    def _hurry(self) -> None:
        self._sender.hurry()
        self._ending.begin(self._sender.abandon)

    def _raise_error(self) -> None:
        error, self._sender.error = self._sender.error, None
        if error is not None:
            raise SinkError(getattr(error, "strerror", None) or str(error)) from error
