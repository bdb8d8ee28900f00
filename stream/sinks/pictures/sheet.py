"""All people of a run on one picture: the best view of each, its labels, and when it was seen."""

import heapq
from collections.abc import Sequence
from pathlib import Path

from stream.drawing.colours import ColourScheme
from stream.frames import SourceInfo
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.paths import partial_path
from stream.sinks.pictures.picture_file import write_picture
from stream.sinks.pictures.sheet_drawing import SheetRow, draw_sheet

_MIN_FRAMES = 3
"""Frames of a video in which a person must be seen to stand on the sheet; a face seen in fewer may
be a false detection."""

_MAX_PEOPLE = 100
"""People on one sheet at most; more make a larger picture."""


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
        self._kept: list[tuple[int, int, SheetRow]] = []  # a heap: the first one is left out first
        self._too_many = 0
        self._too_brief = 0
        self._begun = False

    def __repr__(self) -> str:
        return f"Sheet({self.output}, {len(self._kept)} people)"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Takes in the people whose tracks ended with the frame."""
        self._begun = True
        if annotated.blur:
            self._kept = [(frames, order, row.blurred_row()) for frames, order, row in self._kept]
        self._collect(annotated.ended)

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Draws the sheet; one that is not complete gets a partial name, if it has a frame.

        Raises:
            SinkError: it cannot be written.
        """
        self._collect(present)
        if self._begun or complete:
            rows = [row for *_, row in sorted(self._kept, key=lambda kept: kept[2].track_id)]
            path = self.output if complete else partial_path(self.output)
            write_picture(path, draw_sheet(f"People in {self._info.name}", rows, self._left_out()))

    def _collect(self, people: Sequence[Person]) -> None:
        for person in people:
            if person.frames < self._min_frames or not person.labels:
                self._too_brief += 1
                continue
            row = SheetRow.of(person, self._colours)
            heapq.heappush(self._kept, (person.frames, -person.track_id, row))
            if len(self._kept) > _MAX_PEOPLE:
                heapq.heappop(self._kept)
                self._too_many += 1

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
