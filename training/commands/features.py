"""Labelled pictures → a feature table."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from training.commands.console import one_line_errors, progress_bar, say
from training.commands.opening import opened
from training.commands.options import (
    DEFAULT_SEED,
    Aligned,
    Dataset,
    Debug,
    EmbedderFile,
    Faces,
    Finder,
    HeldOut,
    Labels,
    Layout,
    Seed,
)


def features(
    dataset: Dataset,
    out: Annotated[Path, typer.Option(help="The Parquet file to write.")],
    layout: Layout = None,
    labels: Labels = None,
    aligned: Aligned = None,
    faces: Faces = "one",
    detector: Finder = "cnn",
    embedder: EmbedderFile = None,
    mirror: Annotated[
        bool, typer.Option("--mirror/--no-mirror", help="Embed each face mirrored as well.")
    ] = True,
    hold_out: HeldOut = "given",
    csv: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="Write features and labels as two CSV files as well."),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Where embeddings are kept, OUT.cache unless given.")
    ] = None,
    seed: Seed = DEFAULT_SEED,
    debug: Debug = False,
) -> None:
    """Finds and embeds the faces of labelled pictures."""
    with one_line_errors(debug):
        from training.datasets.splits import HoldOut
        from training.features.extraction import extract_features, skipped_path
        from training.features.extractor import Extractor
        from training.features.table_files import read_table, write_csv

        held = HoldOut.parse(hold_out)
        samples, settings = opened(dataset, layout, labels, aligned, faces, detector)
        extractor = Extractor(replace(settings, mirror=mirror, embedder=embedder))
        say(f"{samples.name}: {len(samples)} pictures")
        with progress_bar(len(samples)) as progress:
            result = extract_features(
                samples,
                out,
                extractor,
                hold_out=held,
                seed=seed,
                cache=cache,
                progress=progress,
            )
        if csv is not None:
            write_csv(read_table(out), *csv)
        known = f", {result.reused} of them known from before" if result.reused else ""
        say(f"{out}: {result.faces} faces of {result.pictures} pictures{known}")
        if result.skipped:
            reasons = ", ".join(f"{count} {why}" for why, count in result.reasons().items())
            say(f"skipped {reasons}: {skipped_path(out)}")
