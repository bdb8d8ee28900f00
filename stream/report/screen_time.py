"""Screen time of one log: for how long each person was in sight, was the largest face, and how much
of the frame it covered; for how long anybody of each class was in sight, and when.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from stream.report.durations import FrameDurations
from stream.report.persons import LabelCodes, Persons
from stream.report.rows import NO_FACE, FaceRows, Log
from stream.report.timeline import Timeline

MOST_CROSSED = 8
"""Attributes that are crossed with one another, the first of a log; the work and the report grow
with the square of their number."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Which faces count.

    Attributes:
        min_width_px: width of a face at least, px.
        min_quality: quality of the best view of its person so far at least, 0 to 1.
    """

    min_width_px: float = 0.0
    min_quality: float = 0.0


class ScreenTime:
    """Counts the faces of one log.

    All times are in s; where the log is of pictures, in pictures.

    Args:
        log: what is counted.
        codes: of each attribute.
        limits: which faces count.

    Attributes:
        persons: of the log, those that never counted among them.
        face_s, largest_s, area_s: by person `(n,)`: time in sight, time as the largest face, and
            time in sight by the share of the frame that the face covered.
        first_s, width_px, quality: by person `(n,)`: when it was first counted (infinity: never),
            the widest and the best view.
        in_sight_s: by attribute, or crossed pair, time in which at least one face had each label.
        total_s: time of all frames, as far as the log has frames without faces.
        occupied_s: time of the frames in which a face counted.
        left_out_s: time in sight that the limits leave out.
    """

    def __init__(self, log: Log, codes: Mapping[str, LabelCodes], limits: Limits) -> None:
        self._codes = {name: each for name, each in codes.items() if name in log.attributes}
        self._limits = limits
        self._durations = FrameDurations(
            log.fps, has_all_frames=log.has_all_frames, is_pictures=log.is_pictures
        )
        self.persons = Persons(log.persons(), self._codes)
        self.face_s = np.zeros(len(self.persons))
        self.largest_s, self.area_s = self.face_s.copy(), self.face_s.copy()
        self.width_px, self.quality = self.face_s.copy(), self.face_s.copy()
        self.first_s = np.full(len(self.persons), np.inf)
        self.in_sight_s: dict[tuple[str, ...], NDArray[np.float64]] = {}
        self.timelines = {name: Timeline() for name in self._codes}
        self.total_s = self.occupied_s = self.left_out_s = 0.0
        self._labels = {name: self.persons.labels(name) for name in self._codes}
        rest: FaceRows | None = None
        for part in log.faces():
            rows = part if rest is None else rest.joined(part)
            last = int(np.searchsorted(rows.frame, rows.frame[-1]))  # it may go on in the next part
            # One whole frame of those that are known stays, for how long it lasts says the next.
            before = int(np.searchsorted(rows.frame, rows.frame[last - 1])) if last else 0
            self._add(rows, keep_from=before)
            rest = rows[before:]
        if rest is not None:
            self._add(rest, keep_from=len(rest))

    @property
    def is_counted(self) -> NDArray[np.bool_]:
        """Whether each person counted in any frame, `(n,)`."""
        return np.isfinite(self.first_s)

    def _add(self, rows: FaceRows, keep_from: int) -> None:
        """Counts the rows before `keep_from`; later ones say how long the last frame lasts."""
        if not keep_from:
            return
        starts = np.flatnonzero(np.diff(rows.frame, prepend=-1))
        ordinals = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(rows)))
        frame_s = self._durations.of(rows, starts, ordinals)
        rows, ordinals = rows[:keep_from], ordinals[:keep_from]
        self.total_s += float(frame_s[: ordinals[-1] + 1].sum())
        duration_s = frame_s[ordinals]
        is_face = rows.is_seen & (rows.track != NO_FACE)
        counts = is_face & (rows.width_px >= self._limits.min_width_px)
        counts &= rows.quality >= self._limits.min_quality
        self.left_out_s += float(duration_s[is_face & ~counts].sum())
        if counts.any():
            self._count(rows, ordinals, duration_s, np.flatnonzero(counts))

    def _count(
        self,
        rows: FaceRows,
        ordinals: NDArray[np.intp],
        duration_s: NDArray[np.float64],
        chosen: NDArray[np.intp],
    ) -> None:
        ordinals, duration_s, area = ordinals[chosen], duration_s[chosen], rows.area[chosen]
        persons = self._rows_of(rows.track[chosen])
        size = len(self.face_s)
        self.face_s += np.bincount(persons, duration_s, size)
        self.area_s += np.bincount(persons, duration_s * area, size)
        np.minimum.at(self.first_s, persons, rows.time_s[chosen])
        np.maximum.at(self.width_px, persons, rows.width_px[chosen])
        np.maximum.at(self.quality, persons, rows.quality[chosen])
        order = np.lexsort((-area, ordinals))
        largest = order[np.flatnonzero(np.diff(ordinals[order], prepend=-1))]
        self.largest_s += np.bincount(persons[largest], duration_s[largest], size)
        self.occupied_s += float(duration_s[largest].sum())
        labels = {name: each[persons] for name, each in self._labels.items()}
        for names in crossed(list(self._codes)):
            self._count_in_sight(names, labels, ordinals, duration_s)
        for name, timeline in self.timelines.items():
            timeline.add(rows.time_s[chosen], labels[name], duration_s, len(self._codes[name]))

    def _rows_of(self, tracks: NDArray[np.int64]) -> NDArray[np.intp]:
        """The row of each track's person; arrays grow where a track was not known."""
        unique, places = np.unique(tracks, return_inverse=True)
        found = self.persons.rows(unique)[places]
        if grown := len(self.persons) - len(self.face_s):
            for name in ("face_s", "largest_s", "area_s", "width_px", "quality"):
                setattr(self, name, np.append(getattr(self, name), np.zeros(grown)))
            self.first_s = np.append(self.first_s, np.full(grown, np.inf))
            self._labels = {name: self.persons.labels(name) for name in self._codes}
        return found

    def _count_in_sight(
        self,
        names: tuple[str, ...],
        labels: Mapping[str, NDArray[np.int32]],
        ordinals: NDArray[np.intp],
        duration_s: NDArray[np.float64],
    ) -> None:
        """Adds the time of frames in which a label, or a pair of them, is in sight."""
        shape = tuple(len(self._codes[name]) for name in names)
        cells = np.ravel_multi_index(tuple(labels[name] for name in names), shape)
        size = int(np.prod(shape))
        _, first = np.unique(ordinals * size + cells, return_index=True)
        sums = np.bincount(cells[first], duration_s[first], size)
        found = sums.astype(np.float64).reshape(shape)
        before = self.in_sight_s.get(names)
        self.in_sight_s[names] = found if before is None else before + found


def crossed(attributes: Sequence[str]) -> list[tuple[str, ...]]:
    """The attributes, each alone, and each pair of the first `MOST_CROSSED`."""
    pairs = combinations(attributes[:MOST_CROSSED], 2)
    return [*((name,) for name in attributes), *pairs]
