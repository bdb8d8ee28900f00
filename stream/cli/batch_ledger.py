"""The commands `batch status` and `batch retry`, which look at the ledgers of a batch."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from models.program.printable import printable
from stream.cli import options
from stream.cli.console import exit_on_error, print_message, print_output, start_logging

if TYPE_CHECKING:
    from stream.batch.standing import Standing

_Folder: TypeAlias = Annotated[
    Path, typer.Argument(metavar="DIR", help="The folder of the batch, its --out.")
]


def status(folder: _Folder, as_json: options.Json = False, debug: options.Debug = False) -> None:
    """Say where a batch stands, also while it goes on, and what has failed and why."""

    def work() -> "Standing":
        from stream.batch.standing import standing_in

        return standing_in(folder)

    start_logging()
    standing = exit_on_error(work, debug)
    if as_json:
        print_output(json.dumps(standing.as_dict()))
        return
    failures = [
        f"failed: {printable(row.name)}: {printable(row.error)}" for row in standing.failures
    ]
    print_output("\n".join([*standing.lines(), *failures]))


def retry(folder: _Folder, quiet: options.Quiet = False, debug: options.Debug = False) -> None:
    """Let the inputs of a batch that failed be tried again by its next start."""

    def work() -> int:
        from stream.batch.opening import free_failed

        return free_failed(folder)

    start_logging(quiet)
    freed = exit_on_error(work, debug)
    if not quiet:
        what = f"{freed:,} that failed wait again: start the batch as before"
        print_message(what if freed else "no input has failed: there is nothing to try again")
