"""`face-train features`: labelled pictures → a feature table."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from models.cluster.connection import AUTO
from models.detection.names import DEFAULT_DETECTOR, found_by
from models.program.printable import counted
from training.commands.console import one_line_errors, print_line, progress_bar
from training.commands.opening import open_dataset
from training.commands.options import (
    DEFAULT_FILMED,
    DEFAULT_SEED,
    OUTPUT,
    AlignedChips,
    DatasetFormat,
    DatasetPath,
    DebugFlag,
    DetectorChoice,
    EmbedderFile,
    FaceChoice,
    HoldOutRule,
    LabelColumns,
    SeedOption,
)
from training.errors import DatasetError

if TYPE_CHECKING:
    from training.features.workers import Workers

_MAX_FILMED = 10
"""How often a face is filmed at most; each takes as long as a face that is found."""


def features(
    dataset: DatasetPath,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            rich_help_panel=OUTPUT,
            help="The Parquet file to write.",
        ),
    ],
    layout: DatasetFormat = None,
    labels: LabelColumns = None,
    aligned: AlignedChips = None,
    faces: FaceChoice = "one",
    detector: DetectorChoice = DEFAULT_DETECTOR,
    embedder: EmbedderFile = None,
    mirror: Annotated[
        bool,
        typer.Option(
            "--mirror/--no-mirror",
            rich_help_panel=OUTPUT,
            help="Embed each face mirrored as well.",
        ),
    ] = True,
    filmed: Annotated[
        int,
        typer.Option(
            min=0,
            max=_MAX_FILMED,
            rich_help_panel=OUTPUT,
            metavar="N",
            help="Embed each face N times as a video shows it as well: small, blurred, coded.",
        ),
    ] = DEFAULT_FILMED,
    hold_out: HoldOutRule = "given",
    csv: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar="FEATURES.csv LABELS.csv",
            rich_help_panel=OUTPUT,
            help="Write two CSV files as well.",
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=OUTPUT,
            help="Where embeddings are kept for the next run. By default OUT.cache.",
        ),
    ] = None,
    seed: SeedOption = DEFAULT_SEED,
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(help="Where pictures are embedded: here, or on a Ray cluster that runs."),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="The head of the cluster; by default that of this machine (auto).",
        ),
    ] = None,
    debug: DebugFlag = False,
) -> None:
    """Find and embed the faces of labelled pictures."""
    with one_line_errors(debug):
        from models.embedder import embedder_file
        from training.datasets.label_notes import label_notes
        from training.datasets.splits import HoldOut
        from training.features.extraction import extract_features
        from training.features.extractor import Extractor
        from training.features.leaks import describe_contradictions, describe_leaks
        from training.features.side_files import cache_path, duplicates_path, skipped_path
        from training.features.table_files import read_table, write_csv
        from training.outputs import sole_writer

        held = HoldOut.parse(hold_out)
        _check_outputs(out, cache or cache_path(out), csv or ())
        samples, settings = open_dataset(dataset, layout, labels, aligned, faces, detector)
        for note in label_notes(samples.labels, samples.identities):
            print_line(note)
        own = None if embedder is None else embedder_file(embedder)
        extractor = Extractor(replace(settings, mirror=mirror, filmed=filmed, embedder=own))
        found = found_by(extractor.settings.detector)
        print_line(f"{samples.name}: {counted(len(samples), 'picture')}, faces {found}")
        with ExitStack() as claims:
            for path in (out, cache or cache_path(out), *(csv or ())):
                claims.enter_context(sole_writer(path))
            workers: Workers | None = None
            if engine == "ray":
                from training.features.cluster_workers import ClusterWorkers

                workers = claims.enter_context(ClusterWorkers(address or AUTO, extractor))
            elif address is not None:
                raise DatasetError("--address is that of a cluster: give --engine ray too")
            with progress_bar(len(samples)) as progress:
                result = extract_features(
                    samples,
                    out,
                    extractor,
                    hold_out=held,
                    seed=seed,
                    cache=cache,
                    workers=workers,
                    progress=progress,
                )
            if csv is not None:
                write_csv(read_table(out), *csv)
        known = f", {result.reused} of them known from before" if result.reused else ""
        faces_of = counted(result.faces, "face of", "faces of")
        print_line(f"{out}: {faces_of} {counted(result.pictures, 'picture')}{known}")
        if result.skipped:
            print_line(f"skipped {result.reasons()}: {skipped_path(out)}")
        if result.leaks:
            print_line(f"{describe_leaks(result.leaks)}: {duplicates_path(out)}")
        if result.contradictions:
            print_line(f"{describe_contradictions(result.contradictions)}: {duplicates_path(out)}")


def _check_outputs(out: Path, cache: Path, csv: tuple[Path, ...]) -> None:
    """Raises DatasetError where a file cannot be what it is named for, before the work."""
    if out.suffix.lower() in (".csv", ".tsv", ".txt"):
        raise DatasetError(
            f"--out {out} is written as Parquet: name it .parquet; --csv writes CSV besides"
        )
    files = (out, cache, *csv)
    for path in files:
        if path.is_dir():
            raise DatasetError(f"{path} is a folder: name a file in it")
    if len({path.resolve() for path in files}) < len(files):
        raise DatasetError("the table, its cache and the CSV files need a name each")
