"""The command line `face-stream`: it reads what was asked, and prints what came of it."""

import json
import logging
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console

if TYPE_CHECKING:
    from rich.table import Table

    from stream.config import Config
    from stream.frames import SourceInfo
    from stream.run import FrameAnnotator
    from stream.sinks import Outputs, Sink
    from stream.sources import Source
    from stream.summary import Summary

Result = TypeVar("Result")

FAILED, ASKED_WRONGLY, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="face-stream",
    help="Finds the faces in video and says what gender and race they are perceived as.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# What is printed holds names of files: nothing in them is an order to the terminal.
_screen = Console(stderr=True, markup=False, emoji=False)

ShowOption = Annotated[
    bool, typer.Option("--show/--no-show", help="Open a window, if there is a screen.")
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings over those of ./config.toml.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="One setting; may be repeated."),
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what exists.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print errors only.")]
JsonOption = Annotated[
    bool, typer.Option("--json-summary", help="Print the summary as JSON on standard output.")
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show where an error came from.")]


@app.command()
def run(
    source: Annotated[
        str,
        typer.Argument(help="A camera's number, a video, a picture, a folder or glob of pictures."),
    ],
    save: Annotated[
        Path | None,
        typer.Option("--save", help="The annotated video, or for pictures a folder."),
    ] = None,
    log: Annotated[
        Path | None, typer.Option("--log", help="The data: .jsonl, .csv or .parquet.")
    ] = None,
    show: ShowOption = True,
    config: ConfigOption = None,
    model: Annotated[Path | None, typer.Option("--model", help="A model folder.")] = None,
    settings: SetOption = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    json_summary: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Annotate a camera, a video or pictures."""

    def work() -> "Summary":
        from stream.config import load_config
        from stream.sinks import Outputs
        from stream.sources import open_source

        overrides = list(settings or [])
        if model is not None:
            overrides.append(f"engine.model={json.dumps(str(model), ensure_ascii=False)}")
        outputs = Outputs(save=save, log=log, show=show, overwrite=overwrite)
        settled = load_config(config, overrides)
        return _run(open_source(source), settled, outputs, quiet)

    _start_logging(quiet)
    _report(_guarded(work, debug), quiet, json_summary)


@app.command()
def render(
    source: Annotated[str, typer.Argument(help="The video or pictures that the log is of.")],
    log: Annotated[Path, typer.Argument(help="What `run --log LOG.jsonl` wrote.")],
    save: Annotated[
        Path | None,
        typer.Option("--save", help="The annotated video, or for pictures a folder."),
    ] = None,
    show: ShowOption = True,
    config: ConfigOption = None,
    settings: SetOption = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    json_summary: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Draw a log onto its video again, in other settings; no face is looked at anew."""

    def work() -> "Summary":
        from stream.config import load_config
        from stream.replay import Replay
        from stream.sinks import Outputs
        from stream.sources import open_source

        outputs = Outputs(save=save, show=show, overwrite=overwrite)
        settled = load_config(config, settings or [])
        with Replay(log, settled.labels) as replay:
            return _run(open_source(source), settled, outputs, quiet, lambda *_: replay)

    _start_logging(quiet)
    _report(_guarded(work, debug), quiet, json_summary)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--folder", help="Where demo.mp4 is written.")] = Path(),
    show: ShowOption = True,
    settings: SetOption = None,
    quiet: QuietOption = False,
    json_summary: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Annotate a clip made on the spot; write demo.mp4 and demo.jsonl."""

    def work() -> "Summary":
        from stream.config import load_config
        from stream.demo import DemoSource
        from stream.sinks import Outputs

        outputs = Outputs(folder / "demo.mp4", folder / "demo.jsonl", show=show, overwrite=True)
        return _run(DemoSource(), load_config(overrides=settings or []), outputs, quiet)

    _start_logging(quiet)
    summary = _guarded(work, debug)
    if not quiet and not json_summary:
        for perceived, count in summary.perceived().items():
            _screen.print(f"Found {count} × perceived as {perceived}.", highlight=False)
    _report(summary, quiet, json_summary)


@app.command()
def bench(
    pictures: Annotated[
        list[Path] | None, typer.Argument(help="By default the portrait of the demo.")
    ] = None,
    parity: Annotated[
        bool, typer.Option("--parity", help="Compare the engine with dlib itself (the default).")
    ] = True,
    tracks: Annotated[
        Path | None,
        typer.Option(
            "--tracks", help="Instead measure tracks and labels, with faces of FairFace's folder."
        ),
    ] = None,
    casts: Annotated[int, typer.Option("--casts", min=1, help="How often, with --tracks.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    debug: DebugOption = False,
) -> None:
    """Measure the engine and dlib side by side in one run; or tracks and labels."""

    def work() -> "tuple[dict[str, object], Table]":
        if tracks is not None:
            from stream import tracking_bench
            from stream.config import load_config

            reports = tracking_bench.tracking_report(tracks, load_config(), casts)
            figures: dict[str, object] = {name: each.as_dict() for name, each in reports.items()}
            return figures, tracking_bench.render(reports)
        from stream import bench as benchmark

        report = benchmark.parity(pictures or [])
        return report.as_dict(), benchmark.render(report)

    figures, table = _guarded(work, debug)
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        Console().print(table)


def main() -> None:
    """The entry point of `face-stream`."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as cleanly as Ctrl-C
    app()


def _run(
    source: "Source",
    config: "Config",
    outputs: "Outputs",
    quiet: bool,
    load: "Callable[[Config, SourceInfo], FrameAnnotator] | None" = None,
) -> "Summary":
    from stream.progress import ProgressBar
    from stream.run import run as annotate_all

    watchers: list[Sink] = []
    if not quiet and not source.info.is_live and _screen.is_terminal:
        watchers.append(ProgressBar(source.info, _screen))
    return annotate_all(source, config, outputs, watchers, load)


def _guarded(work: Callable[[], Result], debug: bool) -> Result:
    """What `work` returns; an error becomes one line and exit code 2: nothing was done yet."""
    from models.errors import ModelError
    from stream.errors import ConfigError, SinkError, SourceError

    try:
        return work()
    except (ConfigError, SourceError, SinkError, ModelError) as error:
        if debug:
            raise
        _print_error(str(error))
        raise typer.Exit(ASKED_WRONGLY) from error
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _print_error(message: str, style: str = "red") -> None:
    _screen.print(f"face-stream: {message}", style=style, highlight=False, soft_wrap=True)


class _TerminalHandler(logging.Handler):
    """Each warning and error in one line, above the progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        _print_error(record.getMessage(), "red" if record.levelno >= logging.ERROR else "yellow")


def _start_logging(quiet: bool) -> None:
    level = logging.ERROR if quiet else logging.WARNING
    logging.basicConfig(level=level, handlers=[_TerminalHandler()])


def _report(summary: "Summary", quiet: bool, as_json: bool) -> None:
    """The last word, and the exit code."""
    if as_json:
        typer.echo(json.dumps(summary.as_dict()))
    elif not quiet:
        _screen.print(summary.line(), highlight=False, soft_wrap=True)
    if summary.failures:
        raise typer.Exit(FAILED)
    if summary.interrupted:
        raise typer.Exit(INTERRUPTED)


if __name__ == "__main__":
    main()
