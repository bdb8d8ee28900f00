"""The state of what results are sent to: there, or away and tried again in growing pauses."""

import logging
import time
from collections.abc import Callable

from stream.backoff import Backoff
from stream.deliveries import Delivery
from stream.source_history import stamp_now

_log = logging.getLogger(__name__)


class FarEnd:
    """Says once that a destination is away, once that it is there again, and when it is tried.

    It belongs to the thread that sends.

    Args:
        name: of the destination, as it is printed.
        delivery: takes how often and how long it was away.
        backoff: gives the pauses between tries.
        clock: the monotonic clock, s.

    Attributes:
        reason: why it is away; empty while it is there.
        last_reason: why it last took nothing.
    """

    def __init__(
        self,
        name: str,
        delivery: Delivery,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.reason = self.last_reason = ""
        self._name, self._delivery = name, delivery
        self._backoff, self._clock = backoff or Backoff(), clock
        self._lost_s = 0.0
        self._next_try_s = 0.0
        self._has_refused = False

    def __repr__(self) -> str:
        return f"FarEnd({self._name}, {self.reason or 'there'})"

    @property
    def is_away(self) -> bool:
        """Whether the last try failed."""
        return bool(self.reason)

    @property
    def pause_s(self) -> float:
        """How long the next try is still waited for, s; 0 where it is due."""
        return max(self._next_try_s - self._clock(), 0.0) if self.reason else 0.0

    def note_away(self, reason: str) -> None:
        """A try has failed; the first of an outage is said."""
        if not self.reason:
            self._delivery.outages += 1
            self._lost_s = self._clock()
            _log.warning(
                "%s: %s; tried again since %s, in growing pauses", self._name, reason, stamp_now()
            )
        self.reason = self.last_reason = reason
        self._next_try_s = self._clock() + self._backoff.next_s()

    def note_there(self) -> None:
        """It has taken something; that an outage is over is said."""
        if self.reason:
            lasted_s = self._clock() - self._lost_s
            self._delivery.outages_s += lasted_s
            _log.warning("%s is there again after %.1f s", self._name, lasted_s)
            self.reason = ""
        self._backoff.reset()

    def note_refused(self, reason: str) -> None:
        """It does not take one thing, but may take others; the first of a run is said."""
        if not self._has_refused:
            self._has_refused = True
            _log.warning("%s: %s; what it refuses is dropped", self._name, reason)
        self.last_reason = reason
