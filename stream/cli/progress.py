"""The progress bar of a file on the terminal; a sink, so that the loop feeds it like the others."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

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

from models.program.printable import counted, printable
from stream.cli.console import stderr_console
from stream.frames import Frame, SourceInfo
from stream.people import Person
from stream.sinks import AnnotatedFrame, Outputs, Sink

_MAX_SURPLUS = 5
"""Frames that a video may have beyond the number that was declared or estimated, until that is not
believed any more; the recordings that were joined in a file declare only the first."""


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
            TextColumn("{task.fields[faces]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task(_short(info.uri), total=info.frame_count, faces="")
        self._info = info
        self._done = 0
        self._first_s: float | None = None

    def __repr__(self) -> str:
        return "ProgressBar()"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Advances the bar to a frame; the first frame makes it appear."""
        self._progress.start()
        self._done = max(self._done + 1, self._place_of(annotated.frame))
        faces = counted(len(annotated.tracks), "face")
        self._progress.update(self._task, completed=self._done, total=self._total, faces=faces)

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Shows all as done, where all was done, and removes the bar."""
        if self._info.ended.is_set():
            self._progress.update(self._task, completed=self._done, total=self._done)
        self._progress.stop()

    @property
    def _total(self) -> int | None:
        """The number of frames as far as it is known: it is not, once more have come."""
        declared = self._info.frame_count
        return None if declared is None or self._done > declared + _MAX_SURPLUS else declared

    def _place_of(self, frame: Frame) -> int:
        """The number of a frame of a video by its time: what it leaves out is done too."""
        if self._info.kind != "video" or self._info.fps is None:
            return 0
        if self._first_s is None:
            self._first_s = frame.time_s
        return round((frame.time_s - self._first_s) * self._info.fps) + 1


def progress_bars(info: SourceInfo, outputs: Outputs, *, quiet: bool) -> list[Sink]:
    """The progress bar of a source; there is none of a live one, nor where no terminal shows it."""
    # Where lines are printed on the same terminal, the bar would be torn.
    is_torn = bool(outputs.printing) and sys.stdout is not None and sys.stdout.isatty()
    if quiet or is_torn or info.is_live or not stderr_console.is_terminal:
        return []
    return [ProgressBar(info, stderr_console)]


@contextmanager
def counting(uri: str, what: str, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """What is told how many are done, where nobody knows how many there will be; it shows them on a
    terminal.

    Args:
        uri: what is worked on.
        what: what is counted.
        quiet: nothing is shown.
    """
    if quiet or not stderr_console.is_terminal:
        yield lambda done: None
        return
    columns = TextColumn("{task.description}", markup=False), TextColumn("{task.fields[done]}")
    with Progress(*columns, console=stderr_console, transient=True) as progress:
        task = progress.add_task(_short(uri), done="")
        yield lambda done: progress.update(task, done=f"{done} {what}")


class _RateColumn(ProgressColumn):
    """The rate, frames a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("– fps" if speed is None else f"{speed:.1f} fps")


def _short(uri: str, length: int = 30) -> str:
    """The end of an address that is longer than `length` characters."""
    uri = printable(uri)
    return uri if len(uri) <= length else f"…{uri[1 - length :]}"
