"""The command `report`: what logs add up to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.program.printable import counted, printable
from stream.cli import options
from stream.cli.console import (
    command_line,
    exit_on_error,
    print_message,
    start_logging,
    stderr_console,
)

if TYPE_CHECKING:
    from stream.report.figures import Figures

_COUNTING = "Counting"
"""Panel of the help: which faces count."""

_MAX_WIDTH_PX = 10_000
"""The largest least width of a face, px."""


def report(
    logs: Annotated[
        list[Path],
        typer.Argument(metavar="LOG...", help="Logs, or folders of them, such as that of a batch."),
    ],
    out: Annotated[
        Path,
        typer.Option(
            *("--out", "-o"),
            metavar="FOLDER",
            rich_help_panel=options.OUTPUT,
            help="The folder of report.html, report.json and report.csv.",
        ),
    ],
    min_width: Annotated[
        float,
        typer.Option(
            *("--min-width",),
            min=0,
            max=_MAX_WIDTH_PX,
            metavar="PX",
            rich_help_panel=_COUNTING,
            help="Faces count from this width on.",
        ),
    ] = 0.0,
    min_quality: Annotated[
        float,
        typer.Option(
            *("--min-quality",),
            min=0,
            max=1,
            metavar="Q",
            rich_help_panel=_COUNTING,
            help="Faces count once a view of the person was as good as this, 0 to 1.",
        ),
    ] = 0.0,
    blur: options.Blur = False,
    model: options.Model = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Add up logs: who is on screen, for how long, with intervals."""

    def work() -> "tuple[Figures, list[Path]]":
        from stream.report.corrections import Corrections
        from stream.report.finding import find_logs
        from stream.report.page import check_page
        from stream.report.report import make_report
        from stream.report.screen_time import Limits
        from stream.report.writing import check_folder, write_report
        from stream.sinks.claims import claim_file

        check_page()
        check_folder(out, overwrite=overwrite)
        paths = find_logs(logs)
        corrections = Corrections(model)
        limits = Limits(min_width, min_quality)
        with claim_file(out, inside=True), stderr_console.status("reading") as status:
            figures = make_report(
                *(paths, corrections, limits),
                on_log=lambda path: status.update(f"reading {printable(path.name)}"),
            )
            return figures, write_report(out, figures, blur=blur)

    start_logging(quiet)
    figures, files = exit_on_error(work, debug)
    left_out = figures["left_out"]
    for each in left_out:
        command_line.print_error(each["reason"])
    if not quiet:
        from stream.report.wording import headline

        print_message(headline(figures))
        print_message(f"→ {', '.join(map(str, files))}")
    if left_out:
        command_line.print_error(f"{counted(len(left_out), 'log was', 'logs were')} left out")
        raise typer.Exit(1)
