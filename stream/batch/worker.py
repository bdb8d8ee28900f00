"""Runs the tasks of a batch, one after another, with a model that is loaded once."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from stream.assembly import LoadedModel
from stream.batch.contract import Result, Task
from stream.batch.failures import one_line, reason_of
from stream.batch.seen import Seen
from stream.batch.spans import SpanRun, places_s
from stream.controls import Controls, RunReport
from stream.errors import SourceError
from stream.run import run
from stream.settings import Config
from stream.several.listing import open_named
from stream.several.preparation import made_folders
from stream.several.shared_model import SharedModel
from stream.summary import Summary


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

    def work(self, task: Task, on_frame: Callable[[], None] = lambda: None) -> Result:
        """Annotates what the task names and writes its outputs, unless it is longer than it may be;
        what fails is said in the result.

        Args:
            task: an input, or a span of one; the folders of its outputs are made.
            on_frame: called after each frame.

        Raises:
            ConfigError, ModelError: no source of this kind can be annotated with these settings.
        """
        started_s = time.monotonic()
        summary, seen = Summary(RunReport()), Seen(on_frame)
        span = SpanRun(task, self._config, self._model.annotator)
        try:
            if starts_s := places_s(task, self._config):
                return Result(key=task.key, worker=self._name, cuts_s=starts_s)
            with suppress(*span.passed_over):
                _run(task, span, summary, seen)
            if task.copies is not None and not summary.failures:
                task.copies.put(task.outputs.paths)
        except Exception as error:  # noqa: BLE001 - one input may not end those that follow
            if self._model.error is not None:
                raise self._model.error from None
            summary.report.note_failure(reason_of(error))
        return Result(
            key=task.key,
            worker=self._name,
            summary=summary.as_dict(),
            error=one_line(summary.failures),
            media_s=seen.media_s,
            elapsed_s=time.monotonic() - started_s,
            people=tuple(seen.people),
            seam=span.seam,
            faces=span.faces,
        )


def _run(task: Task, span: SpanRun, summary: Summary, seen: Seen) -> None:
    """Annotates what a task names, in the folders of its outputs, which are made."""
    outputs = replace(task.outputs, show=False)
    with made_folders(path.parent for path in outputs.paths):
        source = open_named(task.source, span.config, span.span, outputs.paths)
        if source.info.is_live:
            source.close()
            raise SourceError(f"{task.source} is live and has no end: give it to face-stream run")
        controls = Controls(blur=span.config.overlay.blur)
        run(source, span.config, outputs, [seen], span.annotator, controls, summary)
