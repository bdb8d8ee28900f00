"""The time of each frame, made of what its container says."""

_JUMP_S = 1.0  # further back than this begins a new count, as where two recordings were joined
_NUDGE_S = 0.001


class MediaClock:
    """Counts from the start of a container, only forwards, whatever the container says.

    Args:
        start_s: when the container's own clock starts.
        step_s: from one frame to the next, where the container says nothing.
    """

    def __init__(self, start_s: float, step_s: float) -> None:
        self._start_s = start_s
        self._step_s = step_s
        self._last_s: float | None = None

    def __repr__(self) -> str:
        return f"MediaClock({self._last_s})"

    def time_s(self, said_s: float | None) -> float:
        """The time of the next frame, of which the container says `said_s`, or nothing."""
        next_s = 0.0 if self._last_s is None else self._last_s + self._step_s
        known_s = next_s if said_s is None else said_s - self._start_s
        if self._last_s is None:
            known_s = max(known_s, 0.0)
        elif known_s <= self._last_s - _JUMP_S:
            self._start_s += known_s - next_s
            known_s = next_s
        elif known_s <= self._last_s:
            known_s = self._last_s + _NUDGE_S
        self._last_s = known_s
        return known_s
