"""What the command line prints: warnings, errors in one line, and the last word."""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import typer
from rich.console import Console

if TYPE_CHECKING:
    from stream.summary import Summary

Result = TypeVar("Result")

FAILED, ASKED_WRONGLY, INTERRUPTED = 1, 2, 130

# What is printed holds names of files: nothing in them is an order to the terminal.
screen = Console(stderr=True, markup=False, emoji=False)


def say(line: str) -> None:
    """Prints a line of what was done, beside what goes to standard output."""
    screen.print(line, highlight=False, soft_wrap=True)


def put(text: str) -> None:
    """Prints what was asked for, on standard output; where it cannot, says so and exits with 1."""
    try:
        typer.echo(text)
    except BrokenPipeError:
        raise  # nobody reads any more: Typer ends the program in silence
    except OSError as error:
        _print_error(f"standard output cannot be written: {error.strerror}")
        raise typer.Exit(FAILED) from error


def leave(code: int | str | None) -> None:
    """Ends the program here and now if a thread still hangs in a read that cannot be broken off.

    Python would take itself and FFmpeg apart under that thread, which now and then crashed.
    """
    if not any(each.daemon for each in threading.enumerate()):
        return
    for text in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads it any more
            text.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def guarded(work: Callable[[], Result], debug: bool) -> Result:
    """What `work` returns; an error becomes one line and exit code 2: nothing was done yet."""
    from models.errors import ModelError
    from stream.errors import ConfigError, SinkError, SourceError

    try:
        return work()
    except (ConfigError, SourceError, SinkError, ModelError) as error:
        if debug:
            raise
        _print_error(str(error))
        raise typer.Exit(ASKED_WRONGLY) from error
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def start_logging(quiet: bool) -> None:
    """Warnings and errors become lines; if `quiet`, errors only."""
    level = logging.ERROR if quiet else logging.WARNING
    logging.basicConfig(level=level, handlers=[_TerminalHandler()])


def report(summary: "Summary", quiet: bool, as_json: bool) -> None:
    """The last word, and the exit code."""
    if as_json:
        put(json.dumps(summary.as_dict()))
    elif not quiet:
        say(summary.line())
    if summary.failures:
        raise typer.Exit(FAILED)
    if summary.interrupted:
        raise typer.Exit(INTERRUPTED)


class _TerminalHandler(logging.Handler):
    """Each warning and error in one line, above the progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        _print_error(record.getMessage(), "red" if record.levelno >= logging.ERROR else "yellow")


def _print_error(message: str, style: str = "red") -> None:
    screen.print(f"face-stream: {message}", style=style, highlight=False, soft_wrap=True)
