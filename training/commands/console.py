"""What `face-train` prints: progress, figures, and errors in one line."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

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

from models.cluster.connection import ClusterError
from models.errors import ModelError, ModelWriteError
from models.program.command_line import EXIT_FAILURE, EXIT_USAGE, CommandLine
from models.program.printable import counted, printable
from training.commands.progress_lines import ProgressLines
from training.errors import DatasetError, OutputInUseError, TrainingError

if TYPE_CHECKING:
    from training.features.progress import ProgressCallback

_EXIT_CODES = {
    TrainingError: EXIT_FAILURE,
    DatasetError: EXIT_USAGE,
    OutputInUseError: EXIT_USAGE,
    ModelError: EXIT_USAGE,
    ModelWriteError: EXIT_FAILURE,
    ClusterError: EXIT_USAGE,
}
"""The exit codes of the errors of a command."""

command_line = CommandLine("face-train", _EXIT_CODES)
"""What prints messages and errors."""

_out = Console(highlight=False, soft_wrap=True, markup=False)


def print_line(line: str) -> None:
    """Prints a line on what was done."""
    _out.print(printable(line))


def print_summary(report: Mapping[str, Any]) -> None:
    """Prints the figures of a report: lines for each attribute, then those of cross-validation."""
    for name, figures in report["attributes"].items():
        accuracy, faces = figures["accuracy"], counted(figures["rows"], "face")
        print_line(
            f"{name}: accuracy {accuracy['value']:.3f} ({accuracy['low']:.3f} to "
            f"{accuracy['high']:.3f}), balanced {figures['balanced_accuracy']:.3f}, "
            f"calibration error {figures['calibration']['error']:.3f}, on {faces}"
        )
        if gap := figures["largest_gap"]:
            (groups,) = (each["groups"] for each in figures["by_group"] if each["by"] == gap["by"])
            worst, best = groups[gap["worst"]]["value"], groups[gap["best"]]["value"]
            print_line(
                f"{name} by {gap['by']}: from {worst:.3f} ({gap['worst']}) to {best:.3f} "
                f"({gap['best']})"
            )
        if count := figures["label_issues"]["count"]:
            print_line(f"{name}: {counted(count, 'label looks', 'labels look')} wrong")
    crossed = report["model"]["provenance"].get("cross_validation", {"attributes": {}})
    for name, each in crossed["attributes"].items():
        print_line(
            f"{name}: cross-validated in {crossed['folds']} parts of {each['rows']} faces: "
            f"accuracy {_spread(each['accuracy'])}, balanced {_spread(each['balanced_accuracy'])}"
        )


def print_cautions(report: Mapping[str, Any]) -> None:
    """Prints what to be careful about where the figures of a report are read."""
    for line in report["cautions"]:
        command_line.print_error(line, style="yellow")


def _spread(figure: Mapping[str, Any]) -> str:
    low, high = min(figure["values"]), max(figure["values"])
    return f"{figure['mean']:.3f} ± {figure['deviation']:.3f} ({low:.3f} to {high:.3f})"


@contextmanager
def progress_bar(total: int, what: str = "pictures") -> Iterator["ProgressCallback"]:
    """Shows a bar with rate and time left, where no terminal is a line a minute; yields what counts
    the pictures done, or what else there is to do. Those that an earlier run did are in no rate.
    """
    console = command_line.console
    if not console.is_terminal:
        yield ProgressLines(total, command_line.print_message, what=what).advance
        return
    columns = (BarColumn(), MofNCompleteColumn(), _Rate(what), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)

        def advance(done: int, *, known: bool = False) -> None:
            if known:  # the rate is measured anew
                bar.reset(task, completed=int(bar.tasks[task].completed) + done)
            else:
                bar.advance(task, done)

        yield advance


@contextmanager
def counting_progress(total: int) -> Iterator["ProgressCallback"]:
    """Says that the correction of counts is tested on so many populations, and how far that is."""
    print_line(f"counts: their correction is tested on {total} simulated populations of faces")
    with progress_bar(total, "populations") as advance:
        yield advance


@contextmanager
def one_line_errors(debug: bool) -> Iterator[None]:
    """Prints warnings as they come, and turns errors into one line and an exit code; if `debug`,
    behind their traceback.
    """
    command_line.start_logging()
    with command_line.one_line_errors(debug):
        yield


def parse_map(texts: list[str]) -> dict[str, dict[str, str | None]]:
    """`race:Asian=East Asian,Others=` → attribute → class of the dataset → class of the model.

    An empty name after the equals sign leaves the class out. A comma, an equals sign or a colon in
    a name has a backslash before it.

    Raises:
        DatasetError: a text has another form, or names a class twice.
    """
    names: dict[str, dict[str, str | None]] = {}
    for text in texts:
        attribute, *pairs = _parts(text, ":", 1)
        for pair in _parts(pairs[0], ",") if pairs else [""]:
            theirs, *ours = (_bare(each) for each in _parts(pair, "=", 1))
            if not (attribute.strip() and theirs and ours):
                raise DatasetError(
                    f"--map {text!r} is not understood: write attribute:theirs=ours,theirs=ours, "
                    "and a backslash before a comma, an equals sign or a colon in a name"
                )
            given = names.setdefault(_bare(attribute), {})
            if given.setdefault(theirs, ours[0] or None) != (ours[0] or None):
                raise DatasetError(
                    f"--map names {theirs!r} twice: where it is several classes of the model, "
                    "write them with + between"
                )
    return names


def _parts(text: str, separator: str, count: int = 0) -> list[str]:
    """A text divided at a separator, `count` times at most if that is given, but not where a
    backslash stands before it."""
    return re.split(rf"(?<!\\){re.escape(separator)}", text, maxsplit=count)


def _bare(name: str) -> str:
    """A name without the backslashes before separators in it."""
    return re.sub(r"\\([,=:])", r"\1", name).strip()


class _Rate(ProgressColumn):
    """Pictures a second, or what else is done."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f} {self._what}/s" if task.speed else "")
