"""One of several live sources: its thread, its tile, and what it came to."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.errors import ModelError
from stream.controls import Controls, RunReport
from stream.errors import ConfigError, SinkError, SourceError
from stream.run import run
from stream.settings import Config
from stream.several.listing import NamedSource, open_named
from stream.several.naming import own_name
from stream.several.shared_model import SharedModel
from stream.several.tile import Tile
from stream.several.totals import of_source
from stream.sinks import Outputs, Sink
from stream.sinks.video.manual_recording import ManualRecordings
from stream.sources import Source, Span
from stream.summary import Summary


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
        report: what its run reports.
        summary: what it came to, once it is done.
        error: what no source should raise; the thread that watches the sources raises it again.
        is_open: its outputs may be claimed, so its end must be waited for.
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
        self.report = RunReport()
        self.summary = Summary(self.report)
        self.error: BaseException | None = None
        self.is_open = False
        self.done = threading.Event()
        self._outputs = outputs
        self._config = config
        self._span = span
        self._model = model
        self._tile: Tile | None = None
        # A daemon, so that a camera that never opens cannot keep the program alive.
        self.thread = threading.Thread(target=self._work, name=f"source {source}", daemon=True)

    def __repr__(self) -> str:
        return f"Member({self.source})"

    def show_in(self, tile: Tile) -> None:
        """Shows the source in a tile, from its beginning on."""
        self._tile = tile

    def accounts(self) -> dict[str, Any]:
        """What became of the source so far, as JSON has it."""
        return {"source": str(self.source), "frames": self.report.taken, **self.report.accounts()}

    def wish(self, controls: Controls) -> None:
        """Passes on what the user wishes, to a source that waits too."""
        if self._tile is not None:
            self._tile.wish(controls)
        self.controls.quit_requested = controls.quit_requested

    def _work(self) -> None:
        """Annotates the source from beginning to end."""
        try:
            opened = open_named(self.source, self._config, self._span, self._outputs.paths)
            self.is_open = True
            if self.controls.quit_requested:
                opened.close()
                return
            self.summary = self._run(opened)
        except (SourceError, SinkError, ConfigError, ModelError, OSError) as error:
            if error is not self._model.error:  # that is said once, of all
                self.summary.fail(of_source(self.source, str(error)))
        except BaseException as error:  # noqa: BLE001 - raised again where the sources are watched
            self.error = error
        finally:
            failures = self.summary.failures
            if self._tile is not None:
                reasons = [each.removeprefix(str(self.source)).lstrip(": ") for each in failures]
                self._tile.end("; ".join(reasons) or "it has ended")
            self.done.set()

    def _run(self, source: Source) -> Summary:
        """What the source came to; it is shown in its tile, not in a window of its own."""
        outputs = replace(self._outputs, show=False)
        return run(
            source,
            self._config,
            outputs,
            self._watchers(source),
            self._model.annotator,
            self.controls,
            self.report,
        )

    def _watchers(self, source: Source) -> Sequence[Sink]:
        """The tile, and the recordings that keys begin and end."""
        if self._tile is None:
            return ()
        if self._outputs.save is not None:
            self.report.recording = self._outputs.save
            return (self._tile,)
        title = f"recording-{own_name(self.source).name}"
        by_key = ManualRecordings(
            Path(), source.info, self._config.recorder, self.controls, self.report, title
        )
        return (self._tile, by_key)
