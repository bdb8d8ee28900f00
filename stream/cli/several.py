"""The sources of the command `run`, and what is printed about each of several."""

from collections.abc import Callable, Sequence
from functools import partial

from stream.cli.console import print_message
from stream.cli.progress import progress_bars
from stream.settings import Config
from stream.several.any_number import run_sources
from stream.several.listing import NamedSource, list_sources
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
    """Annotates what the user names; see `run_sources`.

    Args:
        named: the sources, patterns among them; at least one.
        config: the settings.
        outputs: what is written and shown.
        span: the part of each video that is wanted.
        quiet: whether progress bars are left out.
        is_silent: whether the lines about each of several sources are left out.
        on_stall: ends the program where the loop over the only source hangs, which is live.
    """
    return run_sources(
        list_sources(named),
        outputs,
        config,
        span,
        watchers=partial(progress_bars, outputs=outputs, quiet=quiet),
        report=nothing if is_silent else print_line,
        on_stall=on_stall,
    )


def print_line(source: NamedSource, summary: Summary) -> None:
    """Says what a source came to; why one failed is said already."""
    if summary.frames:
        print_message(f"{source}: {summary.line()}")
    if summary.advice:
        print_message(f"{source}: {summary.advice}")


def nothing(source: NamedSource, summary: Summary) -> None:
    """The lines are not wanted."""
