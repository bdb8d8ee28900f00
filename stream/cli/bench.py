"""The command `face-stream bench`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.console import Console

from stream.cli import options
from stream.cli.console import guarded, put, screen, start_logging
from stream.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stream.benchmarks.speed import Plan
    from stream.settings import Config

_Result: TypeAlias = "tuple[dict[str, object], RenderableType]"

_SPEED, _ELSE = "Speed", "Instead of speed"
_SHORTEST_SOAK = 3  # minutes: what is held counts once two have gone by


def bench(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="CLIP",
            help="The video that is looked at closest, by default one made on the spot; "
            "pictures with --parity.",
        ),
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            rich_help_panel=_SPEED,
            help="Beside face_recognition and dlib too, which takes minutes.",
        ),
    ] = False,
    soak: Annotated[
        float | None,
        typer.Option(
            "--soak",
            metavar="MINUTES",
            rich_help_panel=_SPEED,
            help="Watch a camera for so long too, and the memory.",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="FILE.png",
            rich_help_panel=_SPEED,
            help="Draw what faces and pixels cost; wants the extra `train`.",
        ),
    ] = None,
    parity: Annotated[
        bool,
        typer.Option(
            "--parity",
            rich_help_panel=_ELSE,
            help="Compare the engine with dlib itself, on PICTURES or the demo's portrait.",
        ),
    ] = False,
    tracks: Annotated[
        Path | None,
        typer.Option(
            "--tracks",
            metavar="FOLDER",
            rich_help_panel=_ELSE,
            help="Measure tracks and labels, with faces of FairFace's folder.",
        ),
    ] = None,
    casts: Annotated[
        int,
        typer.Option(
            "--casts",
            min=1,
            metavar="N",
            rich_help_panel=_ELSE,
            help="With --tracks, how often.",
        ),
    ] = 1,
    settings: options.Settings = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Measure what a run costs, and that beside other ways of doing it."""

    def work() -> _Result:
        from stream.benchmarks.speed import Plan
        from stream.settings import load_config

        named = files or []
        of_speed = {"--full": full, "--soak": soak is not None, "--plot": plot is not None}
        _check_speed([name for name, given in of_speed.items() if given], soak, parity, tracks)
        _check_files(named, parity, tracks, casts)
        config = load_config(overrides=settings or [])
        if parity:
            return _parity(named)
        if tracks is not None:
            return _tracks(tracks, config, casts)
        plan = Plan(full=full, soak_s=60 * (soak or 0))
        return speed_result(named[0] if named else None, config, plan, plot)

    start_logging(quiet=False)
    figures, table = guarded(work, debug)
    if as_json:
        put(json.dumps(figures))
    else:
        Console(markup=False, emoji=False).print(table)  # names of files are no orders


def speed_result(
    clip: Path | None, config: "Config", plan: "Plan", picture: Path | None = None
) -> _Result:
    """What the benchmark of speed says, for machines and for people.

    Args:
        clip: what is looked at closest; None for one made on the spot.
        config: the settings.
        plan: how much is measured.
        picture: where the plot is written.
    """
    from stream.benchmarks.plots import check_plot, plot
    from stream.benchmarks.speed import speed
    from stream.benchmarks.tables import render

    if picture is not None:
        check_plot(picture)
    with screen.status("beginning") as status:
        report = speed(clip, config, plan, status.update)
    if picture is not None:
        plot(report, picture)
    return report.as_dict(), render(report)


def _check_speed(given: list[str], soak: float | None, parity: bool, tracks: Path | None) -> None:
    """Whether what was asked for is one benchmark."""
    if parity and tracks is not None:
        raise ConfigError("--parity and --tracks are two benchmarks: ask for one of them")
    if given and (parity or tracks is not None):
        other = "--parity" if parity else "--tracks"
        raise ConfigError(f"{given[0]} is of the benchmark of speed: leave out {other}")
    if soak is not None and not soak >= _SHORTEST_SOAK:
        raise ConfigError(f"--soak {soak:g}: it takes {_SHORTEST_SOAK} minutes at least")


def _check_files(files: list[Path], parity: bool, tracks: Path | None, casts: int) -> None:
    """Whether the files suit the benchmark."""
    if tracks is None and casts > 1:
        raise ConfigError("--casts belongs to --tracks: give both or neither")
    if tracks is not None and files:
        raise ConfigError("--tracks takes its faces from its folder: give no other files")
    if len(files) > 1 and not parity:
        raise ConfigError("one clip at a time; pictures are for --parity")


def _parity(pictures: list[Path]) -> _Result:
    from stream.benchmarks.parity import parity, render

    report = parity(pictures)
    return report.as_dict(), render(report)


def _tracks(folder: Path, config: "Config", casts: int) -> _Result:
    from stream.benchmarks.tracking import render, tracking_report

    reports = tracking_report(folder, config, casts)
    return {name: each.as_dict() for name, each in reports.items()}, render(reports)
