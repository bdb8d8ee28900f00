"""Who was seen in a task, and how much of its video was read: what is told beside its outputs."""

from collections.abc import Callable, Sequence

from stream.people import Person
from stream.sinks import AnnotatedFrame


def _nothing() -> None:
    """The advance of a task is not watched."""


class Seen:
    """A sink that keeps who was seen, without crops, and how much of a video was read.

    Args:
        on_frame: called after each frame.

    Attributes:
        people: in the order in which their tracks ended, or the persons of the file.
        media_s: from the first frame to the end of the last, s; 0 for pictures.
    """

    name = "people"
    output = None
    quit_requested = False

    def __init__(self, on_frame: Callable[[], None] = _nothing) -> None:
        self.people: list[Person] = []
        self.media_s = 0.0
        self._on_frame = on_frame
        self._first_s: float | None = None
        self._last_s = 0.0
        self._persons: Sequence[Person] | None = None

    def write(self, annotated: AnnotatedFrame) -> None:
        """Takes the people whose tracks end, and the time."""
        self._add(annotated.ended)
        frame = annotated.frame
        if frame.path is None:
            if self._first_s is None:
                self._first_s = self._last_s = frame.time_s
            step_s, self._last_s = frame.time_s - self._last_s, frame.time_s
            self.media_s = frame.time_s - self._first_s + step_s
        self._on_frame()

    def settle(self, persons: Sequence[Person]) -> None:
        """Takes the persons of the file for their tracks."""
        self._persons = persons

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Takes the people who are still present, or the persons of the file."""
        if self._persons is None:
            self._add(present)
        else:
            self.people = list(self._persons)

    def _add(self, people: Sequence[Person]) -> None:
        self.people.extend(each.without_crop() for each in people)
