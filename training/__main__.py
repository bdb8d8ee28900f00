"""The command line: labelled pictures → features → a model folder → a report."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from training.console import one_line_errors, parse_map, progress_bar, say, summary
from training.options import (
    DEFAULT_SEED,
    Aligned,
    Attributes,
    Dataset,
    Debug,
    EmbedderFile,
    Faces,
    Finder,
    HeldOut,
    Labels,
    Layout,
    Seed,
    Table,
)

if TYPE_CHECKING:
    from training.datasets import Samples
    from training.extraction import ExtractionSettings

app = typer.Typer(
    help="Trains and evaluates the classifier on labelled faces.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.command()
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
        from training.extraction import Extractor
        from training.features import extract_features, skipped_path
        from training.splits import HoldOut
        from training.table_files import read_table, write_csv

        held = HoldOut.parse(hold_out)
        samples, settings = _opened(dataset, layout, labels, aligned, faces, detector)
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


@app.command()
def finetune(
    dataset: Dataset,
    out: Annotated[
        Path, typer.Option(help="The folder for embedder.onnx, the log and the checkpoint.")
    ],
    teacher: Annotated[
        Path | None,
        typer.Option(
            help="A model folder to go on from; its opinion counts beside labels of its classes."
        ),
    ] = None,
    attributes: Attributes = None,
    epochs: Annotated[int, typer.Option(min=1, help="How often each face is seen.")] = 24,
    patience: Annotated[
        int, typer.Option(min=1, help="Stops after that many epochs without gain.")
    ] = 6,
    device: Annotated[
        Literal["auto", "cpu", "cuda"], typer.Option(help="auto: a GPU where PyTorch has one.")
    ] = "auto",
    layout: Layout = None,
    labels: Labels = None,
    aligned: Aligned = None,
    faces: Faces = "one",
    detector: Finder = "cnn",
    hold_out: HeldOut = "given",
    seed: Seed = DEFAULT_SEED,
    debug: Debug = False,
) -> None:
    """Trains an embedder for the attributes of labelled pictures; needs face-stream[finetune]."""
    with one_line_errors(debug):
        from training.finetune import check_torch

        check_torch()
        from models.bundle import load_bundle
        from training.extraction import Extractor
        from training.finetune.finetuning import finetune as train
        from training.finetune.settings import FinetuneSettings
        from training.splits import HoldOut

        held = HoldOut.parse(hold_out)
        settings = FinetuneSettings(
            attributes=_names(attributes),
            epochs=epochs,
            patience=patience,
            seed=seed,
            device=device,
        )
        samples, extraction = _opened(dataset, layout, labels, aligned, faces, detector)
        say(f"{samples.name}: {len(samples)} pictures")
        model = train(
            samples,
            out,
            Extractor(extraction),
            settings,
            held,
            teacher=None if teacher is None else load_bundle(teacher),
            told=say,
            counting=progress_bar,
        )
        say(f"{out}: {model.name}, its log and the plot of it")


@app.command()
def fit(
    table: Table,
    out: Annotated[Path, typer.Option(help="The model folder to write.")],
    embedder: EmbedderFile = None,
    attributes: Attributes = None,
    classifier: Annotated[
        Literal["mlp", "logistic", "svm", "knn", "forest"], typer.Option(help="Which one.")
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
        from training.fit import FitSettings
        from training.fit import fit as fit_heads
        from training.publish import check_folder, publish
        from training.table_files import read_table

        settings = FitSettings(
            attributes=_names(attributes),
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


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    data: Annotated[
        Path, typer.Argument(help="What face-train features wrote, or a dataset itself.")
    ],
    out: Annotated[Path | None, typer.Option(help="The folder to write the report to.")] = None,
    split: Annotated[Literal["test", "train", "all"], typer.Option(help="Which rows.")] = "test",
    pictures: Annotated[
        Path | None,
        typer.Option(help="The dataset of a table: measures it on bad pictures as well."),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map", help="race:Asian=East Asian,Others= names the model's class for the dataset's."
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="A config.toml: its race_groups are merged.")
    ] = None,
    card: Annotated[
        bool, typer.Option("--card", help="Write the model's card anew from this report.")
    ] = False,
    layout: Layout = None,
    labels: Labels = None,
    aligned: Aligned = None,
    faces: Faces = "one",
    detector: Finder = "cnn",
    hold_out: HeldOut = "given",
    seed: Seed = DEFAULT_SEED,
    debug: Debug = False,
) -> None:
    """Measures a model on labelled faces."""
    with one_line_errors(debug):
        from models.bundle import load_bundle
        from models.engine import bundled_embedder, load_engine
        from training.evaluate import evaluate as measure
        from training.evaluate import read_race_groups
        from training.extraction import Extractor
        from training.features import temporary_table
        from training.publish import write_card
        from training.report import write_report
        from training.robustness import measure_robustness
        from training.splits import HoldOut
        from training.table_files import is_table, read_table

        bundle = load_bundle(model)
        merged = {"race": read_race_groups(config)} if config else {}
        names = parse_map(mapping or [])
        rows = None if split == "all" else split
        dataset = pictures if is_table(data) else data
        if dataset is not None:
            samples, settings = _opened(dataset, layout, labels, aligned, faces, detector)
            embedder = bundled_embedder(bundle)
            engine = load_engine(settings.detection, embedder=embedder, threads=1)
            extractor = Extractor(settings, engine)
        if is_table(data):
            table = read_table(data)
        else:
            with progress_bar(len(samples)) as progress:
                table = temporary_table(samples, extractor, HoldOut.parse(hold_out), seed, progress)
        report = measure(bundle, table, split=rows, names=names, groups=merged, seed=seed)
        if dataset is not None:
            robustness = measure_robustness(
                bundle, table, samples, extractor, split=rows, names=names, groups=merged, seed=seed
            )
            for name, figures in robustness.items():
                report["attributes"][name] |= figures
        summary(report)
        if out is not None:
            write_report(out, report)
            say(f"{out}: report.html and report.json")
        if card:
            write_card(bundle, report)
            say(f"{model}: card")


@app.command()
def bench(
    dataset: Dataset,
    count: Annotated[int, typer.Option(min=1, help="How many of its pictures.")] = 50,
    layout: Layout = None,
    aligned: Aligned = None,
    faces: Faces = "one",
    detector: Finder = "cnn",
    debug: Debug = False,
) -> None:
    """Measures the time of a picture beside face_recognition's own calls."""
    with one_line_errors(debug):
        from training.bench import compare
        from training.extraction import Extractor

        samples, settings = _opened(dataset, layout, None, aligned, faces, detector)
        for line in compare(samples, Extractor(settings), count).lines():
            say(line)


def main() -> None:
    """The entry point of `face-train`."""
    app()


def _names(text: str | None) -> tuple[str, ...] | None:
    return tuple(each.strip() for each in text.split(",")) if text else None


def _opened(
    dataset: Path,
    layout: str | None,
    labels: str | None,
    aligned: bool | None,
    faces: Literal["one", "largest", "centre", "all"],
    detector: Literal["cnn", "hog"],
) -> tuple["Samples", "ExtractionSettings"]:
    """The dataset, and which of its faces are taken, each once."""
    from training.datasets import read_dataset
    from training.extraction import ExtractionSettings, detection

    samples = read_dataset(dataset, layout, _names(labels))
    settings = ExtractionSettings(
        aligned=samples.aligned if aligned is None else aligned,
        faces=faces,
        mirror=False,
        detection=detection(detector),
    )
    return samples, settings


if __name__ == "__main__":
    main()
