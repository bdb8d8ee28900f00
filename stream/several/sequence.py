"""Several sources one after another, with one model."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from models.errors import ModelError
from models.program.interrupts import exit_code, telling
from stream.assembly import LoadedModel
from stream.controls import Controls, RunReport
from stream.errors import ConfigError, SinkError, SourceError
from stream.frames import SourceInfo
from stream.run import LoadAnnotator, run
from stream.settings import Config
from stream.several.listing import NamedSource, open_named
from stream.several.preparation import prepared
from stream.several.shared_model import SharedModel
from stream.several.totals import Totals, of_source
from stream.sinks import Outputs, Sink
from stream.sources import WHOLE, Span
from stream.summary import Summary

Watchers: TypeAlias = Callable[[SourceInfo], Sequence[Sink]]
"""Gives the further sinks of a source, such as a progress bar."""

Report: TypeAlias = Callable[[NamedSource, Summary], None]
"""Is told what a source came to as soon as it is done."""


def run_each(
    sources: Sequence[NamedSource],
    outputs: Sequence[Outputs],
    config: Config,
    span: Span = WHOLE,
    *,
    watchers: Watchers = lambda _: (),
    report: Report = lambda _source, _summary: None,
    load: LoadAnnotator | None = None,
) -> Totals:
    """Annotates sources one after another, each from beginning to end.

    1. A source that fails is named, and the next one follows.
    2. The user quits, a signal comes, or what reads the lines of all leaves: what the source has
       is completed, and none follows.

    Args:
        sources: closed in any case.
        outputs: what is written and shown of each.
        config: the settings.
        span: the part of each video that is wanted.
        watchers: gives further sinks.
        report: is told what each source came to.
        load: gives what annotates each source; a model that is loaded for this run without one.

    Raises:
        ConfigError, SinkError, ModelError: what was asked for can be had of no source; nothing was
            written. A model that fails later ends the run, and is named in the failures.
    """
    totals = Totals(len(sources))
    going: list[tuple[NamedSource, Summary]] = []
    try:
        with prepared(sources, outputs, config), telling(lambda: json.dumps(totals.so_far(going))):
            model = SharedModel(load or LoadedModel(config).annotator)
            has_screen = True  # until one source finds that there is none, and says so
            for source, own in zip(sources, outputs, strict=True):
                controls, summary = Controls(blur=config.overlay.blur), Summary(RunReport())
                going = [(source, summary)]
                own = replace(own, show=own.show and has_screen)
                _run_one(source, own, config, span, watchers, model, controls, summary)
                if model.error is not None:
                    raise model.error
                going = []
                totals.add_source(source, summary)
                report(source, summary)
                has_screen = not controls.lacks_screen and has_screen
                if controls.quit_requested or totals.interrupted or exit_code(0):
                    break
    except (ConfigError, ModelError) as error:
        if not totals.frames:
            raise
        totals.fail(str(error))
    except KeyboardInterrupt:
        totals.interrupted = True
    totals.finish()
    return totals


def _run_one(
    source: NamedSource,
    outputs: Outputs,
    config: Config,
    span: Span,
    watchers: Watchers,
    model: SharedModel,
    controls: Controls,
    summary: Summary,
) -> None:
    """Adds up what one source comes to; of one that cannot be begun, why."""
    try:
        opened = open_named(source, config, span, outputs.paths)
        further = watchers(opened.info)
        run(opened, config, outputs, further, model.annotator, controls, summary)
    except (SourceError, SinkError, ConfigError, ModelError, OSError) as error:
        if error is not model.error:
            summary.fail(of_source(source, str(error)))
