"""A live source's search made cheaper while frames come late."""

import time
from collections import deque
from collections.abc import Callable

from stream.frames import Frame

_RARER, _RARER_STEPS = 1.6, 4  # at first a search takes up to 6.5 times as long,
_COARSER, _COARSER_STEPS = 0.8, 4  # then it is made at down to 0.4 of its scale
_RECENT, _MANY = 8, 3  # frames, and how many of them late, that show the machine cannot keep up
_PATIENCE_S, _MAX_PATIENCE_S = 1.0, 32.0  # without a late frame before more is tried again


class LoadShedding:
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
