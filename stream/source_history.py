"""What happens to a source while it is read: when it is live or waited for, and what is damaged.

The thread that reads a source notes it; logs, the summary and the window read it meanwhile.
"""

import math
import threading
import time
from collections import deque
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from typing import Any, Literal, TypeAlias

_KEPT_GAPS = 1000
"""Gaps that are kept one by one, and twice as many changes of state; older ones are only counted.
More take memory in a run of weeks, about 300 bytes each."""


State: TypeAlias = Literal["live", "waiting", "back"]
"""It gives pictures; it is waited for; it gives pictures again."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """A source has become live, is waited for, or is back.

    Attributes:
        state: the new state.
        at: when, with the zone.
        reason: why it is waited for; else empty.
        noted_s: `time.monotonic()` when it was lost, or likewise when that loss was over.
        lasted_s: for how long it was waited for, s; None where it was not.
    """

    state: State
    at: datetime
    noted_s: float
    reason: str = ""
    lasted_s: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The change as a line of a log."""
        entry: dict[str, Any] = {"state": self.state, "at": stamp(self.at)}
        if self.reason:
            entry["reason"] = self.reason
        if self.lasted_s is not None:
            entry["lasted_s"] = round(self.lasted_s, 3)
        return entry


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without pictures.

    Attributes:
        since: when the source was lost, with the zone.
        reason: why.
        lasted_s: until its first picture thereafter, s; None where it has not come back.
    """

    since: datetime
    reason: str
    lasted_s: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The gap as JSON has it."""
        lasted_s = None if self.lasted_s is None else round(self.lasted_s, 3)
        return {"since": stamp(self.since), "lasted_s": lasted_s, "reason": self.reason}


class SourceHistory:
    """The states of a source, each noted once, and its gaps. Safe from several threads.

    Attributes:
        damaged_packets: packets that could not be decoded.
    """

    def __init__(self) -> None:
        self.damaged_packets = 0
        self._lock = threading.RLock()  # a signal may ask in the middle of a change
        self._changes: deque[StateChange] = deque(maxlen=2 * _KEPT_GAPS)
        self._change_count = 0
        self._gaps: deque[Gap] = deque(maxlen=_KEPT_GAPS)
        self._gap_count = 0
        self._reconnects = 0
        self._gaps_s = 0.0
        self._lost_s = 0.0  # by the monotonic clock, which no change of the time moves

    def __repr__(self) -> str:
        return f"SourceHistory({self._gap_count} gaps, {self._gaps_s:.1f} s)"

    def __getstate__(self) -> dict[str, Any]:
        """All but the lock, so that the summary of a run can be sent to another process."""
        with self._lock:
            return {name: copy(value) for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.RLock())

    @property
    def reconnects(self) -> int:
        """How often the source came back."""
        return self._reconnects

    @property
    def gap_count(self) -> int:
        """How often the source was waited for."""
        return self._gap_count

    @property
    def gaps_s(self) -> float:
        """How long all gaps lasted that are over, s."""
        return self._gaps_s

    @property
    def gaps(self) -> list[Gap]:
        """The last gaps, in order."""
        with self._lock:
            return list(self._gaps)

    @property
    def is_waiting(self) -> bool:
        """Whether it is waited for at present."""
        with self._lock:
            return bool(self._changes) and self._changes[-1].state == "waiting"

    @property
    def last_reason(self) -> str:
        """Why it is waited for at present, or was last; empty where it never was."""
        with self._lock:
            return self._gaps[-1].reason if self._gaps else ""

    def changes_since(self, count: int, captured_s: float = math.inf) -> list[StateChange]:
        """The changes after the first `count`, in order, as far as they are kept.

        Args:
            count: of the changes that are known.
            captured_s: only those before a frame that was grabbed then: the loss of a source may be
                known before its last frame is taken.
        """
        if count == self._change_count:
            return []  # as in most frames: without the lock, in which a signal might come
        with self._lock:
            new = self._change_count - count
            changes = list(self._changes)[-new:] if new > 0 else []
        return list(takewhile(lambda change: change.noted_s <= captured_s, changes))

    def as_dict(self, known_gaps: int = 0) -> dict[str, Any]:
        """The figures as JSON has them; of the gaps the last ones, without the first that many."""
        new = self._gap_count - known_gaps
        return {
            "reconnects": self._reconnects,
            "gaps_s": round(self._gaps_s, 3),
            "gaps": [gap.as_dict() for gap in (self.gaps[-new:] if new > 0 else ())],
            "damaged_packets": self.damaged_packets,
        }

    def add(self, other: "SourceHistory") -> None:
        """Adds the gaps and the damage of another source, whose states are its own."""
        with self._lock:
            self._gaps.extend(other.gaps)
            self._gap_count += other.gap_count
            self._gaps_s += other.gaps_s
            self._reconnects += other.reconnects
            self.damaged_packets += other.damaged_packets

    def note_live(self) -> StateChange:
        """The source gives its first picture, perhaps after a wait."""
        with self._lock:
            return self._note("live", lasted_s=self._end_gap())

    def note_waiting(self, reason: str) -> StateChange:
        """The source is lost, or is not there yet, and is waited for."""
        with self._lock:
            self._lost_s = time.monotonic()
            change = self._note("waiting", reason)
            self._gaps.append(Gap(change.at, reason))
            self._gap_count += 1
            return change

    def note_back(self) -> StateChange:
        """The source gives pictures again."""
        with self._lock:
            self._reconnects += 1
            return self._note("back", lasted_s=self._end_gap())

    def _end_gap(self) -> float | None:
        """Ends the gap that goes on, if one does; how long it lasted, s."""
        if not self._gaps or self._gaps[-1].lasted_s is not None:
            return None
        lasted_s = time.monotonic() - self._lost_s
        self._gaps[-1] = replace(self._gaps[-1], lasted_s=lasted_s)
        self._gaps_s += lasted_s
        return lasted_s

    def _note(self, state: State, reason: str = "", lasted_s: float | None = None) -> StateChange:
        # The first frame after a loss was grabbed before it is known that the loss is over.
        change = StateChange(state, _now(), self._lost_s, reason, lasted_s)
        self._changes.append(change)
        self._change_count += 1
        return change


def stamp(at: datetime) -> str:
    """A date and time with its zone, as messages, logs and the summary write it."""
    return at.isoformat(sep=" ", timespec="seconds")


def stamp_now() -> str:
    """The present date and time likewise."""
    return stamp(_now())


def _now() -> datetime:
    return datetime.now().astimezone()
