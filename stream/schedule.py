"""When how much of the frame is searched for newcomers.

Files are searched by halves: every other scale, and 0.4 seconds later those between. Live sources
are searched in as many parts as frames come meanwhile, so that no frame is late; and where the
machine cannot keep up all the same, more rarely and then more coarsely, until it can.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from stream.frames import Frame, SourceInfo

HALF_SEARCH_S = 0.4
"""A newcomer is likely seen that soon, mostly after twice that time at the latest; beside the head
of somebody who moves, or with little contrast, later (`stream.motion`)."""

_ASSUMED_FPS = 25.0  # of a source that does not say
_TICK_S = 1e-3  # the times of frames are not exact
_RARER, _RARER_STEPS = 1.6, 4  # at first a search takes up to 6.5 times as long,
_COARSER, _COARSER_STEPS = 0.8, 4  # then it is made at down to 0.4 of its scale
_RECENT, _MANY = 8, 3  # frames, and how many of them late, that show the machine cannot keep up
_PATIENCE_S, _MAX_PATIENCE_S = 1.0, 32.0  # without a late frame before more is tried again


@dataclass(frozen=True, slots=True)
class Share:
    """What is searched in one frame: by default all of it.

    Attributes:
        part: which of the parts.
        parts: in how many the search is divided.
        coarseness: by what its scale is multiplied, at most 1.
    """

    part: int = 0
    parts: int = 1
    coarseness: float = 1.0


class Schedule:
    """Says for each frame what is to be searched.

    Args:
        info: the source.
        frame_skip: frames between two searches; None for what suits the source.
        divisible: a search can be spread over several frames.
        thrift: makes a live source's search cheaper where it must; None leaves it as it is.
    """

    def __init__(
        self,
        info: SourceInfo,
        frame_skip: int | None = None,
        *,
        divisible: bool = False,
        thrift: "Thrift | None" = None,
    ) -> None:
        self._every = None if frame_skip is None else frame_skip + 1
        self._spread = info.is_live and divisible
        self._halves = divisible and frame_skip is None
        self._base = self._every or round(2 * HALF_SEARCH_S * (info.fps or _ASSUMED_FPS))
        self._thrift = thrift if self._spread and frame_skip is None else None
        self._whole_next = True
        self._parts = 1
        self._turn = 0
        self._frames = 0  # since the last search
        self._searched_s = 0.0

    def __repr__(self) -> str:
        every = f"{HALF_SEARCH_S} s" if self._every is None else f"{self._every} frames"
        return f"Schedule(a search every {every})"

    @property
    def thrift(self) -> str:
        """What is done to keep up, for the user; empty where nothing is."""
        return "" if self._thrift is None else str(self._thrift)

    def restart(self) -> None:
        """The next frame has nothing to do with those before: all of it is searched at once."""
        self._whole_next = True

    def share(self, frame: Frame, *, watchful: bool = False) -> Share | None:
        """What is to be searched in the next frame, if anything.

        Args:
            frame: the next one.
            watchful: nobody is to be overlooked: all of each frame, unless `frame_skip` says how
                often.
        """
        self._frames += 1
        if self._thrift is not None:
            self._thrift.note(frame)
        if self._whole_next or (watchful and self._every is None):
            self._whole_next = False
            return self._searched(frame, Share())
        if self._spread:
            return self._searched(frame, self._next_part())
        if not self._is_due(frame):
            return None
        self._turn = 1 - self._turn
        return self._searched(frame, Share(self._turn, 2) if self._halves else Share())

    def _searched(self, frame: Frame, share: Share) -> Share:
        self._frames, self._searched_s = 0, frame.time_s
        return share

    def _is_due(self, frame: Frame) -> bool:
        if self._every is not None:
            return self._frames >= self._every
        return abs(frame.time_s - self._searched_s) >= HALF_SEARCH_S - _TICK_S

    def _next_part(self) -> Share:
        rarity, coarseness = (1.0, 1.0) if self._thrift is None else self._thrift.saving
        parts = max(round(self._base * rarity), 1)
        # Where the division changes, the search goes on at about the same place.
        self._turn = (self._turn * parts // self._parts + 1) % parts
        self._parts = parts
        return Share(self._turn, parts, coarseness)


class Thrift:
    """Spares effort while frames come late, and tries again when they have not for a while.

    A frame is late if one before it was dropped, or if it waited for half of what its age may be.

    Args:
        max_staleness_s: how old a frame may be when it is shown.
        may_coarsen: the scale of the search is not the user's choice.
        clock: tests pass one of their own.
    """

    def __init__(
        self,
        max_staleness_s: float,
        *,
        may_coarsen: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.level = 0
        self._max_age_s = max_staleness_s / 2
        self._max_level = _RARER_STEPS + _COARSER_STEPS * may_coarsen
        self._clock = clock
        self._recent: deque[bool] = deque(maxlen=_RECENT)
        self._last_index: int | None = None
        self._calm_since_s = self._relaxed_s = clock()
        self._patience_s = _PATIENCE_S

    def __repr__(self) -> str:
        return f"Thrift(level {self.level})"

    def __str__(self) -> str:
        """What it does, for the user."""
        if not self.level:
            return ""
        rarity, coarseness = self.saving
        finer = f", at {coarseness:.0%} of the scale" if coarseness < 1 else ""
        return f"newcomers looked for {rarity:.1f}× more rarely{finer}"

    @property
    def saving(self) -> tuple[float, float]:
        """How many times as long a search takes, and by what its scale is multiplied."""
        rarer = min(self.level, _RARER_STEPS)
        return _RARER**rarer, _COARSER ** (self.level - rarer)

    def note(self, frame: Frame) -> None:
        """The next frame is about to be looked at."""
        now_s = self._clock()
        dropped = self._last_index is not None and frame.index > self._last_index + 1
        self._last_index = frame.index
        late = dropped or now_s - frame.captured_s > self._max_age_s
        self._recent.append(late)
        if late:
            self._calm_since_s = now_s
        if sum(self._recent) >= _MANY:
            self._save(now_s)
        elif self.level and now_s - self._calm_since_s > self._patience_s:
            self.level -= 1
            self._calm_since_s = self._relaxed_s = now_s

    def _save(self, now_s: float) -> None:
        """One level more; what was tried in vain is not tried again so soon."""
        self._recent.clear()
        in_vain = now_s - self._relaxed_s < self._patience_s
        self._patience_s = min(2 * self._patience_s, _MAX_PATIENCE_S) if in_vain else _PATIENCE_S
        self.level = min(self.level + 1, self._max_level)
