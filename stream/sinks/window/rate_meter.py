"""Frame rates and latency of a live picture."""

from collections import deque
from typing import NamedTuple

from stream.frames import Frame

_WINDOW_S = 2.0
"""Time over which rates and latency are means, s; longer is steadier and later."""


class _Shown(NamedTuple):
    """When a frame was shown; without the frame, whose pixels would be kept with it."""

    shown_s: float
    captured_s: float
    number: int


class RateMeter:
    """Rates and latency, as means over the last seconds."""

    def __init__(self) -> None:
        self._shown: deque[_Shown] = deque()

    def __repr__(self) -> str:
        return f"RateMeter({len(self._shown)} frames)"

    def add(self, frame: Frame, shown_s: float) -> None:
        """Takes in a frame, and since when it has been on the screen, `time.monotonic()`."""
        self._shown.append(_Shown(shown_s, frame.captured_s, frame.index))
        while shown_s - self._shown[0].shown_s > _WINDOW_S:
            self._shown.popleft()

    def clear(self) -> None:
        """Forgets all frames: the next one is unrelated to them."""
        self._shown.clear()

    @property
    def shown_fps(self) -> float | None:
        """Frames a second that were shown; None before the second frame."""
        if len(self._shown) < 2:
            return None
        return _rate(len(self._shown) - 1, self._shown[-1].shown_s - self._shown[0].shown_s)

    @property
    def captured_fps(self) -> float | None:
        """Frames a second of the source, dropped ones included; None before the second frame."""
        if len(self._shown) < 2:
            return None
        first, last = self._shown[0], self._shown[-1]
        return _rate(last.number - first.number, last.captured_s - first.captured_s)

    @property
    def latency_s(self) -> float | None:
        """Mean time from grab to screen; None before the first frame."""
        if not self._shown:
            return None
        return sum(each.shown_s - each.captured_s for each in self._shown) / len(self._shown)


def _rate(count: int, elapsed_s: float) -> float | None:
    return count / elapsed_s if elapsed_s > 0 else None
