"""Media time: that of each frame, and what a container states of its own clock."""

from av.container import InputContainer

_TICKS_PER_S = 1_000_000
"""Ticks a second of FFmpeg's clock for containers (`AV_TIME_BASE`)."""

_MIN_JUMP_S = 1.0
"""How far back a stated time must lie for the container's clock to count as started anew, s, as
where two recordings were joined."""

_MIN_STEP_S = 0.001
"""How much later a frame is than the last one if the stated time does not lie after it, s."""


class MediaClock:
    """Counts from the start of a container, only forwards, whatever times the container states.

    Args:
        start_s: when the container's own clock starts.
        step_s: from one frame to the next, where the container states no time.
    """

    def __init__(self, start_s: float, step_s: float) -> None:
        self._start_s = start_s
        self._step_s = step_s
        self._last_s: float | None = None

    def __repr__(self) -> str:
        return f"MediaClock({self._last_s})"

    def time_s(self, stated_s: float | None) -> float:
        """The time of the next frame, given the time that the container states.

        1. No time is stated: one step after the last frame.
        2. The first frame is not before the start.
        3. The stated time lies far back: the clock was started anew, and counts on from here.
        4. It lies a little back: as little after the last frame as can be.
        5. Otherwise it is the stated time.
        """
        next_s = 0.0 if self._last_s is None else self._last_s + self._step_s
        time_s = next_s if stated_s is None else stated_s - self._start_s
        if self._last_s is None:
            time_s = max(time_s, 0.0)
        elif time_s <= self._last_s - _MIN_JUMP_S:
            self._start_s += time_s - next_s
            time_s = next_s
        elif time_s <= self._last_s:
            time_s = self._last_s + _MIN_STEP_S
        self._last_s = time_s
        return time_s


def start_time_s(container: InputContainer) -> float:
    """When the container's clock starts; media time counts from there."""
    return (container.start_time or 0) / _TICKS_PER_S


def duration_s(container: InputContainer) -> float | None:
    """The duration that the container declares; None where it declares none."""
    ticks = container.duration
    return ticks / _TICKS_PER_S if ticks and ticks > 0 else None
