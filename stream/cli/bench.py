"""The command `bench`: checks what is asked for, runs one of the benchmarks, prints its report."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.console import Console

from stream.cli import options
from stream.cli.console import exit_on_error, print_output, start_logging, stderr_console
from stream.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stream.benchmarks.speed.benchmark import SpeedPlan
    from stream.settings import Config

_Report: TypeAlias = "tuple[dict[str, object], RenderableType]"
"""A report for machines, and as tables for people."""

_SPEED = "Speed"
"""Panel of the help: options of the benchmark of speed."""

_OTHERS = "Instead of speed"
"""Panel of the help: the other benchmarks and their options."""

_NUMBERS = {2: "two", 3: "three", 4: "four"}
"""How many benchmarks were asked for at once, in words."""

_MIN_SOAK_MINUTES = 3
"""The shortest long run, minutes: the memory counts after the first two."""


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
    pictures: Annotated[
        Path | None,
        typer.Option(
            "--pictures",
            metavar="FOLDER",
            rich_help_panel=_SPEED,
            help="The folder whose pictures a second are measured, by default synthetic ones.",
        ),
    ] = None,
    parity: Annotated[
        bool,
        typer.Option(
            "--parity",
            rich_help_panel=_OTHERS,
            help="Compare the engine with dlib itself, on PICTURES or the demo's portrait.",
        ),
    ] = False,
    tracks: Annotated[
        Path | None,
        typer.Option(
            "--tracks",
            metavar="FOLDER",
            rich_help_panel=_OTHERS,
            help="Measure tracks and labels, with faces of FairFace's folder; or persons across "
            "shots, with pictures named PERSON_PICTURE.",
        ),
    ] = None,
    repeats: Annotated[
        int,
        typer.Option(
            "--casts",
            min=1,
            metavar="N",
            rich_help_panel=_OTHERS,
            help="With --tracks, how often, each time with other faces.",
        ),
    ] = 1,
    first_cast: Annotated[
        int,
        typer.Option(
            "--first-cast",
            min=0,
            metavar="N",
            rich_help_panel=_OTHERS,
            help="With --tracks, which faces are the first: tune on other casts than you report.",
        ),
    ] = 0,
    crf: Annotated[
        int | None,
        typer.Option(
            "--crf",
            min=0,
            max=51,
            metavar="N",
            rich_help_panel=_OTHERS,
            help="With --tracks, code the scenes as H.264 of that rate factor; 28 is ordinary.",
        ),
    ] = None,
    faces: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            "--faces",
            metavar="FOLDER TRUTH.csv",
            rich_help_panel=_OTHERS,
            help="Judge what is found in the labelled pictures of a folder.",
        ),
    ] = None,
    shares: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FOLDER",
            rich_help_panel=_OTHERS,
            help="Test how `report` corrects shares of groups, with faces of FairFace's folder.",
        ),
    ] = None,
    settings: options.Overrides = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Measure what a run costs, and that beside other ways of doing it."""

    def work() -> _Report:
        from stream.benchmarks.speed.benchmark import SpeedPlan
        from stream.settings import load_config

        paths = files or []
        speed_options = {
            "--full": full,
            "--soak": soak is not None,
            "--plot": plot is not None,
            "--pictures": pictures is not None,
        }
        others = {
            "--parity": parity,
            "--tracks": tracks is not None,
            "--faces": faces is not None,
            "--report": shares is not None,
        }
        track_options = {
            "--casts": repeats > 1,
            "--first-cast": first_cast > 0,
            "--crf": crf is not None,
        }
        other = _other_benchmark(_given(others), _given(speed_options))
        _check_values(soak, other, _given(track_options), paths)
        config = load_config(overrides=settings or [])
        if parity:
            return _parity_report(paths)
        if tracks is not None:
            return _tracking_report(tracks, config, range(first_cast, first_cast + repeats), crf)
        if faces is not None:
            return _faces_report(*faces, config)
        if shares is not None:
            return _prevalence_report(shares, config)
        plan = SpeedPlan(pictures=pictures, full=full, soak_s=60 * (soak or 0))
        return speed_report(paths[0] if paths else None, config, plan, plot)

    start_logging(quiet=False)
    figures, tables = exit_on_error(work, debug)
    if as_json:
        print_output(json.dumps(figures))
    else:
        Console(markup=False, emoji=False).print(tables)  # names of files are printed as they are


def speed_report(
    clip: Path | None, config: "Config", plan: "SpeedPlan", plot_path: Path | None = None
) -> _Report:
    """Runs the benchmark of speed.

    Args:
        clip: the video that the stages are measured on; None for a synthetic one.
        config: the settings.
        plan: how much is measured.
        plot_path: where the plot is written; None for no plot.
    """
    from stream.benchmarks.speed.benchmark import measure_speed
    from stream.benchmarks.speed.plots import check_plot, plot
    from stream.benchmarks.speed.tables import render

    if plot_path is not None:
        check_plot(plot_path)
    with stderr_console.status("beginning") as status:
        report = measure_speed(clip, config, plan, status.update)
    if plot_path is not None:
        plot(report, plot_path)
    return report.as_dict(), render(report)


def _given(options: Mapping[str, bool]) -> list[str]:
    """The names of the options that are given."""
    return [name for name, is_given in options.items() if is_given]


def _other_benchmark(others: list[str], speed_options: list[str]) -> str | None:
    """The option that asks for another benchmark than that of speed; None for that one.

    Args:
        others: those that are given; more than one are an error.
        speed_options: options of the benchmark of speed that are given.
    """
    if len(others) > 1:
        names = " and ".join(others)
        raise ConfigError(f"{names} are {_NUMBERS[len(others)]} benchmarks: ask for one of them")
    if others and speed_options:
        raise ConfigError(f"{speed_options[0]} is of the benchmark of speed: leave out {others[0]}")
    return others[0] if others else None


def _check_values(
    soak: float | None, other: str | None, track_options: list[str], files: list[Path]
) -> None:
    """Checks that options and files suit the benchmark; `other` is its option, None for speed."""
    if soak is not None and not soak >= _MIN_SOAK_MINUTES:
        raise ConfigError(f"--soak {soak:g}: it takes {_MIN_SOAK_MINUTES} minutes at least")
    if track_options and other != "--tracks":
        raise ConfigError(f"{track_options[0]} belongs to --tracks: give both or neither")
    if files and other in ("--tracks", "--faces", "--report"):
        raise ConfigError(f"{other} takes its faces from its folder: give no other files")
    if len(files) > 1 and other is None:
        raise ConfigError("one clip at a time; pictures are for --parity")


def _parity_report(pictures: list[Path]) -> _Report:
    from stream.benchmarks.parity import measure_parity, render

    report = measure_parity(pictures)
    return report.as_dict(), render(report)


def _tracking_report(folder: Path, config: "Config", casts: range, crf: int | None) -> _Report:
    from stream.benchmarks.tracking.benchmark import measure_tracking
    from stream.benchmarks.tracking.films import is_folder_of_people
    from stream.benchmarks.tracking.person_benchmark import measure_people
    from stream.benchmarks.tracking.tables import render, render_people

    if is_folder_of_people(folder):
        of_people = measure_people(folder, config, casts, crf)
        return of_people.as_dict(), render_people(of_people)
    report = measure_tracking(folder, config, casts, crf)
    return report.as_dict(), render(report)


def _faces_report(folder: Path, truth: Path, config: "Config") -> _Report:
    from stream.benchmarks.faces.benchmark import measure_faces
    from stream.benchmarks.faces.tables import render

    with stderr_console.status("finding faces"):
        report = measure_faces(folder, truth, config)
    return report.as_dict(), render(report)


def _prevalence_report(folder: Path, config: "Config") -> _Report:
    from stream.benchmarks.prevalence import measure_prevalence, render

    with stderr_console.status("labelling faces"):
        report = measure_prevalence(folder, config)
    return report.as_dict(), render(report)
