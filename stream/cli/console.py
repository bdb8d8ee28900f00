"""What the command line prints, and the exit codes: warnings, errors in one line, the summary."""

import json
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from errno import ENAMETOOLONG
from typing import TYPE_CHECKING, TypeVar

import typer
from rich.console import Console

from models.interrupts import exit_code, interruptible
from models.printable import printable, shortened
from models.system_libraries import import_fault, import_remedy

if TYPE_CHECKING:
    from stream.summary import Summary

_Result = TypeVar("_Result")

EXIT_FAILURE = 1
"""Exit code: something failed on the way."""

EXIT_USAGE = 2
"""Exit code: what was asked for cannot be done, and nothing was done."""

_DIAGNOSE = "face-stream doctor says what else is missing"
"""What to do besides where a package cannot be imported."""

stderr_console = Console(stderr=True, markup=False, emoji=False)
"""Where messages go: nothing in the names of files is markup."""


def print_message(line: str) -> None:
    """Prints a line for people, on standard error."""
    stderr_console.print(printable(line), highlight=False, soft_wrap=True)


def print_output(text: str) -> None:
    """Prints a result on standard output; if that fails, prints why and exits with 1."""
    lines = map(printable, text.split("\n"))
    try:
        typer.echo("\n".join(lines))
    except BrokenPipeError:
        raise  # the reader has gone: Typer ends the program without a message
    except OSError as error:
        _print_error(f"standard output cannot be written: {error.strerror}")
        raise typer.Exit(EXIT_FAILURE) from error


def exit_at_once_if_blocked(code: int | str | None) -> None:
    """Ends the process at once if a daemon thread still waits in a read that cannot be interrupted.

    Otherwise Python would tear down itself and FFmpeg under that thread, which crashed at times.
    """
    if not any(each.daemon for each in threading.enumerate()):
        return
    for text in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # the reader has gone
            text.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def exit_on_error(work: Callable[[], _Result], debug: bool) -> _Result:
    """What `work` returns; an error before anything was done becomes one line and exit code 2, or 1
    where it was a source that was waited for in vain.
    """
    from models.errors import ModelError
    from stream.errors import ConfigError, LostSourceError, SinkError, SourceError

    try:
        with interruptible():
            return work()
    except (ConfigError, SourceError, SinkError, ModelError) as error:
        if debug:
            _print_traceback()
        _print_error(str(error))
        waited = isinstance(error, LostSourceError)
        raise typer.Exit(EXIT_FAILURE if waited else EXIT_USAGE) from error
    except ImportError as error:
        if exit_code(0):  # a signal that comes during the import of an extension takes that form
            raise typer.Exit(exit_code()) from None
        if debug:
            _print_traceback()
        remedy = import_remedy(error, "install face-stream again")
        _print_error(f"{import_fault(error)}: {remedy}; {_DIAGNOSE}")
        raise typer.Exit(EXIT_FAILURE) from error
    except OSError as error:
        if debug:
            _print_traceback()
        name = shortened(str(error.filename or "the system"))
        _print_error(f"{name}: {error.strerror or error}")
        raise typer.Exit(EXIT_USAGE if error.errno == ENAMETOOLONG else EXIT_FAILURE) from error
    except KeyboardInterrupt:
        raise typer.Exit(exit_code()) from None


def _print_traceback() -> None:
    """Prints the traceback of the error at hand, in which names may hold what a terminal obeys."""
    for line in traceback.format_exc().splitlines():
        print_message(line)


def start_logging(quiet: bool) -> None:
    """Prints warnings and errors that are logged; if `quiet`, errors only."""
    level = logging.ERROR if quiet else logging.WARNING
    logging.basicConfig(level=level, handlers=[_ConsoleHandler()])


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
        _print_error(f"{summary.skipped.total()} pictures were left out, which --strict forbids")
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


class _ConsoleHandler(logging.Handler):
    """Prints each warning and error in one line, above the progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        _print_error(record.getMessage(), "red" if record.levelno >= logging.ERROR else "yellow")


def _print_error(message: str, style: str = "red") -> None:
    line = printable(f"face-stream: {message}")
    stderr_console.print(line, style=style, highlight=False, soft_wrap=True)
