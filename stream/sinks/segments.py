"""Segments: the parts of a run that have files of their own, and which frames belong to each."""

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Self

from stream.frames import TIME_TOLERANCE_S, Frame
from stream.settings.schema import RecorderSection
from stream.sinks.paths import STAMP_FORMAT, is_taken
from stream.tracks import Track

_STAMP = r"(\d{8}-\d{6}[+-]\d{4})(?:-\d+)?"
"""The form of that, and of the number of a further segment of the same second."""

KEYFRAME_S = 1.0
"""Time between two frames that a segment may begin with, s; a kill costs no more, and more makes
the time before a face longer than was asked for."""

_RETRY_S = 10.0
"""Time after which a segment begins that follows one whose file failed, s."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a run that has files of its own.

    Attributes:
        stamp: what the names of its files end in; empty where there is one file for all of the run.
        start_s: time in the source of its first frame.
        number: counts the segments of a run from 0 on.
    """

    stamp: str
    start_s: float
    number: int = 0


WHOLE_RUN = Segment("", 0.0)
"""The only segment of a run that is not divided."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a frame belongs.

    Attributes:
        segment: the segment; None where no face is near: it is held back, and belongs to the next
            segment if that begins early enough.
        since_s: held frames from this time on belong to the segment too; of a frame that is held
            back, those from before this time will belong to none.
        is_key: the frame can be decoded without those before it.
    """

    segment: Segment | None
    since_s: float
    is_key: bool = False


WHOLE = Placement(WHOLE_RUN, 0.0)
"""Where every frame of a run belongs that is not divided."""


@dataclass(frozen=True, slots=True)
class SegmentNames:
    """The names of one output's files: `FOLDER/STEM-STAMP.ENDING`.

    Attributes:
        folder: of the files.
        stem: what the names begin with.
        ending: what they end with, with its dot.
    """

    folder: Path
    stem: str
    ending: str

    @classmethod
    def of(cls, path: Path, ending: str = "") -> Self:
        """The names by the one that was asked for."""
        return cls(path.parent, path.stem, ending or path.suffix)

    def path(self, stamp: str) -> Path:
        """The file of a segment; without a stamp the one that was asked for."""
        return self.folder / f"{self.stem}{'-' if stamp else ''}{stamp}{self.ending}"

    def stamp_of(self, file_name: str) -> str:
        """The stamp of a file; empty where the name is none of these."""
        match = re.fullmatch(
            f"{re.escape(self.stem)}-({_STAMP}){re.escape(self.ending)}", file_name
        )
        return match[1] if match else ""


def begun_at(stamp: str) -> datetime:
    """When a segment began, with the zone.

    Raises:
        ValueError: there is no such date.
    """
    match = re.fullmatch(_STAMP, stamp)
    if match is None:
        raise ValueError(f"{stamp} is no date and time with a zone")
    return datetime.strptime(match[1], STAMP_FORMAT)


class Segmenter:
    """Divides a run: decides of each frame to which segment it belongs.

    1. With `only_with_faces` a frame belongs to one from `before_s` before a face is seen until
       `after_s` after it was last seen.
    2. A segment begins with the first such frame, once the last one is `segment_s` old, and after a
       pause without faces. Without `segment_s` there is only one.

    Times are those of the source, which no change of the clock moves.

    Args:
        settings: as above.
        names: of the outputs that are divided; of no segment a file is there already.
        records: a video is recorded; without one a run is divided by time alone.
        now: gives the date and time, with the zone.
    """

    def __init__(
        self,
        settings: RecorderSection,
        names: Sequence[SegmentNames] = (),
        *,
        records: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self._settings = settings
        self._names = names
        self._only_with_faces = settings.only_with_faces and records
        self._now = now
        self._segment: Segment | None = None  # the last one
        self._since_s = 0.0
        self._is_open = False
        self._face_s: float | None = None  # when a face was last seen
        self._last_s: float | None = None  # time of the last frame of a segment
        self._retry_s: float | None = None
        self._keys_s: deque[float] = deque()  # of the frames that are held back

    def __repr__(self) -> str:
        return f"Segmenter({self._segment})"

    def place(self, frame: Frame, tracks: Sequence[Track]) -> Placement:
        """Where the next frame belongs."""
        time_s = frame.time_s
        if any(track.missed_frames == 0 for track in tracks):
            self._face_s = time_s
        if not self._is_wanted(time_s):
            self._is_open = False
            is_key = self._is_held_key(time_s)
            return Placement(None, self._keys_s[0], is_key)
        begins = self._begins(time_s)
        if begins:
            self._since_s = self._begin(time_s)
        self._keys_s.clear()
        self._is_open, self._last_s = True, time_s
        return Placement(self._segment, self._since_s, is_key=begins and self._since_s == time_s)

    def retry_soon(self) -> None:
        """Asks for a new segment in a while: a file of this one has failed."""
        if self._retry_s is None and self._last_s is not None:
            self._retry_s = self._last_s + _RETRY_S

    def _is_wanted(self, time_s: float) -> bool:
        if not self._only_with_faces:
            return True
        return self._face_s is not None and time_s - self._face_s <= self._settings.after_s

    def _is_held_key(self, time_s: float) -> bool:
        """Whether a frame that is held back is to be a key; those too old for a segment go."""
        is_key = not self._keys_s or time_s - self._keys_s[-1] >= KEYFRAME_S - TIME_TOLERANCE_S
        if is_key:
            self._keys_s.append(time_s)
        oldest_s = time_s - self._settings.before_s
        while len(self._keys_s) > 1 and self._keys_s[1] <= oldest_s:
            self._keys_s.popleft()
        return is_key

    def _begins(self, time_s: float) -> bool:
        """Whether a segment begins, or goes on after a pause."""
        if not self._is_open or self._segment is None:
            return True
        length_s = self._settings.segment_s
        if self._retry_s is not None and time_s >= self._retry_s:
            return True
        return 0 < length_s <= time_s - self._segment.start_s + TIME_TOLERANCE_S

    def _begin(self, time_s: float) -> float:
        """Begins a segment, or goes on with the only one; the time from which frames belong to it.

        That is the last held key that is `before_s` old, or the first one of all.
        """
        oldest_s = time_s - self._settings.before_s
        held = [key_s for key_s in self._keys_s if key_s <= oldest_s] or [*self._keys_s][:1]
        since_s = held[-1] if held and not self._is_open else time_s
        self._retry_s = None
        if not self._settings.segment_s:
            self._segment = self._segment or WHOLE_RUN
            return since_s
        begun = self._now() - timedelta(seconds=time_s - since_s)
        number = 0 if self._segment is None else self._segment.number + 1
        self._segment = Segment(self._free_stamp(begun), since_s, number)
        return since_s

    def _free_stamp(self, begun: datetime) -> str:
        """A stamp that no file of the outputs has."""
        stamp = begun.strftime(STAMP_FORMAT)
        last = None if self._segment is None else self._segment.stamp
        for number in count(1):
            each = stamp if number == 1 else f"{stamp}-{number}"
            if each != last and not any(is_taken(names.path(each)) for names in self._names):
                return each
        raise AssertionError("there is always a free number")
