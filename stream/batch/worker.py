"""Runs the tasks of a batch, one after another, with a model that is loaded once."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from models.errors import ModelError
from stream.assembly import LoadedModel
from stream.batch.contract import Result, Task
from stream.controls import Controls, RunReport
from stream.errors import ConfigError, SinkError, SourceError
from stream.people import Person
from stream.run import run
from stream.settings import Config
from stream.several.listing import open_named
from stream.several.preparation import made_folders
from stream.several.shared_model import SharedModel
from stream.sinks import AnnotatedFrame
from stream.summary import Summary

_NAMED_FAILURES = 3
"""Failures of an input that its error line names; more make a longer line."""


def _nothing() -> None:
    """The advance of a task is not watched."""


class Worker:
    """Runs tasks in the process that it is made in, whatever engine that process belongs to.

    Args:
        config: the settings.
        name: which worker it is, for people.

    Raises:
        ConfigError: the model does not know an attribute or a class that the settings name.
        ModelError: the model cannot be loaded.
    """

    def __init__(self, config: Config, name: str) -> None:
        self._config = config
        self._name = name
        self._model = SharedModel(LoadedModel(config).annotator)

    def __repr__(self) -> str:
        return f"Worker({self._name})"

    def work(self, task: Task, on_frame: Callable[[], None] = _nothing) -> Result:
        """Annotates what the task names and writes its outputs; what fails is said in the result.

        Args:
            task: an input, or a span of one; the folders of its outputs are made.
            on_frame: called after each frame.

        Raises:
            ConfigError, ModelError: no source of this kind can be annotated with these settings.
        """
        started_s = time.monotonic()
        summary, seen = Summary(RunReport()), _Seen(on_frame)
        try:
            self._run(task, summary, seen)
        except Exception as error:  # noqa: BLE001 - one input may not end those that follow
            if self._model.error is not None:
                raise self._model.error from None
            summary.report.note_failure(_reason(error))
        return Result(
            key=task.key,
            worker=self._name,
            summary=summary.as_dict(),
            error=_error_line(summary.failures),
            media_s=seen.media_s,
            elapsed_s=time.monotonic() - started_s,
            people=tuple(seen.people),
        )

    def _run(self, task: Task, summary: Summary, seen: "_Seen") -> None:
        outputs = replace(task.outputs, show=False)
        with made_folders(path.parent for path in outputs.paths):
            source = open_named(task.source, self._config, task.span, outputs.paths)
            controls = Controls(blur=self._config.overlay.blur)
            run(source, self._config, outputs, [seen], self._model.annotator, controls, summary)


class _Seen:
    """A sink that keeps who was seen, without crops, and how much of a video was read.

    Args:
        on_frame: called after each frame.

    Attributes:
        people: in the order in which their tracks ended.
        media_s: from the first frame to the end of the last, s; 0 for pictures.
    """

    name = "people"
    output = None
    quit_requested = False

    def __init__(self, on_frame: Callable[[], None]) -> None:
        self.people: list[Person] = []
        self.media_s = 0.0
        self._on_frame = on_frame
        self._first_s: float | None = None
        self._last_s = 0.0

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

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Takes the people who are still present."""
        self._add(present)

    def _add(self, people: Sequence[Person]) -> None:
        self.people.extend(replace(each, best=replace(each.best, crop=None)) for each in people)


def _reason(error: Exception) -> str:
    """Why a task failed, in one line."""
    if isinstance(error, SourceError | SinkError | ConfigError | ModelError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return "memory ran out"
    fault = " ".join(f"{type(error).__name__}: {error}".split())
    return f"a fault of this program, please report what `face-stream run --debug` says: {fault}"


def _error_line(failures: Sequence[str]) -> str:
    """The failures of a task in one line; empty where there are none."""
    more = len(failures) - _NAMED_FAILURES
    named = "; ".join(failures[:_NAMED_FAILURES])
    return f"{named}; and {more} more" if more > 0 else named
