"""The loop: frames from a source, tracks from an annotator, both to the sinks."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Protocol, TypeAlias

from models.errors import ModelError
from models.program.interrupts import telling
from stream.assembly import LoadedModel
from stream.controls import Controls, RunReport
from stream.errors import SourceError
from stream.frames import Frame, SourceInfo
from stream.people import Settle
from stream.playback import Playback
from stream.settings import Config
from stream.sinks import Outputs, Sink, Sinks, claim_outputs, open_sinks, opening_window
from stream.sources.capture import Capture
from stream.sources.contract import Source
from stream.summary import Summary
from stream.tracks import Track
from stream.watchdog import Watchdog

_CLOSE_LIMIT_S = 10.0
"""How long the end of each output may take where the loop hangs, s."""


class FrameAnnotator(Protocol):
    """Finds and labels the faces in the frames of one source, which it is given in order."""

    @property
    def attributes(self) -> Mapping[str, Sequence[str]]:
        """The attributes that its labels may be of, and their classes."""

    @property
    def settle(self) -> Settle | None:
        """Says at the end which tracks are of one person; None where they are not joined."""

    def annotate(self, frame: Frame, coming: Sequence[Frame] = ()) -> tuple[Track, ...]:
        """The faces in the next frame; those that follow, as far as they have been read, too."""


LoadAnnotator: TypeAlias = Callable[[SourceInfo, Controls, RunReport], FrameAnnotator]
"""Gives the annotator of a run."""


def run(
    source: Source,
    config: Config,
    outputs: Outputs,
    watchers: Sequence[Sink] = (),
    load: LoadAnnotator | None = None,
    controls: Controls | None = None,
    summary: Summary | None = None,
    on_stall: Callable[[Summary], None] | None = None,
) -> Summary:
    """Annotates a source from beginning to end, or until the user asks for the end.

    Args:
        source: closed in any case.
        config: the settings.
        outputs: what is written and shown.
        watchers: further sinks, such as a progress bar.
        load: gives what annotates the frames; a model that is loaded for this run without one.
        controls: takes what the user wishes, where others than the sinks ask or are asked for it.
        summary: takes what the run comes to, likewise; it is what is returned.
        on_stall: called where the loop over a live source hangs, in another thread; its outputs are
            complete then, and the loop may never go on. Without one it is not watched.

    Raises:
        ConfigError, SinkError, ModelError: what was asked for cannot be had; nothing was written.
        SourceError: the source gives nothing at all. A source or a model that fails later ends
            the run instead, and is named in the summary's failures.
    """
    controls = controls or Controls(blur=config.overlay.blur)
    if outputs.show:
        controls.playback = Playback.of(source.info, recorded=outputs.are_kept)
    summary = summary or Summary(RunReport())
    report = summary.report
    report.skipped, report.history = source.info.skipped, source.info.history
    try:
        with (
            telling(lambda: json.dumps(summary.as_dict())),
            closing(Capture(source, controls, report)) as capture,
            claim_outputs(outputs, source.info, config),
            capture,
            opening_window(config, source.info, outputs, controls, report, capture.peek) as window,
        ):
            info = capture.info
            annotator = (load or LoadedModel(config).annotator)(info, controls, report)
            attributes = annotator.attributes
            is_watched = on_stall is not None and info.is_live
            stall_s = config.run.stall_s if is_watched else None
            with (
                open_sinks(
                    config,
                    info,
                    outputs,
                    watchers,
                    attributes,
                    controls,
                    report,
                    summary,
                    window,
                    annotator.settle,
                ) as sinks,
                Watchdog(
                    stall_s,
                    report,
                    summary,
                    controls,
                    partial(_end_hanging, sinks, summary, controls, on_stall),
                ),
            ):
                summary.start()
                for frame in capture:
                    tracks = annotator.annotate(frame, capture.coming)
                    sinks.write(frame, tracks)
                    if sinks.quit_requested:
                        controls.quit_requested = True
                    if sinks.all_failed or controls.quit_requested:
                        break
    except (SourceError, ModelError) as error:
        if not summary.frames:
            raise
        summary.fail(str(error))
    except KeyboardInterrupt:
        summary.interrupted = True
    summary.finish()
    return summary


def _end_hanging(
    sinks: Sinks, summary: Summary, controls: Controls, end: Callable[[Summary], None] | None
) -> None:
    """Completes the outputs of a loop that hangs, then tells that it is given up."""
    sinks.finish(_CLOSE_LIMIT_S)
    summary.finish()
    controls.quit_requested = True
    if end is not None:
        end(summary)
