"""When how much of the frame is searched for newcomers.

Files are searched by halves: every other scale, and 0.4 seconds later those between. Live sources
are searched in as many parts as frames come meanwhile, so that no frame is late; and where the
machine cannot keep up all the same, more rarely and then more coarsely, until it can.
"""

from dataclasses import dataclass

from stream.following.load_shedding import LoadShedding
from stream.frames import TIME_TOLERANCE_S, Frame, SourceInfo

HALF_SEARCH_S = 0.4
"""A newcomer is likely seen that soon, mostly after twice that time at the latest; beside the head
of somebody who moves, or with little contrast, later (`change_map`)."""


@dataclass(frozen=True, slots=True)
class SearchPart:
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
        thrift: LoadShedding | None = None,
    ) -> None:
        self._every = None if frame_skip is None else frame_skip + 1
        self._spread = info.is_live and divisible
        self._halves = divisible and frame_skip is None
        self._base = self._every or round(2 * HALF_SEARCH_S * info.nominal_fps)
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

    def share(self, frame: Frame, *, watchful: bool = False) -> SearchPart | None:
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
            return self._searched(frame, SearchPart())
        if self._spread:
            return self._searched(frame, self._next_part())
        if not self._is_due(frame):
            return None
        self._turn = 1 - self._turn
        return self._searched(frame, SearchPart(self._turn, 2) if self._halves else SearchPart())

    def _searched(self, frame: Frame, share: SearchPart) -> SearchPart:
        self._frames, self._searched_s = 0, frame.time_s
        return share

    def _is_due(self, frame: Frame) -> bool:
        if self._every is not None:
            return self._frames >= self._every
        return abs(frame.time_s - self._searched_s) >= HALF_SEARCH_S - TIME_TOLERANCE_S

    def _next_part(self) -> SearchPart:
        rarity, coarseness = (1.0, 1.0) if self._thrift is None else self._thrift.saving
        parts = max(round(self._base * rarity), 1)
        # Where the division changes, the search goes on at about the same place.
        self._turn = (self._turn * parts // self._parts + 1) % parts
        self._parts = parts
        return SearchPart(self._turn, parts, coarseness)
