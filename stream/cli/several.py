"""The sources of the command `run`: one, files one after another, or live ones side by side."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from stream.cli.console import print_message
from stream.cli.progress import progress_bars
from stream.errors import ConfigError
from stream.run import run
from stream.settings import Config
from stream.several.listing import NamedSource, list_sources, open_named
from stream.several.naming import name_outputs
from stream.several.preparation import made_folders
from stream.several.sequence import run_each
from stream.several.side_by_side import run_side_by_side
from stream.sinks import Outputs
from stream.sources import Span
from stream.summary import Summary


def annotate_sources(
    named: Sequence[str],
    config: Config,
    outputs: Outputs,
    span: Span,
    *,
    quiet: bool,
    is_silent: bool,
    on_stall: Callable[[Summary], None],
) -> Summary:
    """Annotates what the user names.

    1. One source.
    2. Cameras and addresses alone: side by side, at the same time.
    3. Files alone: one after another.

    Args:
        named: the sources, patterns among them; at least one.
        config: the settings.
        outputs: what is written and shown.
        span: the part of each video that is wanted.
        quiet: whether progress bars are left out.
        is_silent: whether the lines about each of several sources are left out.
        on_stall: ends the program where the loop over the only source hangs, which is live.

    Raises:
        ConfigError: files and live sources are named together, or one log is for several of these.
    """
    sources = list_sources(named)
    own = name_outputs(outputs, sources, config)
    watchers = partial(progress_bars, outputs=outputs, quiet=quiet)
    if len(sources) == 1:
        with made_folders(_named_folders(outputs)):
            opened = open_named(sources[0], config, span, own[0].paths)
            watching = watchers(opened.info)
            return run(opened, config, own[0], watching, on_stall=on_stall)
    report = _nothing if is_silent else _print_line
    live = [each for each in sources if each.is_live]
    if len(live) == len(sources):
        _check_log(outputs)
        return run_side_by_side(sources, own, config, span, report=report)
    if live:
        files = next(each for each in sources if not each.is_live)
        raise ConfigError(
            f"{live[0]} may have no end, and {files} is a file: name cameras and addresses in one "
            "run, which shows them side by side, and files in another"
        )
    return run_each(sources, own, config, span, watchers=watchers, report=report)


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
    named = ((name, getattr(outputs, name)) for name in ("save", "log", "sheet"))
    return [path for name, path in named if name in outputs.folders and path is not None]


def _print_line(source: NamedSource, summary: Summary) -> None:
    """Says what a source came to; why one failed is said already."""
    if summary.frames:
        print_message(f"{source}: {summary.line()}")
    if summary.advice:
        print_message(f"{source}: {summary.advice}")


def _nothing(source: NamedSource, summary: Summary) -> None:
    """The lines are not wanted."""
