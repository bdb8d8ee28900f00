"""The commands that annotate a source: `run`, `render` and `demo`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli import options
from stream.cli.console import (
    exit_hanging,
    exit_on_error,
    print_message,
    print_summary,
    start_logging,
    stderr_console,
)

if TYPE_CHECKING:
    from stream.run import LoadAnnotator
    from stream.settings import Config
    from stream.sinks import Outputs, Sink
    from stream.sources import Source
    from stream.summary import Summary


def run(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE",
            help="A camera's number or name, a video, a picture, a folder or glob of pictures, "
            "an address (rtsp, http, ...), - for standard input; @FILE or $NAME where that stands. "
            "By default the setting source.address.",
        ),
    ] = None,
    save: options.Save = None,
    log: options.Log = None,
    snapshots: options.Snapshots = None,
    sheet: options.Sheet = None,
    start: options.Start = None,
    end: options.End = None,
    show: options.Show = True,
    config: options.ConfigFile = None,
    model: options.Model = None,
    blur: options.Blur = False,
    settings: options.Overrides = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    json_summary: options.JsonSummary = False,
    strict: options.Strict = False,
    debug: options.Debug = False,
) -> None:
    """Annotate a camera, a video or pictures."""

    def work() -> "Summary":
        from stream.errors import ConfigError
        from stream.settings import load_config
        from stream.sinks import Outputs
        from stream.sources import Span, open_source

        overrides = [*(settings or []), *options.model_setting(model), *options.blur_setting(blur)]
        outputs = Outputs(save, log, snapshots, sheet, show=show, overwrite=overwrite)
        settled, span = load_config(config, overrides), Span.parse(start, end)
        named = settled.source.address or None if source is None else source
        if named is None:
            raise ConfigError("there is no SOURCE: name one, or set source.address")
        opened = open_source(named, settled, span, outputs.paths)
        return _run(opened, settled, outputs, quiet, as_json=json_summary)

    start_logging(quiet)
    print_summary(exit_on_error(work, debug), quiet, json_summary, strict=strict)


def render(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="The video or pictures that the log is of.")
    ],
    log: Annotated[Path, typer.Argument(metavar="LOG", help="What `run --log LOG.jsonl` wrote.")],
    save: options.Save = None,
    snapshots: options.Snapshots = None,
    sheet: options.Sheet = None,
    start: options.Start = None,
    end: options.End = None,
    show: options.Show = True,
    config: options.ConfigFile = None,
    blur: options.Blur = False,
    settings: options.Overrides = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    json_summary: options.JsonSummary = False,
    strict: options.Strict = False,
    debug: options.Debug = False,
) -> None:
    """Draw a log onto its video again, in other settings; no face is looked at anew."""

    def work() -> "Summary":
        from stream.replay import Replay
        from stream.settings import load_config
        from stream.sinks import Outputs
        from stream.sources import Span, open_source

        outputs = Outputs(save, None, snapshots, sheet, show=show, overwrite=overwrite)
        overrides = [*(settings or []), *options.blur_setting(blur)]
        settled, span = load_config(config, overrides), Span.parse(start, end)
        with Replay(log, settled.labels) as replay:
            opened = open_source(source, settled, span, outputs.paths)
            return _run(opened, settled, outputs, quiet, lambda *_: replay)

    start_logging(quiet)
    print_summary(exit_on_error(work, debug), quiet, json_summary, strict=strict)


def demo(
    folder: Annotated[
        Path, typer.Option("--folder", metavar="FOLDER", help="Where they are written.")
    ] = Path(),
    show: options.Show = True,
    config: options.ConfigFile = None,
    settings: options.Overrides = None,
    quiet: options.Quiet = False,
    json_summary: options.JsonSummary = False,
    debug: options.Debug = False,
) -> None:
    """Annotate a clip made on the spot; write demo.mp4 and demo.jsonl."""

    def work() -> "Summary":
        from stream.settings import load_config
        from stream.sinks import Outputs
        from stream.sources.demo import DemoSource

        outputs = Outputs(folder / "demo.mp4", folder / "demo.jsonl", show=show, overwrite=True)
        return _run(DemoSource(), load_config(config, settings or []), outputs, quiet)

    start_logging(quiet)
    summary = exit_on_error(work, debug)
    if not quiet and not json_summary:
        for perceived, count in summary.perceived.items():
            print_message(f"Found {count} × perceived as {perceived}.")
    print_summary(summary, quiet, json_summary)


def _run(
    source: "Source",
    config: "Config",
    outputs: "Outputs",
    quiet: bool,
    load: "LoadAnnotator | None" = None,
    *,
    as_json: bool = False,
) -> "Summary":
    """Annotates a source, with a progress bar where its length is known and a terminal shows it.

    Args:
        source: closed in any case.
        config: the settings.
        outputs: what is written and shown.
        quiet: whether the progress bar is left out.
        load: gives what annotates the frames; the annotator that the settings name without one.
        as_json: how the summary of a run that hangs is printed.
    """
    from stream.cli.progress import ProgressBar
    from stream.run import run as run_source

    watchers: list[Sink] = []
    if not quiet and not source.info.is_live and stderr_console.is_terminal:
        watchers.append(ProgressBar(source.info, stderr_console))
    on_stall = partial(exit_hanging, quiet=quiet, as_json=as_json)
    return run_source(source, config, outputs, watchers, load, on_stall)
