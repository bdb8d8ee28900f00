"""A feature table → a model folder."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from training.commands.console import one_line_errors, say, summary
from training.commands.opening import names_of
from training.commands.options import (
    DEFAULT_SEED,
    Attributes,
    Debug,
    EmbedderFile,
    Seed,
    Table,
)


def fit(
    table: Table,
    out: Annotated[Path, typer.Option(help="The model folder to write.")],
    embedder: EmbedderFile = None,
    attributes: Attributes = None,
    classifier: Annotated[
        Literal["mlp", "logistic", "svm", "knn", "forest", "auto"],
        typer.Option(help="Which one; auto: mlp or logistic, what suits each attribute."),
    ] = "mlp",
    class_weight: Annotated[
        Literal["none", "balanced"],
        typer.Option(help="balanced: rare classes weigh as much as frequent ones."),
    ] = "none",
    mirror: Annotated[
        bool, typer.Option("--mirror/--no-mirror", help="Fit on the mirrored faces as well.")
    ] = True,
    calibrate: Annotated[
        bool, typer.Option("--calibrate/--no-calibrate", help="Make it as sure as it is right.")
    ] = True,
    search: Annotated[bool, typer.Option("--search", help="Try several settings.")] = False,
    seed: Seed = DEFAULT_SEED,
    debug: Debug = False,
) -> None:
    """Fits a classifier for each attribute and writes a model folder."""
    with one_line_errors(debug):
        from training.evaluation.publish import check_folder, publish
        from training.features.table_files import read_table
        from training.fitting.fit import FitSettings
        from training.fitting.fit import fit as fit_heads

        settings = FitSettings(
            attributes=names_of(attributes),
            classifier=classifier,
            balanced=class_weight == "balanced",
            mirror=mirror,
            calibrate=calibrate,
            search=search,
            seed=seed,
            embedder=embedder,
        )
        check_folder(out)
        faces = read_table(table)
        summary(publish(out, fit_heads(faces, settings, told=say), faces))
        say(f"{out}: model and card")
