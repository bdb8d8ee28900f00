"""The command that serves the page: `serve`."""

from typing import Annotated

import typer

from stream.cli import options
from stream.cli.console import exit_on_error, print_message, print_summary, start_logging


def serve(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE", help="As for `run`.")
    ] = None,
    config: options.ConfigFile = None,
    model: options.Model = None,
    blur: options.Blur = False,
    settings: options.Overrides = None,
    quiet: options.Quiet = False,
    json_summary: options.JsonSummary = False,
    debug: options.Debug = False,
) -> None:
    """Show cameras and videos on a page in the browser."""

    def work():
        from stream.page.serving import serve as serve_sources
        from stream.settings import load_config
        from stream.several.listing import list_sources
        from stream.sinks import Outputs

        overrides = [*(settings or []), *options.model_setting(model), *options.blur_setting(blur)]
        settled = load_config(config, overrides)
        return serve_sources(
            list_sources(sources or []),
            Outputs(),
            settled,
            tell=lambda a: (print_message(a.control), print_message(a.watch)),
        )

    start_logging(quiet)
    print_summary(exit_on_error(work, debug), quiet, json_summary)
