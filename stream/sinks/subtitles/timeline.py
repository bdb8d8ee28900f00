"""What is shown from when to when: frames in which hardly anything changes are one event."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Shown = TypeVar("_Shown")


class Event(NamedTuple, Generic[_Shown]):
    """What is shown for a time.

    Attributes:
        start_s: time of the first frame with it, s.
        end_s: time of the first frame without it, s.
        shown: as it was in the last frame with it.
    """

    start_s: float
    end_s: float
    shown: _Shown


@dataclass(slots=True)
class _Open(Generic[_Shown]):
    """What has been shown for a time: as it was in the first frame, and in the last one."""

    start_s: float
    first: _Shown
    last: _Shown


class Timeline(Generic[_Key, _Shown]):
    """Makes events of what is shown in each frame; its memory is bounded by that of one frame.

    Args:
        is_alike: whether what an event began with and what is shown now may be one event.
    """

    def __init__(self, is_alike: Callable[[_Shown, _Shown], bool]) -> None:
        self._is_alike = is_alike
        self._open: dict[_Key, _Open[_Shown]] = {}

    def __repr__(self) -> str:
        return f"Timeline({len(self._open)} shown)"

    def update(self, time_s: float, shown: Mapping[_Key, _Shown]) -> list[Event[_Shown]]:
        """The events that end with a frame, by their beginnings.

        Args:
            time_s: of the frame; not before that of the last one.
            shown: all that is shown in it, by a key that is the same from frame to frame.
        """
        ended = {
            key: before
            for key, before in self._open.items()
            if key not in shown or not self._is_alike(before.first, shown[key])
        }
        for key in ended:
            del self._open[key]
        for key, each in shown.items():
            self._open.setdefault(key, _Open(time_s, each, each)).last = each
        events = (Event(each.start_s, time_s, each.last) for each in ended.values())
        return sorted(events, key=lambda event: event.start_s)
