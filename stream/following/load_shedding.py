"""Load shedding: the search of a live source becomes rarer while frames come late."""

import time
from collections import deque
from collections.abc import Callable

from stream.frames import Frame

_INTERVAL_FACTOR = 1.6
"""How many times as long the time from one search to the next becomes with each level."""

_MAX_LEVEL = 6
"""The most levels of saving: searches are then 17 times as rare."""

_RECENT_FRAMES = 8
"""Frames over which late ones are counted; fewer react sooner, also to chance."""

_LATE_FRAMES = 3
"""Late frames, among the last `_RECENT_FRAMES`, from which a level is added; fewer react sooner,
also to chance."""

_PATIENCE_S = 1.0
"""Time without a late frame before a level is taken back, s."""

_MAX_PATIENCE_S = 32.0
"""The longest time without a late frame that is asked for before a level is taken back, s: the time
doubles each time that a level was taken back in vain."""


class LoadShedding:
    """Adds a level of saving while frames come late, and takes it back when they no longer do.

    A frame is late if one before it was dropped, or if it waited for half of its permitted age.

    Args:
        max_staleness_s: how old a frame may be when it is shown.
        clock: the monotonic clock, s.

    Attributes:
        level: of saving, 0 for none.
    """

    def __init__(
        self, max_staleness_s: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.level = 0
        self._max_age_s = max_staleness_s / 2
        self._clock = clock
        self._recent: deque[bool] = deque(maxlen=_RECENT_FRAMES)
        self._last_index: int | None = None
        self._calm_since_s = self._relaxed_s = clock()
        self._patience_s = _PATIENCE_S

    def __repr__(self) -> str:
        return f"LoadShedding(level {self.level})"

    @property
    def note(self) -> str:
        """What is saved, in words for the user; empty for nothing."""
        if not self.level:
            return ""
        return f"newcomers looked for {self.interval_factor:.1f}× more rarely"

    @property
    def interval_factor(self) -> float:
        """How many times as rare searches are at the present level."""
        return _INTERVAL_FACTOR**self.level

    def observe(self, frame: Frame) -> None:
        """Takes in whether the next frame, which is about to be annotated, is late."""
        now_s = self._clock()
        dropped = self._last_index is not None and frame.index > self._last_index + 1
        self._last_index = frame.index
        late = dropped or now_s - frame.captured_s > self._max_age_s
        self._recent.append(late)
        if late:
            self._calm_since_s = now_s
        if sum(self._recent) >= _LATE_FRAMES:
            self._add_level(now_s)
        elif self.level and now_s - self._calm_since_s > self._patience_s:
            self.level -= 1
            self._calm_since_s = self._relaxed_s = now_s

    def _add_level(self, now_s: float) -> None:
        """Adds a level; the next one is taken back later if the last was taken back in vain."""
        self._recent.clear()
        in_vain = now_s - self._relaxed_s < self._patience_s
        self._patience_s = min(2 * self._patience_s, _MAX_PATIENCE_S) if in_vain else _PATIENCE_S
        self.level = min(self.level + 1, _MAX_LEVEL)
