"""How `face-stream` speaks and ends: its errors, the summary of a run, and exit codes."""

import atexit
import json
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import typer

from models.errors import ModelError
from models.program.command_line import EXIT_FAILURE, EXIT_USAGE, CommandLine
from models.program.interrupts import exit_code
from models.program.printable import counted
from stream.errors import ConfigError, LedgerError, LostSourceError, SinkError, SourceError

if TYPE_CHECKING:
    from stream.summary import Summary

_Result = TypeVar("_Result")

_ERRORS = (ConfigError, SourceError, SinkError, ModelError)
"""The errors of a command: what was asked for cannot be done, and nothing was done."""

_EXIT_CODES = {
    **dict.fromkeys(_ERRORS, EXIT_USAGE),
    **dict.fromkeys((LostSourceError, LedgerError), EXIT_FAILURE),
}
"""The exit code of each: a source that was waited for in vain was asked for rightly, and so was a
batch whose disk is full."""

command_line = CommandLine("face-stream", _EXIT_CODES)
"""What prints."""

stderr_console = command_line.console
"""Where messages go: nothing in the names of files is markup."""

print_message, print_output = command_line.print_message, command_line.print_output
start_logging = command_line.start_logging


def exit_at_once(code: int | str | None) -> None:
    """Ends the process without Python's taking itself apart, which takes a sixth of a short run.

    1. A daemon thread that still waits in a read is left there: FFmpeg, taken apart under it,
       crashed at times.
    2. Any other thread is waited for by Python, so this returns, and where there is a message left.
    """
    others = [each for each in threading.enumerate() if each is not threading.main_thread()]
    if isinstance(code, str) or (others and not any(each.daemon for each in others)):
        return
    atexit._run_exitfuncs()
    for text in filter(None, (sys.stdout, sys.stderr)):  # one that is closed from the start is None
        try:
            text.flush()
        except (OSError, ValueError):  # the reader has gone, or the disk is full
            code = code or EXIT_FAILURE
    os._exit(code or 0)


def exit_on_error(work: Callable[[], _Result], debug: bool) -> _Result:
    """What `work` returns; an error before anything was done becomes one line and exit code 2."""
    with command_line.one_line_errors(debug):
        return work()


def print_summary(summary: "Summary", quiet: bool, as_json: bool, *, strict: bool = False) -> None:
    """Prints the summary of a run, and exits with its code unless it is 0.

    Args:
        summary: of the run.
        quiet: print no line for people.
        as_json: print JSON on standard output instead.
        strict: that a picture was left out is a failure.
    """
    if as_json:
        print_output(json.dumps(summary.as_dict()))
    elif not quiet:
        print_message(summary.line())
        if summary.advice:
            print_message(summary.advice)
    if strict and summary.skipped:
        left_out = counted(summary.skipped.total(), "picture was", "pictures were")
        command_line.print_error(f"{left_out} left out, which --strict forbids")
    if summary.failures or (strict and summary.skipped):
        raise typer.Exit(EXIT_FAILURE)
    if summary.interrupted or exit_code(0):
        raise typer.Exit(exit_code())


def exit_hanging(summary: "Summary", quiet: bool, as_json: bool) -> None:
    """Prints the summary of a run that hangs, and ends the program at once with exit code 1."""
    with suppress(typer.Exit):
        print_summary(summary, quiet, as_json)
    for text in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # the reader has gone
            text.flush()
    os._exit(EXIT_FAILURE)
