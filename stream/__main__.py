"""The command line `face-stream`: it reads what was asked, and prints what came of it."""

import json
import signal
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from stream.cli import options
from stream.cli.bench import bench
from stream.cli.console import FAILED, guarded, leave, put, report, say, screen, start_logging
from stream.settings.toml import toml_value

if TYPE_CHECKING:
    from stream.controls import Controls
    from stream.frames import SourceInfo
    from stream.run import FrameAnnotator
    from stream.settings import Config
    from stream.sinks import Outputs, Sink
    from stream.sources import Source
    from stream.summary import Summary

app = typer.Typer(
    name="face-stream",
    help="Finds the faces in video and says what gender and race they are perceived as.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def run(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A camera's number or name, a video, a picture, a folder or glob of pictures, "
            "an address (rtsp, http, ...), - for standard input.",
        ),
    ],
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
    settings: options.Settings = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    json_summary: options.JsonSummary = False,
    debug: options.Debug = False,
) -> None:
    """Annotate a camera, a video or pictures."""

    def work() -> "Summary":
        from stream.settings import load_config
        from stream.sinks import Outputs
        from stream.sources import Span, open_source

        overrides = [*(settings or []), *_model(model), *_blur(blur)]
        outputs = Outputs(save, log, snapshots, sheet, show=show, overwrite=overwrite)
        settled, span = load_config(config, overrides), Span.parse(start, end)
        return _run(open_source(source, settled, span, outputs.paths), settled, outputs, quiet)

    start_logging(quiet)
    report(guarded(work, debug), quiet, json_summary)


@app.command()
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
    settings: options.Settings = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    json_summary: options.JsonSummary = False,
    debug: options.Debug = False,
) -> None:
    """Draw a log onto its video again, in other settings; no face is looked at anew."""

    def work() -> "Summary":
        from stream.replay import Replay
        from stream.settings import load_config
        from stream.sinks import Outputs
        from stream.sources import Span, open_source

        outputs = Outputs(save, None, snapshots, sheet, show=show, overwrite=overwrite)
        overrides = [*(settings or []), *_blur(blur)]
        settled, span = load_config(config, overrides), Span.parse(start, end)
        with Replay(log, settled.labels) as replay:
            opened = open_source(source, settled, span, outputs.paths)
            return _run(opened, settled, outputs, quiet, lambda *_: replay)

    start_logging(quiet)
    report(guarded(work, debug), quiet, json_summary)


@app.command()
def demo(
    folder: Annotated[
        Path, typer.Option("--folder", metavar="FOLDER", help="Where they are written.")
    ] = Path(),
    show: options.Show = True,
    config: options.ConfigFile = None,
    settings: options.Settings = None,
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
    summary = guarded(work, debug)
    if not quiet and not json_summary:
        for perceived, count in summary.perceived.items():
            say(f"Found {count} × perceived as {perceived}.")
    report(summary, quiet, json_summary)


app.command()(bench)


@app.command()
def doctor(
    config: options.ConfigFile = None,
    model: options.Model = None,
    settings: options.Settings = None,
    as_json: options.Json = False,
) -> None:
    """Say what is here, what is missing and how to mend it; label a face as a proof."""
    from stream.doctor import examination

    findings = []
    out = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
    for finding in examination.examine(config, [*(settings or []), *_model(model)]):
        findings.append(finding)
        if not as_json:
            out.print(examination.as_lines(finding))
    put(json.dumps(examination.as_dict(findings)) if as_json else examination.verdict(findings))
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(FAILED)


@app.command("config")
def show_settings(
    config: options.ConfigFile = None,
    model: options.Model = None,
    settings: options.Settings = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Print the settings in force, each with where it is from."""
    from stream.settings import load_settings

    in_force = guarded(lambda: load_settings(config, [*(settings or []), *_model(model)]), debug)
    put(json.dumps(in_force.as_dict()) if as_json else in_force.as_toml())


def main() -> None:
    """The entry point of `face-stream`."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as cleanly as Ctrl-C
    for text in (sys.stdout, sys.stderr):
        if isinstance(text, TextIOWrapper):  # a name that the terminal cannot show is no error
            text.reconfigure(errors="backslashreplace")
    try:
        app()
    except SystemExit as end:
        leave(end.code)
        raise


def _model(folder: Path | None) -> list[str]:
    """The setting that the option stands for."""
    return [] if folder is None else [f"engine.model={toml_value(str(folder))}"]


def _blur(asked: bool) -> list[str]:
    """The setting that the option stands for."""
    return ["overlay.blur=true"] if asked else []


def _run(
    source: "Source",
    config: "Config",
    outputs: "Outputs",
    quiet: bool,
    load: "Callable[[Config, SourceInfo, Controls], FrameAnnotator] | None" = None,
) -> "Summary":
    from stream.cli.progress import ProgressBar
    from stream.run import run as annotate_all

    watchers: list[Sink] = []
    if not quiet and not source.info.is_live and screen.is_terminal:
        watchers.append(ProgressBar(source.info, screen))
    return annotate_all(source, config, outputs, watchers, load)


if __name__ == "__main__":
    main()
