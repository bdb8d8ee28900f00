"""Rates and latency of what is shown."""

from collections import deque

from stream.frames import Frame


class RateMeter:
    """Rates and latency over the last seconds."""

    def __init__(self) -> None:
        self._shown: deque[tuple[float, Frame]] = deque()

    def __repr__(self) -> str:
        return f"Meter({len(self._shown)} frames)"

    def add(self, frame: Frame, shown_s: float) -> None:
        """A frame that has been on the screen since that moment of the monotonic clock."""
        self._shown.append((shown_s, frame))
        while shown_s - self._shown[0][0] > _SPAN_S:
            self._shown.popleft()

    def clear(self) -> None:
        """What comes has nothing to do with what was."""
        self._shown.clear()

    @property
    def shown_fps(self) -> float | None:
        """Frames a second that were shown; None before the second one."""
        return _rate(len(self._shown) - 1, self._shown[-1][0] - self._shown[0][0]) if self else None

    @property
    def captured_fps(self) -> float | None:
        """Frames a second that the source gave, those dropped too; None before the second one."""
        if not self:
            return None
        first, last = self._shown[0][1], self._shown[-1][1]
        return _rate(last.index - first.index, last.captured_s - first.captured_s)

    @property
    def latency_s(self) -> float | None:
        """The mean from grab to screen; None before the first."""
        if not self._shown:
            return None
        return sum(shown_s - each.captured_s for shown_s, each in self._shown) / len(self._shown)

    def __bool__(self) -> bool:
        return len(self._shown) > 1


def _rate(count: int, elapsed_s: float) -> float | None:
    return count / elapsed_s if elapsed_s > 0 else None


_SPAN_S = 2.0  # rates and latency are means over so long
