"""When how much of a frame is searched for new faces.

1. Pictures: all of each.
2. A file: by halves, every other scale, and 0.4 seconds later those between.
3. A live source: in as many parts as frames come meanwhile, so that no frame is late; where the
   machine cannot keep up all the same, more rarely and then more coarsely (`load_shedding`).
4. Where the search cannot be divided, or the user says how often: all of a frame, now and then.
"""

from dataclasses import dataclass

from stream.following.load_shedding import NO_SAVING, LoadShedding
from stream.frames import TIME_TOLERANCE_S, Frame, SourceInfo

HALF_SEARCH_S = 0.4
"""Time from one half of a search to the other, s. A new face is likely found that soon, mostly
after twice that time at the latest; beside a moving head, or with little contrast, later (see
`change_map`). Longer costs less."""


@dataclass(frozen=True, slots=True)
class SearchPart:
    """What is searched in one frame: by default all of it.

    Attributes:
        index: which of the parts, from 0.
        count: in how many parts the search is divided.
        scale_factor: by what the scale of the search is multiplied, at most 1.
    """

    index: int = 0
    count: int = 1
    scale_factor: float = 1.0

    @property
    def is_whole(self) -> bool:
        """Whether it is a search in one piece."""
        return self.count == 1


class Schedule:
    """Says for each frame what of it is to be searched.

    Args:
        info: the source.
        frame_skip: frames between two searches; None for what suits the source.
        divisible: a search can be spread over several frames.
        load_shedding: makes the search of a live source cheaper where it must; None leaves it.
    """

    def __init__(
        self,
        info: SourceInfo,
        frame_skip: int | None = None,
        *,
        divisible: bool = False,
        load_shedding: LoadShedding | None = None,
    ) -> None:
        self._every = None if frame_skip is None else frame_skip + 1
        self._is_spread = info.is_live and divisible
        self._by_halves = divisible and frame_skip is None
        self._frames_per_search = self._every or round(2 * HALF_SEARCH_S * info.nominal_fps)
        sheds = self._is_spread and frame_skip is None
        self._load_shedding = load_shedding if sheds else None
        self._whole_next = True
        self._count = 1
        self._part = 0
        self._frames = 0  # since the last search
        self._searched_s = 0.0

    def __repr__(self) -> str:
        every = f"{HALF_SEARCH_S} s" if self._every is None else f"{self._every} frames"
        return f"Schedule(a search every {every})"

    @property
    def load_shedding_note(self) -> str:
        """What is saved to keep up, in words for the user; empty for nothing."""
        return "" if self._load_shedding is None else self._load_shedding.note

    def restart(self) -> None:
        """The next frame is unrelated to those before: all of it is searched at once."""
        self._whole_next = True

    def next_part(self, frame: Frame, *, search_all: bool = False) -> SearchPart | None:
        """What is to be searched in the next frame; None for nothing.

        Args:
            frame: the next one.
            search_all: no face may be overlooked: all of each frame is searched, unless
                `frame_skip` says how often.
        """
        self._frames += 1
        if self._load_shedding is not None:
            self._load_shedding.observe(frame)
        if self._whole_next or (search_all and self._every is None):
            self._whole_next = False
            return self._searched(frame, SearchPart())
        if self._is_spread:
            return self._searched(frame, self._part_of_spread_search())
        if not self._is_due(frame):
            return None
        self._part = 1 - self._part
        return self._searched(frame, SearchPart(self._part, 2) if self._by_halves else SearchPart())

    def _searched(self, frame: Frame, part: SearchPart) -> SearchPart:
        self._frames, self._searched_s = 0, frame.time_s
        return part

    def _is_due(self, frame: Frame) -> bool:
        if self._every is not None:
            return self._frames >= self._every
        return abs(frame.time_s - self._searched_s) >= HALF_SEARCH_S - TIME_TOLERANCE_S

    def _part_of_spread_search(self) -> SearchPart:
        shedding = self._load_shedding
        saving = NO_SAVING if shedding is None else shedding.saving
        count = max(round(self._frames_per_search * saving.interval_factor), 1)
        # Where the division changes, the search goes on at about the same place.
        self._part = (self._part * count // self._count + 1) % count
        self._count = count
        return SearchPart(self._part, count, saving.scale_factor)
