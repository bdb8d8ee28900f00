"""The command `serve`, and what both it and `run --serve` do to serve the page."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stream.cli import options
from stream.cli.console import exit_on_error, print_message, print_summary, start_logging

if TYPE_CHECKING:
    from stream.page.serving import Addresses
    from stream.settings import Config
    from stream.sinks import Outputs
    from stream.sources import Span
    from stream.summary import Summary

_PAGE = "Page"
"""Panel of the help: where the page is, and who reaches it."""


def serve(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE", help="Cameras, addresses, videos, pictures; as `run`."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", rich_help_panel=_PAGE, help="Its port, 0 for any; else 8765."),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host", rich_help_panel=_PAGE, help="Its address, 0.0.0.0 for all; else 127.0.0.1."
        ),
    ] = None,
    cert: Annotated[
        str | None,
        typer.Option(
            "--cert", metavar="FILE", rich_help_panel=_PAGE, help="A certificate (PEM), for https."
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="FILE", rich_help_panel=_PAGE, help="Its key (PEM)."),
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure", rich_help_panel=_PAGE, help="Serve other machines without a certificate."
        ),
    ] = False,
    folder: Annotated[
        str | None,
        typer.Option(
            "--folder",
            metavar="FOLDER",
            rich_help_panel=options.OUTPUT,
            help="Where recordings and snapshots made from the page go; else the current one.",
        ),
    ] = None,
    blur: options.Blur = False,
    config: options.ConfigFile = None,
    model: options.Model = None,
    settings: options.Overrides = None,
    quiet: options.Quiet = False,
    json_summary: options.JsonSummary = False,
    debug: options.Debug = False,
) -> None:
    """Show cameras and videos on a page in the browser, and control them there."""

    def work() -> "Summary":
        from stream.settings import load_config
        from stream.sinks import Outputs
        from stream.sources import WHOLE

        named = {"port": port, "host": host, "cert": cert, "key": key, "folder": folder}
        overrides = [
            *(settings or []),
            *options.model_setting(model),
            *options.blur_setting(blur),
            *_page_settings({**named, "insecure": insecure or None}),
        ]
        settled = load_config(config, overrides)
        given = sources or ([settled.source.address] if settled.source.address else [])
        return serve_sources(given, settled, Outputs(), WHOLE, is_silent=quiet or json_summary)

    start_logging(quiet)
    print_summary(exit_on_error(work, debug), quiet, json_summary)


def serve_sources(
    named: Sequence[str], config: "Config", outputs: "Outputs", span: "Span", *, is_silent: bool
) -> "Summary":
    """Annotates what the user names and serves the page, whose addresses are printed.

    Args:
        named: the sources, patterns among them; perhaps none, where some may be added.
        config: the settings.
        outputs: what is written.
        span: the part of each video that is wanted.
        is_silent: whether the lines about each source are left out.

    Raises:
        ConfigError: the packages that serve are not installed, or what was asked for cannot be had.
    """
    from stream.cli.several import nothing, print_line
    from stream.errors import ConfigError
    from stream.several.listing import list_sources

    try:
        from stream.page.serving import serve as serve_page
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the page needs the extra `serve` ({error.name} is missing): install "
            "face-stream[serve]"
        ) from error
    sources = list_sources(named)
    report = nothing if is_silent else print_line
    return serve_page(sources, outputs, config, span, tell=_print_addresses, report=report)


def _print_addresses(addresses: "Addresses") -> None:
    """Prints where the page is, each in a line that is not wrapped: the first controls."""
    print_message(addresses.control)
    print_message(f"to watch only: {addresses.watch}")


def _page_settings(named: dict[str, Any]) -> list[str]:
    """Options of the page as settings of the form that `--set` takes."""
    from stream.settings.toml import toml_value

    return [
        f"serve.{name}={toml_value(value)}" for name, value in named.items() if value is not None
    ]
