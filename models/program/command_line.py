"""What the two programs print: messages for people, results, errors in one line; and exit codes."""

import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from errno import ENAMETOOLONG

import typer
from rich.console import Console

from models.program.interrupts import exit_code, interruptible
from models.program.printable import printable, shortened

EXIT_FAILURE = 1
"""Exit code: something failed on the way."""

EXIT_USAGE = 2
"""Exit code: what was asked for cannot be done, and nothing was done."""


class CommandLine:
    """How one of the programs speaks: results on standard output, all else on standard error.

    Args:
        program: its name, with which each error begins.
        exit_codes: the exit code of each class of its own errors, whose messages are one line; of a
            class that is not among them that of its nearest base.
    """

    def __init__(self, program: str, exit_codes: Mapping[type[Exception], int]) -> None:
        self.program = program
        self.console = Console(stderr=True, markup=False, emoji=False)
        self._exit_codes = exit_codes

    def __repr__(self) -> str:
        return f"CommandLine({self.program})"

    def print_message(self, line: str) -> None:
        """Prints a line for people, on standard error."""
        self.console.print(printable(line), highlight=False, soft_wrap=True)

    def print_error(self, message: str, style: str = "red") -> None:
        """Prints what is wrong, in one line."""
        line = printable(f"{self.program}: {message}")
        self.console.print(line, style=style, highlight=False, soft_wrap=True)

    def print_output(self, text: str) -> None:
        """Prints a result on standard output; if that fails, prints why and exits with 1."""
        lines = map(printable, text.split("\n"))
        if sys.stdout is None:  # where it was closed when the program started
            self.print_error("standard output cannot be written: it is closed")
            raise typer.Exit(EXIT_FAILURE)
        try:
            typer.echo("\n".join(lines))
        except BrokenPipeError:
            raise  # the reader has gone: Typer ends the program without a message
        except OSError as error:
            self.print_error(f"standard output cannot be written: {error.strerror}")
            raise typer.Exit(EXIT_FAILURE) from error

    def start_logging(self, quiet: bool = False) -> None:
        """Prints warnings and errors that are logged; if `quiet`, errors only."""
        level = logging.ERROR if quiet else logging.WARNING
        logging.basicConfig(level=level, handlers=[_ConsoleHandler(self)])

    @contextmanager
    def one_line_errors(self, debug: bool) -> Iterator[None]:
        """The body is the work of a command, which a signal interrupts.

        1. An error of the program's own is one line, and the exit code of its class.
        2. An error of the system names the file: exit code 1; 2 where its name is too long.
        3. Any other error is a fault of the program: one line that says so, exit code 1.
        4. A signal ends it with the exit code of that signal.

        Before the line stands the traceback if `debug`. A package that cannot be imported is left
        to `models.program.system_libraries`.
        """
        try:
            with interruptible():
                yield
        except (ImportError, typer.Exit):
            raise
        except KeyboardInterrupt:
            raise typer.Exit(exit_code()) from None
        except Exception as error:
            if debug:
                self._print_traceback()
            message, code = self._explained(error)
            self.print_error(message)
            raise typer.Exit(code) from error

    def _explained(self, error: Exception) -> tuple[str, int]:
        """The line that an error becomes, and its exit code."""
        for base in type(error).__mro__:
            if base in self._exit_codes:
                return str(error), self._exit_codes[base]
        if isinstance(error, OSError):
            name = shortened(str(error.filename or "the system"))
            code = EXIT_USAGE if error.errno == ENAMETOOLONG else EXIT_FAILURE
            return f"{name}: {error.strerror or error}", code
        reason = " ".join(str(error).split())
        fault = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
        return f"a fault of this program, please report it with --debug: {fault}", EXIT_FAILURE

    def _print_traceback(self) -> None:
        """Prints the traceback of the error at hand; names in it may hold what a terminal obeys."""
        for line in traceback.format_exc().splitlines():
            self.print_message(line)


class _ConsoleHandler(logging.Handler):
    """Prints each warning and error in one line, above the progress bar if there is one."""

    def __init__(self, command_line: CommandLine) -> None:
        super().__init__()
        self._command_line = command_line

    def emit(self, record: logging.LogRecord) -> None:
        style = "red" if record.levelno >= logging.ERROR else "yellow"
        self._command_line.print_error(record.getMessage(), style)
