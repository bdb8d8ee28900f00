"""The progress bar of a file on the terminal; a sink, so that the loop feeds it like the others."""

from collections.abc import Sequence

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from models.printable import printable
from stream.frames import SourceInfo
from stream.people import Person
from stream.sinks import AnnotatedFrame


class ProgressBar:
    """Shows the frames done, the rate, the faces in the frame, and the time left.

    Args:
        info: the source.
        console: where the bar is drawn.
    """

    name = "progress bar"
    output = None
    quit_requested = False

    def __init__(self, info: SourceInfo, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            _RateColumn(),
            TextColumn("{task.fields[faces]} faces"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task(_short(info.uri), total=info.frame_count, faces=0)

    def __repr__(self) -> str:
        return "ProgressBar()"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Advances the bar by a frame; the first frame makes it appear."""
        self._progress.start()
        self._progress.update(self._task, advance=1, faces=len(annotated.tracks))

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Removes the bar."""
        self._progress.stop()


class _RateColumn(ProgressColumn):
    """The rate, frames a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("– fps" if speed is None else f"{speed:.1f} fps")


def _short(uri: str, length: int = 30) -> str:
    """The end of an address that is longer than `length` characters."""
    uri = printable(uri)
    return uri if len(uri) <= length else f"…{uri[1 - length :]}"
