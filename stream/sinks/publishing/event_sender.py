"""The sink that sends events on, one after another, in a thread of its own."""

import threading
import time
from collections.abc import Sequence
from typing import Protocol

from models.program.interrupts import exit_code
from stream.deliveries import Delivery
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.data.events import Event, Events
from stream.sinks.publishing.ending import Ending
from stream.sinks.publishing.far_end import FarEnd
from stream.sinks.publishing.mailbox import Mailbox
from stream.stalls import TICK_S

_ROOM = 1000
"""Events that wait at most while the service is away; of more the oldest are dropped."""

_TICK_S = 0.2
"""Time after which a sender without events looks after its connection, s."""

_LEAST_END_S = 0.1
"""How long the last events may take in any case, s: a service that answers takes them at once."""


class AwayError(Exception):
    """The service does not answer, or cannot take events now: the event is tried again."""


class RefusedError(Exception):
    """The service does not take this event, and would not the next time."""


class EventClient(Protocol):
    """Speaks with one service, in the thread that sends."""

    def send(self, event: Event) -> None:
        """Gives the service an event, and waits until it has it.

        Raises:
            AwayError: it cannot take it now.
            RefusedError: it does not take it.
        """

    def look_after(self, faces: int) -> None:
        """Does what is due between events, with the number of faces in sight.

        Raises:
            AwayError: the service has left.
        """

    def interrupt(self) -> None:
        """Ends what the thread waits for; called by another thread."""

    def close(self) -> None:
        """Leaves the service."""


class EventSender:
    """Sends each event to a service, in order. The frames wait for nothing.

    A service that is away is said once, and tried again in growing pauses; meanwhile as many events
    wait as there is room for. An event that it refuses is dropped, and that is said once.

    Args:
        name: of the service, as it is printed.
        info: the source.
        client: speaks with the service.
        delivery: takes what became of the events.
        ending: the time that is left at the end of the run.
    """

    output = None
    quit_requested = False

    def __init__(
        self,
        name: str,
        info: SourceInfo,
        client: EventClient,
        delivery: Delivery,
        ending: Ending | None = None,
    ) -> None:
        self.name = name
        self._info, self._ending = info, ending or Ending()
        self._is_ending = False
        self._events = Events(info)
        self._delivery = delivery
        self._mailbox = Mailbox[Event](_ROOM)
        self._thread = _SenderThread(name, client, delivery, self._mailbox)

    def __repr__(self) -> str:
        return f"EventSender({self.name})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Queues what the frame brings.

        Raises:
            SinkError: events cannot be sent at all.
        """
        self._raise_error()
        self._thread.faces = sum(not track.missed_frames for track in annotated.tracks)
        self._put(self._events.of_frame(annotated))

    def begin_end(self, present: Sequence[Person]) -> None:
        """Queues that the people who are still present are gone; what waits is sent.

        1. The events of a live source, or after a signal: what can be sent in a moment.
        2. Those of a file: all, as long as the service takes them.
        """
        self._is_ending = True
        self._put(self._events.of_end(present))
        self._mailbox.end()
        if self._info.is_live or exit_code(0):
            self._hurry()

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Waits until all is sent that is to be, and leaves.

        Raises:
            SinkError: the service never took anything, or events cannot be sent at all.
        """
        if not self._is_ending:
            self._ending = Ending()
            self.begin_end(present)
        thread = self._thread
        while not self._info.is_live and thread.is_alive() and not exit_code(0):
            thread.join(TICK_S)
        self._hurry()
        thread.join(self._ending.left_s(_LEAST_END_S))
        if thread.is_alive():
            self._ending.cut()
            thread.join(self._ending.left_s(_LEAST_END_S))
        self._delivery.lost += len(self._mailbox)
        self._raise_error()
        if self._delivery.dropped and not self._delivery.sent:
            raise SinkError(f"no event could be sent: {thread.far_end.last_reason or 'no answer'}")

    def _hurry(self) -> None:
        self._ending.begin(self._thread.interrupt)
        self._thread.stop_s = time.monotonic() + self._ending.left_s(_LEAST_END_S)

    def _raise_error(self) -> None:
        if (error := self._thread.error) is not None:
            raise SinkError(f"events cannot be sent: {error}") from error

    def _put(self, events: Sequence[Event]) -> None:
        for event in events:
            self._delivery.replaced += self._mailbox.put(event)


class _SenderThread(threading.Thread):
    """Sends the events of a mailbox until it ends. It is a daemon, for a name may never resolve.

    Attributes:
        faces: how many are in sight.
        far_end: the state of the service.
        error: why nothing can be sent any more.
        stop_s: when nothing is sent any more, s of the monotonic clock.
    """

    def __init__(
        self, name: str, client: EventClient, delivery: Delivery, mailbox: Mailbox[Event]
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.faces = 0
        self.far_end = FarEnd(name, delivery)
        self.stop_s = float("inf")
        self.error: Exception | None = None
        self._client, self._delivery, self._mailbox = client, delivery, mailbox
        self._interrupted = threading.Event()
        self.start()

    def interrupt(self) -> None:
        """Ends every wait, now and from now on; called by another thread."""
        self._interrupted.set()
        self._client.interrupt()

    def run(self) -> None:
        """Sends."""
        try:
            while not self._is_over():
                event = self._mailbox.take(_TICK_S)
                if event is not None:
                    self._send(event)
                if not self.far_end.pause_s:
                    self._look_after()
        except Exception as error:  # noqa: BLE001 - raised again by the sink
            self.error = error
        finally:
            self._client.close()

    def _is_over(self) -> bool:
        if self._interrupted.is_set() or time.monotonic() > self.stop_s:
            return True
        return self._mailbox.is_ended and (not len(self._mailbox) or self.far_end.is_away)

    def _send(self, event: Event) -> None:
        """Sends an event, in as many tries as it takes; it is lost where the end comes first."""
        while True:
            try:
                self._client.send(event)
            except AwayError as error:
                if not self._interrupted.is_set():
                    self.far_end.note_away(str(error))
            except RefusedError as error:
                self._note_refused(str(error))
                return
            else:
                self._delivery.sent += 1
                self.far_end.note_there()
                return
            if not self._await_try():
                self._delivery.lost += 1
                return

    def _await_try(self) -> bool:
        """Waits until the next try is due; whether there is one."""
        while (pause_s := self.far_end.pause_s) and not self._is_ending():
            self._interrupted.wait(min(pause_s, _TICK_S))
        return not self._is_ending()

    def _is_ending(self) -> bool:
        return self._interrupted.is_set() or self._mailbox.is_ended

    def _look_after(self) -> None:
        try:
            self._client.look_after(self.faces)
        except AwayError as error:
            if not self._interrupted.is_set():
                self.far_end.note_away(str(error))

    def _note_refused(self, reason: str) -> None:
        self._delivery.lost += 1
        self.far_end.note_refused(reason)
