"""The sources of a run, however many: one, files one after another, or live ones side by side."""

from collections.abc import Callable, Sequence
from pathlib import Path

from stream.errors import ConfigError
from stream.run import LoadAnnotator, run
from stream.settings import Config
from stream.several.listing import NamedSource, open_named
from stream.several.naming import name_outputs
from stream.several.preparation import made_folders
from stream.several.sequence import Report, Watchers, run_each
from stream.several.side_by_side import run_side_by_side
from stream.sinks import Outputs
from stream.sources import WHOLE, Span
from stream.summary import Summary


def run_sources(
    sources: Sequence[NamedSource],
    outputs: Outputs,
    config: Config,
    span: Span = WHOLE,
    *,
    watchers: Watchers = lambda _: (),
    report: Report = lambda _source, _summary: None,
    load: LoadAnnotator | None = None,
    on_stall: Callable[[Summary], None] | None = None,
) -> Summary:
    """Annotates sources.

    1. One source.
    2. Cameras and addresses alone: side by side, at the same time.
    3. Files alone: one after another.

    Args:
        sources: at least one.
        outputs: what is written and shown; of several sources each names a folder.
        config: the settings.
        span: the part of each video that is wanted.
        watchers: gives further sinks of sources that are not side by side.
        report: is told what each of several sources came to.
        load: gives what annotates each source; a model that is loaded for this run without one.
        on_stall: ends the program where the loop over the only source hangs, which is live.

    Raises:
        ConfigError: files and live sources are named together, one log is for several of these, or
            an output cannot be written as it is asked for.
        SinkError, ModelError: what was asked for can be had of no source; nothing was written.
        SourceError: the only source gives nothing at all.
    """
    own = name_outputs(outputs, sources, config)
    if len(sources) == 1:
        with made_folders(_named_folders(outputs)):
            opened = open_named(sources[0], config, span, own[0].paths)
            further = watchers(opened.info)
            return run(opened, config, own[0], further, load, on_stall=on_stall)
    live = [each for each in sources if each.is_live]
    if len(live) == len(sources):
        _check_log(outputs)
        return run_side_by_side(sources, own, config, span, report=report, load=load)
    if live:
        files = next(each for each in sources if not each.is_live)
        raise ConfigError(
            f"{live[0]} may have no end, and {files} is a file: name cameras and addresses in one "
            "run, which shows them side by side, and files in another"
        )
    return run_each(sources, own, config, span, watchers=watchers, report=report, load=load)


def _check_log(outputs: Outputs) -> None:
    """Checks that the logs of sources that run at the same time do not go to one reader, for their
    lines do not say which source they are of.

    Raises:
        ConfigError: they would.
    """
    if outputs.is_log_streamed:
        raise ConfigError(
            f"--log {outputs.log} takes the log of one live source: of several, name a folder, or "
            "ask for --events, each of which says where it comes from"
        )


def _named_folders(outputs: Outputs) -> list[Path]:
    """The folders that are named for files."""
    named = ((name, getattr(outputs, name)) for name in ("save", "log", "sheet", "subtitles"))
    return [path for name, path in named if name in outputs.folders and path is not None]
