"""The commands that annotate a source: `run`, `render` and `demo`."""

import sys
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
)
from stream.cli.published import asked_outputs

if TYPE_CHECKING:
    from stream.sinks import Outputs
    from stream.summary import Summary


def run(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE",
            help="A camera's number or name, a video, a picture, a folder or glob of pictures, "
            "an address (rtsp, http, ...), - for standard input; @FILE or $NAME where that stands. "
            "Several videos, or a glob of them, are done one after another, cameras and streams "
            "are shown side by side. By default the setting source.address.",
        ),
    ] = None,
    save: options.Save = None,
    log: options.Log = None,
    events: options.Events = False,
    mqtt: options.Mqtt = None,
    webhook: options.Webhooks = None,
    virtual_camera: options.VirtualCamera = False,
    snapshots: options.Snapshots = None,
    sheet: options.Sheet = None,
    subtitles: options.Subtitles = None,
    start: options.Start = None,
    end: options.End = None,
    show: options.Show = True,
    serve: Annotated[
        bool,
        typer.Option(
            "--serve",
            rich_help_panel=options.OUTPUT,
            help="Show the page of `face-stream serve` instead of a window.",
        ),
    ] = False,
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
    """Annotate cameras, videos or pictures."""

    def work() -> "Summary":
        from stream.cli.several import annotate_sources
        from stream.errors import ConfigError
        from stream.settings import load_config
        from stream.sources import Span

        overrides = [*(settings or []), *options.model_setting(model), *options.blur_setting(blur)]
        outputs = asked_outputs(
            save,
            log=log,
            snapshots=snapshots,
            sheet=sheet,
            subtitles=subtitles,
            events=events,
            virtual_camera=virtual_camera,
            mqtt=mqtt,
            webhooks=webhook,
            show=show,
            overwrite=overwrite,
        )
        _check_standard_output(outputs, json_summary)
        settled, span = load_config(config, overrides), Span.parse(start, end)
        given = sources or ([settled.source.address] if settled.source.address else [])
        if not given:
            raise ConfigError("there is no SOURCE: name one, or set source.address")
        if serve:
            from stream.cli.serve import serve_sources

            return serve_sources(given, settled, outputs, span, is_silent=quiet or json_summary)
        on_stall = partial(exit_hanging, quiet=quiet, as_json=json_summary)
        is_silent = quiet or json_summary
        return annotate_sources(
            given, settled, outputs, span, quiet=quiet, is_silent=is_silent, on_stall=on_stall
        )

    start_logging(quiet)
    print_summary(exit_on_error(work, debug), quiet, json_summary, strict=strict)


def render(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="The video or pictures that the log is of.")
    ],
    log: Annotated[Path, typer.Argument(metavar="LOG", help="What `run --log LOG.jsonl` wrote.")],
    save: options.Save = None,
    events: options.Events = False,
    mqtt: options.Mqtt = None,
    webhook: options.Webhooks = None,
    virtual_camera: options.VirtualCamera = False,
    snapshots: options.Snapshots = None,
    sheet: options.Sheet = None,
    subtitles: options.Subtitles = None,
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
        from stream.cli.progress import progress_bars
        from stream.errors import ConfigError
        from stream.replay import Replay
        from stream.settings import load_config
        from stream.several.any_number import run_sources
        from stream.several.listing import list_sources
        from stream.sources import Span

        outputs = asked_outputs(
            save,
            snapshots=snapshots,
            sheet=sheet,
            subtitles=subtitles,
            events=events,
            virtual_camera=virtual_camera,
            mqtt=mqtt,
            webhooks=webhook,
            show=show,
            overwrite=overwrite,
        )
        _check_standard_output(outputs, json_summary)
        overrides = [*(settings or []), *options.blur_setting(blur)]
        settled, span = load_config(config, overrides), Span.parse(start, end)
        with Replay(log, settled.labels) as replay:
            sources = list_sources([source])
            if len(sources) > 1:
                raise ConfigError(f"{source}: a log is of one source, and these are {len(sources)}")
            watchers = partial(progress_bars, outputs=outputs, quiet=quiet)
            return run_sources(
                sources, outputs, settled, span, watchers=watchers, load=lambda *_: replay
            )

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
        from stream.cli.progress import progress_bars
        from stream.run import run as run_source
        from stream.settings import load_config
        from stream.sinks import Outputs
        from stream.sources.demo import DemoSource

        outputs = Outputs(folder / "demo.mp4", folder / "demo.jsonl", show=show, overwrite=True)
        source, settled = DemoSource(), load_config(config, settings or [])
        watchers = progress_bars(source.info, outputs, quiet=quiet)
        return run_source(source, settled, outputs, watchers)

    start_logging(quiet)
    summary = exit_on_error(work, debug)
    if not quiet and not json_summary:
        for perceived, count in summary.perceived.items():
            print_message(f"Found {count} × perceived as {perceived}.")
    print_summary(summary, quiet, json_summary)


def _check_standard_output(outputs: "Outputs", json_summary: bool) -> None:
    """Checks that one thing at most is to go to standard output, or a reader could read neither,
    and that the summary can.
    """
    from stream.errors import ConfigError, SinkError

    asked = [*outputs.printing, *["--json-summary"] * json_summary]
    if len(asked) > 1:
        raise ConfigError(f"{' and '.join(asked)} go to standard output: ask for one of them")
    if json_summary and sys.stdout is None:
        raise SinkError("standard output cannot be written: it is closed")
