"""`face-train evaluate`: a model folder → a report."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from models.detection.names import DEFAULT_DETECTOR, found_by
from models.program.printable import counted
from training.commands.console import (
    counting_progress,
    one_line_errors,
    parse_map,
    print_cautions,
    print_line,
    print_summary,
    progress_bar,
)
from training.commands.opening import open_dataset
from training.commands.options import (
    DEFAULT_SAMPLE,
    DEFAULT_SEED,
    INPUT,
    OUTPUT,
    AlignedChips,
    AllowLeak,
    DatasetFormat,
    DebugFlag,
    DetectorChoice,
    FaceChoice,
    HoldOutRule,
    LabelColumns,
    SeedOption,
)

if TYPE_CHECKING:
    from models.classification.bundle import Bundle
    from models.prevalence.correction import Correction
    from training.datasets.samples import Samples
    from training.evaluation.evaluate import Comparison
    from training.features.extractor import Extractor

_CARD_AND_CORRECTION = "card and correction"
"""What is said that `--card` has written."""

_CARD = "card; counts are not corrected, for that needs 400 labelled faces, with some of each class"
"""What is said where there is no correction, and one of before is gone."""


def evaluate(
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    data: Annotated[
        Path, typer.Argument(help="What face-train features wrote, or a dataset itself.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            rich_help_panel=OUTPUT,
            help="A folder for the report, the predictions and the labels that look wrong.",
        ),
    ] = None,
    split: Annotated[
        Literal["test", "train", "all"],
        typer.Option(
            rich_help_panel=INPUT, help="Which rows are measured: those held out, or others."
        ),
    ] = "test",
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="DATASET",
            rich_help_panel=INPUT,
            help="The dataset of a table: bad pictures are measured too, and errors shown.",
        ),
    ] = None,
    sample: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=INPUT,
            help="Faces that are made worse for that, drawn; more take longer.",
        ),
    ] = DEFAULT_SAMPLE,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            rich_help_panel=INPUT,
            metavar="LABEL:THEIRS=OURS",
            help="race:Asian=East Asian+Southeast Asian,Others= names the model's for theirs.",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=INPUT,
            help="A config.toml: classes are merged as its labels.groups say.",
        ),
    ] = None,
    card: Annotated[
        bool,
        typer.Option(
            "--card",
            rich_help_panel=OUTPUT,
            help="Write the model's card anew from this report, and what corrects its counts.",
        ),
    ] = False,
    layout: DatasetFormat = None,
    labels: LabelColumns = None,
    aligned: AlignedChips = None,
    faces: FaceChoice = "one",
    detector: DetectorChoice = DEFAULT_DETECTOR,
    hold_out: HoldOutRule = "given",
    allow_leak: AllowLeak = False,
    seed: SeedOption = DEFAULT_SEED,
    debug: DebugFlag = False,
) -> None:
    """Measure a model on labelled faces."""
    with one_line_errors(debug), ExitStack() as claims:
        from models.classification.bundle import load_bundle
        from models.embedder import bundled_embedder
        from models.engine import load_engine
        from training.datasets.splits import HoldOut
        from training.evaluation.evaluate import compare, report_on
        from training.evaluation.face_chips import TablePictures
        from training.evaluation.predictions import write_predictions
        from training.evaluation.publish import write_card
        from training.evaluation.report import write_report
        from training.evaluation.robustness import measure_robustness
        from training.evaluation.robustness import sample as draw_sample
        from training.evaluation.thumbnails import error_thumbnails
        from training.evaluation.width_by_coding import WIDTH_BY_CODING, measure_width_by_coding
        from training.features.extraction import temporary_table
        from training.features.extractor import Extractor
        from training.features.leaks import check_leaks
        from training.features.table_files import is_table, read_table
        from training.outputs import sole_writer

        if out is not None:
            claims.enter_context(sole_writer(out, inside=True))
        if card:
            claims.enter_context(sole_writer(model))
        bundle = load_bundle(model)
        names, merged = _class_names(bundle, mapping or [], config)
        rows = None if split == "all" else split
        dataset = pictures if is_table(data) else data
        if dataset is not None:
            samples, settings = open_dataset(dataset, layout, labels, aligned, faces, detector)
            embedder = bundled_embedder(bundle)
            engine = load_engine(settings.detection, embedder=embedder, threads=1)
            extractor = Extractor(settings, engine)
        if is_table(data):
            table = read_table(data)
        else:
            with progress_bar(len(samples)) as progress:
                table = temporary_table(samples, extractor, HoldOut.parse(hold_out), seed, progress)
        if rows == "test" and not allow_leak:
            check_leaks(table)
        comparison = compare(bundle, table, split=rows, names=names, groups=merged)
        report = report_on(bundle, comparison, seed)
        if dataset is not None:
            chosen = draw_sample(comparison.table, sample, seed)
            print_line(f"bad pictures: measured on {len(chosen)} of these faces, drawn")
            with progress_bar(2 * len(chosen)) as progress:
                robustness = measure_robustness(
                    *(bundle, table, samples, extractor),
                    split=rows,
                    names=names,
                    groups=merged,
                    max_faces=sample,
                    seed=seed,
                    progress=progress,
                )
                crossed = measure_width_by_coding(
                    *(bundle, chosen, TablePictures(samples, extractor)),
                    names=names,
                    groups=merged,
                    progress=progress,
                )
            for name, figures in robustness.items():
                report["attributes"][name] |= figures | {WIDTH_BY_CODING: crossed[name]}
        print_line(f"faces {found_by(table.info.detector)}")
        print_line(_measured(report["data"]))
        print_summary(report)
        print_cautions(report)
        if out is not None:
            pictured = dataset is not None
            thumbnails = error_thumbnails(report, samples, extractor) if pictured else {}
            write_predictions(out, comparison)
            write_report(out, report, thumbnails)
            print_line(f"{out}: report.html, report.json, predictions.parquet, label_issues.csv")
        if card:
            found = None if dataset is None else (samples, extractor)
            correction = _correction(bundle, comparison, found)
            write_card(bundle, report, correction)
            print_line(f"{model}: {_CARD if correction is None else _CARD_AND_CORRECTION}")


def _correction(
    bundle: "Bundle", comparison: "Comparison", pictures: "tuple[Samples, Extractor] | None"
) -> "Correction | None":
    """What corrects the counts of a model; with pictures those of narrow faces, too."""
    from training.evaluation.correction import embed_narrow, measure_correction

    narrow = None
    if pictures is not None:
        with progress_bar(len(comparison.table)) as progress:
            narrow = embed_narrow(comparison.table, *pictures, progress)
    return measure_correction(bundle, comparison, narrow, open_progress=counting_progress)


def _class_names(
    bundle: "Bundle", mapping: list[str], config: Path | None
) -> tuple[dict[str, dict[str, str | None]], dict[str, dict[str, tuple[str, ...]]]]:
    """The model's names of the classes, and the classes to be merged, of both options."""
    from training.errors import DatasetError
    from training.evaluation.class_groups import read_groups
    from training.evaluation.class_map import resolve_map

    classes = {head.attribute: head.classes for head in bundle.manifest.attributes}
    names, merged = resolve_map(parse_map(mapping), classes)
    if config is not None:
        for attribute, groups in read_groups(config).items():
            if attribute not in classes:
                known = ", ".join(classes)
                raise DatasetError(
                    f"{config}: labels.groups: the model has {known}, not {attribute!r}"
                )
            own = {group: tuple(members) for group, members in groups.items()}
            merged[attribute] = own | merged.get(attribute, {})
    return names, merged


def _measured(data: Mapping[str, Any]) -> str:
    """On how many faces, and which."""
    faces = f"{data['faces']} of {counted(data['of_faces'], 'face')}"
    line = f"measured on {faces}: split {data['split']}, held out: {data['hold_out']}"
    if count := data["training_faces"]:
        line += f"; {count} of them are marked for training, so these figures may be too good"
    return line
