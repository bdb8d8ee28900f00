"""The command line: labelled pictures → features → a model folder → a report."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

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
from training.errors import DatasetError, TrainingError

WRONG_USE, FAILED = 2, 1

app = typer.Typer(
    help="Trains and evaluates the classifier on labelled faces.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_out = Console(highlight=False, soft_wrap=True)
_bar = Console(stderr=True)

Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


@app.command()
def features(
    dataset: Annotated[Path, typer.Argument(help="Folder, or CSV or Parquet list, of pictures.")],
    out: Annotated[Path, typer.Option(help="The Parquet file to write.")],
    layout: Annotated[
        str | None, typer.Option("--format", help="The layout, where it is not recognised.")
    ] = None,
    aligned: Annotated[
        bool | None,
        typer.Option("--aligned/--no-aligned", help="Pictures are aligned chips, padding 0.25."),
    ] = None,
    faces: Annotated[str, typer.Option(help="one, largest, centre or all.")] = "one",
    detector: Annotated[str, typer.Option(help="cnn or hog.")] = "cnn",
    mirror: Annotated[
        bool, typer.Option("--mirror/--no-mirror", help="Embed each face mirrored as well.")
    ] = True,
    hold_out: Annotated[
        str, typer.Option(help="given, first:N or a fraction: the rows of the split test.")
    ] = "given",
    seed: Annotated[int | None, typer.Option(help="Of the split.")] = None,
    debug: Debug = False,
) -> None:
    """Finds and embeds the faces of labelled pictures."""
    with _errors(debug):
        from training.datasets import read_dataset
        from training.extraction import ExtractionSettings, Extractor
        from training.features import extract_features, skipped_path
        from training.splits import SEED, HoldOut

        samples = read_dataset(dataset, layout)
        held = HoldOut.parse(hold_out)
        settings = ExtractionSettings(
            aligned=samples.aligned if aligned is None else aligned, mirror=mirror
        )
        _out.print(f"{samples.name}: {len(samples)} pictures")
        with _progress(len(samples)) as progress:
            result = extract_features(
                samples,
                out,
                Extractor(settings),
                hold_out=held,
                seed=SEED if seed is None else seed,
                progress=progress,
            )
        skipped = ", ".join(f"{count} {reason}" for reason, count in result.reasons().items())
        _out.print(f"{out}: {result.faces} faces of {result.pictures} pictures")
        if skipped:
            _out.print(f"skipped: {skipped}; listed in {skipped_path(out)}")


@app.command()
def fit(
    table: Annotated[Path, typer.Argument(help="What face-train features wrote.")],
    out: Annotated[Path, typer.Option(help="The model folder to write.")],
    attributes: Annotated[
        str | None, typer.Option(help="Label columns, with commas between; all unless given.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of whatever is drawn.")] = None,
    debug: Debug = False,
) -> None:
    """Fits a classifier for each attribute and writes a model folder."""
    with _errors(debug):
        from training.fit import FitSettings, fit
        from training.publish import publish
        from training.table import read_table

        settings = FitSettings(attributes=tuple(attributes.split(",")) if attributes else None)
        if seed is not None:
            settings = replace(settings, seed=seed)
        faces = read_table(table)
        report = publish(out, fit(faces, settings, told=_out.print), faces)
        _summary(report)
        _out.print(f"{out}: {', '.join(report['attributes'])}")


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    table: Annotated[Path, typer.Argument(help="What face-train features wrote.")],
    out: Annotated[Path | None, typer.Option(help="The folder to write the report to.")] = None,
    split: Annotated[str, typer.Option(help="test, train or all.")] = "test",
    debug: Debug = False,
) -> None:
    """Measures a model on labelled faces."""
    with _errors(debug):
        from models.bundle import load_bundle
        from training.evaluate import evaluate as measure
        from training.outputs import write_text
        from training.table import read_table

        report = measure(
            load_bundle(model), read_table(table), split=None if split == "all" else split
        )
        _summary(report)
        if out is not None:
            write_text(out / "report.json", json.dumps(report, indent=2, ensure_ascii=False) + "\n")


def main() -> None:
    """The entry point of `face-train`."""
    app()


def _summary(report: dict[str, Any]) -> None:
    for name, figures in report["attributes"].items():
        accuracy = figures["accuracy"]
        _out.print(
            f"{name}: accuracy {accuracy['value']:.3f} ({accuracy['low']:.3f} to "
            f"{accuracy['high']:.3f}), balanced {figures['balanced_accuracy']:.3f}, "
            f"on {figures['rows']} faces"
        )


class _Rate(ProgressColumn):
    """Pictures a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f} pictures/s" if task.speed else "")


@contextmanager
def _progress(total: int) -> Iterator[Any]:
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_bar, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.advance(task, done)


@contextmanager
def _errors(debug: bool) -> Iterator[None]:
    """One line and an exit code instead of a traceback."""
    try:
        yield
    except (TrainingError, ModelError) as error:
        if debug:
            raise
        sys.stderr.write(f"face-train: {error}\n")
        raise typer.Exit(WRONG_USE if isinstance(error, DatasetError) else FAILED) from error


if __name__ == "__main__":
    main()
