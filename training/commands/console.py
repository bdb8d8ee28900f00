"""What the command line prints: progress, figures, and errors in one line."""

import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from errno import ENAMETOOLONG
from typing import Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TimeRemainingColumn,
)
from rich.text import Text

from models.errors import ModelError
from models.interrupts import exit_code, interruptible
from models.printable import printable, shortened
from training.errors import DatasetError, OutputInUseError, TrainingError

USAGE_ERROR = 2
"""Exit code where the user asked for something impossible."""

FAILURE = 1
"""Exit code where the program failed."""

_out = Console(highlight=False, soft_wrap=True, markup=False)
_bar = Console(stderr=True)


def print_line(line: str) -> None:
    """Prints a line on what was done."""
    _out.print(printable(line))


def print_summary(report: Mapping[str, Any]) -> None:
    """Prints the figures of a report, a line for each attribute."""
    for name, figures in report["attributes"].items():
        accuracy = figures["accuracy"]
        print_line(
            f"{name}: accuracy {accuracy['value']:.3f} ({accuracy['low']:.3f} to "
            f"{accuracy['high']:.3f}), balanced {figures['balanced_accuracy']:.3f}, "
            f"calibration error {figures['calibration']['error']:.3f}, on {figures['rows']} faces"
        )


@contextmanager
def progress_bar(total: int) -> Iterator[Callable[[int], None]]:
    """Shows a bar with rate and time left, on a terminal; yields what counts the pictures done."""
    columns = (BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    disabled = not _bar.is_terminal
    with Progress(*columns, console=_bar, transient=True, disable=disabled) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.advance(task, done)


@contextmanager
def one_line_errors(debug: bool) -> Iterator[None]:
    """Turns errors into one line and an exit code, instead of a traceback, unless `debug`."""
    try:
        with interruptible():
            yield
    except (TrainingError, ModelError) as error:
        if debug:
            _print_traceback()
        _print_error(str(error))
        asked_wrongly = isinstance(error, DatasetError | ModelError | OutputInUseError)
        raise typer.Exit(USAGE_ERROR if asked_wrongly else FAILURE) from error
    except OSError as error:
        if debug:
            _print_traceback()
        name = shortened(str(error.filename or "the system"))
        _print_error(f"{name}: {error.strerror or error}")
        raise typer.Exit(USAGE_ERROR if error.errno == ENAMETOOLONG else FAILURE) from error
    except KeyboardInterrupt:
        raise typer.Exit(exit_code()) from None


def _print_traceback() -> None:
    """Prints the traceback of the error at hand, in which names may hold what a terminal obeys."""
    for line in traceback.format_exc().splitlines():
        sys.stderr.write(f"{printable(line)}\n")


def _print_error(message: str) -> None:
    sys.stderr.write(f"{printable(f'face-train: {message}')}\n")


def parse_map(texts: list[str]) -> dict[str, dict[str, str | None]]:
    """`race:Asian=East Asian,Others=` → attribute → class of the dataset → class of the model.

    An empty name after the equals sign leaves the class out.

    Raises:
        DatasetError: a text has another form.
    """
    names: dict[str, dict[str, str | None]] = {}
    for text in texts:
        attribute, colon, pairs = text.partition(":")
        for pair in pairs.split(","):
            theirs, equals, ours = pair.partition("=")
            if not (colon and equals and attribute and theirs):
                raise DatasetError(
                    f"--map {text!r} is not understood: write attribute:theirs=ours,theirs=ours"
                )
            names.setdefault(attribute.strip(), {})[theirs.strip()] = ours.strip() or None
    return names


class _Rate(ProgressColumn):
    """Pictures a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f} pictures/s" if task.speed else "")
