"""`face-train fit`: a feature table → a model folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from training.commands.console import (
    counting_progress,
    one_line_errors,
    print_line,
    print_summary,
)
from training.commands.opening import parse_names
from training.commands.options import (
    DEFAULT_SEED,
    FITTING,
    OUTPUT,
    AllowLeak,
    AttributeNames,
    DebugFlag,
    EmbedderFile,
    SeedOption,
    TablePath,
)

if TYPE_CHECKING:
    from training.fitting.settings import FitSettings


def fit(
    table: TablePath,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            rich_help_panel=OUTPUT,
            help="The model folder to write.",
        ),
    ],
    embedder: EmbedderFile = None,
    attributes: AttributeNames = None,
    classifier: Annotated[
        Literal["mlp", "logistic", "svm", "knn", "forest", "auto"],
        typer.Option(
            rich_help_panel=FITTING,
            help="What is fitted; auto takes mlp or logistic, by attribute what is better.",
        ),
    ] = "mlp",
    class_weight: Annotated[
        Literal["none", "balanced"],
        typer.Option(
            rich_help_panel=FITTING,
            help="With balanced, rare classes weigh as much as frequent ones.",
        ),
    ] = "none",
    mirror: Annotated[
        bool,
        typer.Option(
            "--mirror/--no-mirror",
            rich_help_panel=FITTING,
            help="Fit on the mirrored faces as well, filmed or not.",
        ),
    ] = True,
    filmed: Annotated[
        bool,
        typer.Option(
            "--filmed/--no-filmed",
            rich_help_panel=FITTING,
            help="Fit on the filmed faces as well; confidence is calibrated on them either way.",
        ),
    ] = True,
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate/--no-calibrate",
            rich_help_panel=FITTING,
            help="Make it as sure as it is right.",
        ),
    ] = True,
    allow_leak: AllowLeak = False,
    search: Annotated[
        bool,
        typer.Option(
            "--search",
            rich_help_panel=FITTING,
            help="Try several settings of the classifier, and keep the best.",
        ),
    ] = False,
    cross_validate: Annotated[
        int | None,
        typer.Option(
            "--cross-validate",
            min=2,
            rich_help_panel=FITTING,
            metavar="N",
            help="Also fit on all but one of N parts, and measure on that: mean and spread.",
        ),
    ] = None,
    seed: SeedOption = DEFAULT_SEED,
    debug: DebugFlag = False,
) -> None:
    """Fit a classifier for each attribute and write a model folder."""
    with one_line_errors(debug):
        from models.embedder import embedder_file
        from training.evaluation.cross_validation import CROSS_VALIDATION
        from training.evaluation.cross_validation import cross_validate as measure_parts
        from training.evaluation.publish import check_folder, publish
        from training.features.table_files import read_table
        from training.fitting.class_counts import class_counts
        from training.fitting.fit import fit as fit_heads
        from training.fitting.settings import FitSettings
        from training.outputs import sole_writer

        settings = FitSettings(
            attributes=parse_names(attributes),
            classifier=classifier,
            balanced=class_weight == "balanced",
            mirror=mirror,
            filmed=filmed,
            calibrate=calibrate,
            search=search,
            folds=cross_validate,
            seed=seed,
            embedder=None if embedder is None else embedder_file(embedder),
            allow_leak=allow_leak,
        )
        check_folder(out)
        with sole_writer(out):
            features = read_table(table)
            if not features.filmed.any():
                for line in _lacking(settings):
                    print_line(line)
            for line in class_counts(features, settings):
                print_line(line)
            crossed = measure_parts(features, settings, on_message=print_line)
            fitted = fit_heads(features, settings, on_message=print_line)
            if crossed is not None:
                fitted = fitted.with_record(CROSS_VALIDATION, crossed)
            report = publish(out, fitted, features, counting_progress)
            print_summary(report)  # what to be careful about is said above
        print_line(f"{out}: model and card")


def _lacking(settings: "FitSettings") -> Iterator[str]:
    """What is said where a table is of an earlier version, or was made with `--filmed 0`."""
    lacking = []
    if settings.fits_filmed:
        lacking.append("how faces look in a video")
    if settings.calibrate:
        lacking.append("how sure one may be of small and blurred ones")
    if lacking:
        yield (
            f"no face of the table is filmed: it is not learned {' and '.join(lacking)}; make the "
            "table anew with face-train features"
        )
