"""All people of a run on one picture: the best view of each, its labels, and when it was seen."""

import heapq
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stream.drawing.colours import ColourScheme
from stream.frames import SourceInfo
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.paths import partial_path
from stream.sinks.people_ledger import blurred_view
from stream.sinks.pictures.picture_file import write_picture
from stream.sinks.pictures.sheet_drawing import SheetRow, draw_sheet, small_view

_MIN_FRAMES = 3
"""Frames of a video in which a person must be seen to stand on the sheet; a face seen in fewer may
be a false detection."""

_MAX_PEOPLE = 100
"""People on one sheet at most; more make a larger picture."""

_MAX_KEPT = 1000
"""Tracks whose faces are kept at most, those that were seen longest, until it is known which are of
one person; more take 40 kB each."""


class Sheet:
    """Collects the people who were seen well enough, and draws them when the run has ended.

    A person stands on it whose face was large enough for labels, in a video also in three frames at
    least; of more people than it can hold, those who were seen longest. Faces are blurred where the
    picture is.

    Args:
        path: ends in `.png`, `.jpg` or `.jpeg`.
        info: the source.
        colours: those of the rows; as those of the boxes where it is given the same scheme.
    """

    quit_requested = False

    def __init__(self, path: Path, info: SourceInfo, colours: ColourScheme | None = None) -> None:
        self.name = f"sheet ({path.name})"
        self.output = path
        self._info = info
        self._colours = colours or ColourScheme()
        self._min_frames = 1 if info.kind == "pictures" else _MIN_FRAMES
        self._kept: list[tuple[int, int, Person]] = []  # a heap: the first one is left out first
        self._persons: Sequence[Person] | None = None
        self._most_kept = _MAX_KEPT if info.kind == "video" else _MAX_PEOPLE
        self._too_many = 0
        self._too_brief = 0
        self._begun = False

    def __repr__(self) -> str:
        return f"Sheet({self.output}, {len(self._kept)} people)"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Takes in the people whose tracks ended with the frame."""
        self._begun = True
        if annotated.blur:
            self._kept = [
                (frames, order, replace(person, best=blurred_view(person.best)))
                for frames, order, person in self._kept
            ]
        self._collect(annotated.ended)

    def settle(self, persons: Sequence[Person]) -> None:
        """Takes the persons of the file, whose tracks have faces here."""
        self._persons = persons

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Draws the sheet; one that is not complete gets a partial name, if it has a frame.

        Raises:
            SinkError: it cannot be written.
        """
        self._collect(present)
        if self._begun or complete:
            rows = [SheetRow.of(person, self._colours) for person in self._shown()]
            path = self.output if complete else partial_path(self.output)
            write_picture(path, draw_sheet(f"People in {self._info.name}", rows, self._left_out()))

    def _collect(self, people: Sequence[Person]) -> None:
        """Keeps people, their faces at the size of the sheet, and of too many the longest seen."""
        for person in people:
            if not person.labels:
                self._too_brief += 1
                continue
            small = replace(person, best=small_view(person.best))
            heapq.heappush(self._kept, (person.frames, -person.track_id, small))
            if len(self._kept) > self._most_kept:
                *_, left_out = heapq.heappop(self._kept)
                self._leave_out(left_out)

    def _leave_out(self, person: Person) -> None:
        is_brief = person.frames < self._min_frames or not person.labels
        self._too_brief += is_brief
        self._too_many += not is_brief

    def _shown(self) -> list[Person]:
        """The people on the sheet, in the order of their numbers; the others are left out."""
        people = [person for *_, person in self._kept]
        if self._persons is not None:
            self._too_many = self._too_brief = 0
            people = [self._with_face(person) for person in self._persons]
        shown: list[Person] = []
        for person in sorted(people, key=lambda each: (-each.frames, each.track_id)):
            is_seen = person.frames >= self._min_frames and person.labels
            if is_seen and person.best.crop is not None and len(shown) < _MAX_PEOPLE:
                shown.append(person)
            else:
                self._leave_out(person)
        return sorted(shown, key=lambda each: each.track_id)

    def _with_face(self, person: Person) -> Person:
        """The person with the best face that is kept of the tracks; without one, if none is."""
        views = [kept.best for *_, kept in self._kept if kept.track_id in person.tracks]
        return replace(person, best=max(views, key=lambda view: view.rank)) if views else person

    def _left_out(self) -> str:
        """How many people the sheet does not show, and why."""
        words = []
        if self._too_many:
            words.append(f"{self._too_many} more who were seen for less long")
        if self._too_brief:
            rule = "too small to say"
            if self._min_frames > 1:
                rule = f"seen in fewer than {self._min_frames} frames, or {rule}"
            words.append(f"{self._too_brief} {rule}")
        return f"Left out: {'; '.join(words)}." if words else ""
