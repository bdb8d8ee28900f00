"""One of several sources that run side by side: its thread, its place, what it came to."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from models.errors import ModelError
from stream.controls import Controls, RunReport
from stream.errors import ConfigError, SinkError, SourceError
from stream.run import run
from stream.settings import Config
from stream.several.listing import NamedSource, open_named
from stream.several.naming import own_name
from stream.several.shared_model import SharedModel
from stream.several.totals import of_source, without_name
from stream.sinks import Outputs, Sink
from stream.sinks.video.manual_recording import ManualRecordings
from stream.sources import Source, Span
from stream.summary import Summary


class Place(Sink, Protocol):
    """Where one of several sources is shown: a sink that also shows how the source ends."""

    def end(self, reason: str) -> None:
        """Says that the source has ended, and why."""

    def wish(self, controls: Controls) -> None:
        """Passes on what the user wishes of all sources."""


class Member:
    """Annotates one source in a thread of its own, with a clock, tracks and outputs of its own.

    Args:
        source: opened in the thread, which may take its time.
        outputs: what is written of it.
        config: the settings.
        span: the part that is wanted where it is a video.
        model: shared with the others.

    Attributes:
        source: the source.
        controls: what the user wishes of it.
        summary: what it has come to.
        error: what no source should raise; the thread that watches the sources raises it again.
        is_open: its outputs may be claimed, so its end must be waited for.
        is_left: its thread hangs, and may never end; its outputs are complete.
        thread: its thread, which is to be started.
        done: set when that is about to end; it is waited for instead of `thread`, which in Python
            3.11 counts as ended where a signal interrupts `join`.
    """

    def __init__(
        self,
        source: NamedSource,
        outputs: Outputs,
        config: Config,
        span: Span,
        model: SharedModel,
    ) -> None:
        self.source = source
        self.controls = Controls(blur=config.overlay.blur)
        self.summary = Summary(RunReport())
        self.error: BaseException | None = None
        self.is_open = False
        self.is_left = False
        self.done = threading.Event()
        self._outputs = outputs
        self._config = config
        self._span = span
        self._model = model
        self._place: Place | None = None
        self._folder = Path()
        # A daemon, so that a camera that never opens cannot keep the program alive.
        self.thread = threading.Thread(target=self._work, name=f"source {source}", daemon=True)

    def __repr__(self) -> str:
        return f"Member({self.source})"

    @property
    def has_outputs(self) -> bool:
        """Whether anything is written of the source."""
        return self._outputs.are_kept

    def show_in(self, place: Place, folder: Path = Path()) -> None:
        """Shows the source in a place, from its beginning on; what the user begins to record there
        goes into a folder.
        """
        self._place, self._folder = place, folder

    def wish(self, controls: Controls) -> None:
        """Passes on what the user wishes, to a source that waits too."""
        if self._place is not None:
            self._place.wish(controls)
        self.controls.quit_requested = controls.quit_requested

    def _work(self) -> None:
        """Annotates the source from beginning to end."""
        try:
            history, paths = self.summary.history, self._outputs.paths
            opened = open_named(self.source, self._config, self._span, paths, history)
            self.is_open = True
            if self.controls.quit_requested:
                opened.close()
                return
            self._run(opened)
        except (SourceError, SinkError, ConfigError, ModelError, OSError) as error:
            if error is not self._model.error:  # that is said once, of all
                self.summary.fail(of_source(self.source, str(error)))
        except BaseException as error:  # noqa: BLE001 - raised again where the sources are watched
            self.error = error
        finally:
            self._end()

    def _end(self) -> None:
        """Says where it is shown why it has ended, and that it is done."""
        if self._place is not None:
            failures = self.summary.failures
            reasons = [without_name(self.source, each) for each in failures]
            self._place.end("; ".join(reasons) or "it has ended")
        self.done.set()

    def _leave(self, _: Summary) -> None:
        """Ends it without its thread, which hangs; the others go on."""
        self.is_left = True
        self._end()

    def _run(self, source: Source) -> None:
        """Runs; the source is shown in its place, not in a window of its own."""
        outputs = replace(self._outputs, show=False)
        run(
            source,
            self._config,
            outputs,
            self._watchers(source),
            self._model.annotator,
            self.controls,
            self.summary,
            self._leave,
        )

    def _watchers(self, source: Source) -> Sequence[Sink]:
        """Where it is shown, and the recordings that the user begins and ends there."""
        if self._place is None:
            return ()
        if self._outputs.save is not None:
            self.summary.report.recording = self._outputs.save
            self.summary.report.recording_refusal = f"all is recorded into {self._outputs.save}"
            return (self._place,)
        if source.info.kind == "pictures":
            self.summary.report.recording_refusal = "pictures are not recorded"
            return (self._place,)
        title = f"recording-{own_name(self.source).name}"
        info, report = source.info, self.summary.report
        stall_s = self._config.run.output_limit_s(is_live=info.is_live)
        by_hand = ManualRecordings(
            self._folder, info, self._config.recorder, self.controls, report, title, stall_s
        )
        return (self._place, by_hand)
