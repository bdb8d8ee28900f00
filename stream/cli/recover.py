"""The command `recover`: what a run that ended early could save, made into whole files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.program.printable import counted
from stream.cli import options
from stream.cli.console import exit_on_error, print_message, start_logging

if TYPE_CHECKING:
    from stream.recovery.recover import Recovered


def recover(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="What it could save: NAME.part.mp4, NAME.part.jsonl."),
    ],
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            metavar="LOG",
            help="The log of a video, NAME.part.jsonl or .csv; by default the one of its name.",
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Make whole files of what a run that ended early could save."""

    def work() -> "Recovered":
        from stream.recovery.recover import recover as recover_files

        return recover_files(file, log, overwrite=overwrite)

    start_logging(quiet)
    recovered = exit_on_error(work, debug)
    if not quiet:
        frames = f" ({counted(recovered.frames, 'frame')})" if recovered.frames else ""
        names = ", ".join(map(str, recovered.files))
        print_message(f"Recovered {names}{frames}")
