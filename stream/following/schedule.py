"""When a frame is searched for new faces, and how much of it.

1. The first frame, the one after a cut, each frame while faces are blurred: all of it.
2. Where the user says how often: all of it, now and then.
3. Else, some times a second: what has changed (`change_map`), of a live source a step in each frame
   (`search_steps`); where the machine cannot keep up all the same, more rarely (`load_shedding`).
"""

from enum import Enum, auto

from stream.following.load_shedding import LoadShedding
from stream.frames import TIME_TOLERANCE_S, Frame

SEARCH_S = 0.4
"""Time from one search to the next, s: the time in which a new face is found at the latest, but
beside a moving head or with little contrast (see `change_map`). Longer costs less."""


class Search(Enum):
    """How much of a frame is searched."""

    NEXT_STEP = auto()
    """Of a live source, the next step of a search that has begun."""

    CHANGES = auto()
    """What has changed since it was last searched."""

    ALL = auto()
    """All of the frame."""


class Schedule:
    """Says for each frame whether a search is due.

    Args:
        frame_skip: frames between two searches; None for a time between them.
        load_shedding: makes the searches of a live source rarer where it must; None leaves them.
    """

    def __init__(
        self, frame_skip: int | None = None, *, load_shedding: LoadShedding | None = None
    ) -> None:
        self._every = None if frame_skip is None else frame_skip + 1
        self._load_shedding = load_shedding if frame_skip is None else None
        self._all_next = True
        self._frames = 0  # since the last search
        self._frames_of_step = 0
        self._searched_s = 0.0

    def __repr__(self) -> str:
        every = f"{SEARCH_S} s" if self._every is None else f"{self._every} frames"
        return f"Schedule(a search every {every})"

    @property
    def load_shedding_note(self) -> str:
        """What is saved to keep up, in words for the user; empty for nothing."""
        return "" if self._load_shedding is None else self._load_shedding.note

    def restart(self) -> None:
        """The next frame is unrelated to those before: all of it is searched at once."""
        self._all_next = True

    def next_search(
        self, frame: Frame, *, search_all: bool = False, has_steps: bool = False
    ) -> Search | None:
        """How much of the next frame is to be searched; None for nothing.

        Args:
            frame: the next one.
            search_all: no face may be overlooked: all of each frame is searched, unless
                `frame_skip` says how often.
            has_steps: steps of the last search are left.
        """
        self._frames += 1
        self._frames_of_step += 1
        if self._load_shedding is not None:
            self._load_shedding.observe(frame)
        if self._all_next or (search_all and self._every is None):
            self._all_next = False
            return self._searched(frame, Search.ALL)
        if self._every is not None:
            return self._searched(frame, Search.ALL) if self._frames >= self._every else None
        factor = 1.0 if self._load_shedding is None else self._load_shedding.interval_factor
        if has_steps:
            return self._step() if self._frames_of_step >= factor else None
        elapsed_s = abs(frame.time_s - self._searched_s)
        is_due = elapsed_s >= SEARCH_S * factor - TIME_TOLERANCE_S
        return self._searched(frame, Search.CHANGES) if is_due else None

    def _searched(self, frame: Frame, search: Search) -> Search:
        self._frames, self._searched_s = 0, frame.time_s
        self._frames_of_step = 0
        return search

    def _step(self) -> Search:
        self._frames_of_step = 0
        return Search.NEXT_STEP
