"""The loop: frames from a source, tracks from an annotator, both to the sinks."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from functools import partial
from os import PathLike
from typing import Protocol, TypeAlias

from models.errors import ModelError
from models.interrupts import telling
from stream.assembly import load_annotator
from stream.controls import Controls, RunReport
from stream.errors import ConfigError, SourceError
from stream.frames import Frame, SourceInfo
from stream.settings import Config
from stream.sinks import Outputs, Sink, Sinks, claim_outputs, open_sinks
from stream.sources import WHOLE, Span, open_source
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

    def annotate(self, frame: Frame) -> tuple[Track, ...]:
        """The faces in the next frame."""


LoadAnnotator: TypeAlias = Callable[[Config, SourceInfo, Controls, RunReport], FrameAnnotator]
"""Gives the annotator of a run."""


def run(
    source: Source,
    config: Config,
    outputs: Outputs,
    watchers: Sequence[Sink] = (),
    load: LoadAnnotator | None = None,
    on_stall: Callable[[Summary], None] | None = None,
) -> Summary:
    """Annotates a source from beginning to end, or until the user asks for the end.

    Args:
        source: closed in any case.
        config: the settings.
        outputs: what is written and shown.
        watchers: further sinks, such as a progress bar.
        load: gives what annotates the frames; `load_annotator` without one.
        on_stall: ends the program where the loop over a live source hangs; its outputs are complete
            then, and the loop may never go on. Without one the loop is not watched.

    Raises:
        ConfigError, SinkError, ModelError: what was asked for cannot be had; nothing was written.
        SourceError: the source gives nothing at all. A source or a model that fails later ends
            the run instead, and is named in the summary's failures.
    """
    controls = Controls(blur=config.overlay.blur)
    report = RunReport(skipped=source.info.skipped, history=source.info.history)
    summary = Summary(report)
    try:
        with (
            telling(lambda: json.dumps(summary.as_dict())),
            closing(Capture(source, controls, report)) as capture,
            claim_outputs(outputs, source.info, config.recorder),
            capture,
        ):
            info = capture.info
            annotator = (load or load_annotator)(config, info, controls, report)
            attributes = annotator.attributes
            is_watched = on_stall is not None and info.is_live
            stall_s = config.run.stall_s if is_watched else None
            with (
                open_sinks(
                    config, info, outputs, watchers, attributes, controls, report, summary
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
                    tracks = annotator.annotate(frame)
                    sinks.write(frame, tracks)
                    if sinks.quit_requested:
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
    """Completes the outputs of a loop that hangs, then ends the program."""
    sinks.finish(_CLOSE_LIMIT_S)
    summary.finish()
    controls.quit_requested = True
    if end is not None:
        end(summary)


def annotate(
    source: str | int | PathLike[str] | Source, config: Config | None = None, span: Span = WHOLE
) -> Generator[tuple[Frame, tuple[Track, ...]], None, None]:
    """The frames of a source and the faces in each, lazily; leaving early closes everything.

    Args:
        source: what `face-stream run` takes, or a source that is open already: it is closed too.
        config: the settings; the defaults without one (`load_config` reads those of a file).
        span: the part of a video that is wanted.

    Raises:
        SourceError: the source cannot be opened, or not be read any further.
        ConfigError, ModelError: the settings or the model do not fit.
    """
    config = config or Config()
    if isinstance(source, str | int | PathLike):
        source = open_source(str(source), config, span)
    elif span != WHOLE:
        raise ConfigError("a source that is open already has its span: give it to open_source")
    with Capture(source) as capture:
        annotator = load_annotator(config, capture.info)
        for frame in capture:
            yield frame, annotator.annotate(frame)
