"""The command `face-stream bench`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from stream import options
from stream.console import guarded
from stream.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import RenderableType


def bench(
    pictures: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PICTURES", help="By default the portrait of the demo."),
    ] = None,
    parity: Annotated[
        bool, typer.Option("--parity", help="Compare the engine with dlib itself (the default).")
    ] = True,
    tracks: Annotated[
        Path | None,
        typer.Option(
            "--tracks",
            metavar="FOLDER",
            help="Instead measure tracks and labels, with faces of FairFace's folder.",
        ),
    ] = None,
    casts: Annotated[
        int, typer.Option("--casts", min=1, metavar="N", help="With --tracks, how often.")
    ] = 1,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Measure the engine and dlib side by side in one run; or tracks and labels."""

    def work() -> "tuple[dict[str, object], RenderableType]":
        if tracks is None and casts > 1:
            raise ConfigError("--casts belongs to --tracks: give both or neither")
        if tracks is not None and pictures:
            raise ConfigError("--tracks takes its faces from its folder: give no pictures")
        if tracks is not None:
            from stream import tracking_bench
            from stream.settings import load_config

            reports = tracking_bench.tracking_report(tracks, load_config(), casts)
            figures: dict[str, object] = {name: each.as_dict() for name, each in reports.items()}
            return figures, tracking_bench.render(reports)
        from stream.benchmarks import parity as benchmark

        parity_report = benchmark.parity(pictures or [])
        return parity_report.as_dict(), benchmark.render(parity_report)

    figures, table = guarded(work, debug)
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        Console().print(table)
