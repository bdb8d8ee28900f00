"""`face-train finetune`: labelled pictures → an embedder."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from models.detection.names import DEFAULT_DETECTOR, found_by
from models.program.printable import counted
from training.commands.console import one_line_errors, print_line, progress_bar
from training.commands.opening import open_dataset, parse_names
from training.commands.options import (
    DEFAULT_SEED,
    FITTING,
    OUTPUT,
    AlignedChips,
    AllowLeak,
    AttributeNames,
    DatasetFormat,
    DatasetPath,
    DebugFlag,
    DetectorChoice,
    DevelopmentRule,
    FaceChoice,
    HoldOutRule,
    LabelColumns,
    SeedOption,
)


def finetune(
    dataset: DatasetPath,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            rich_help_panel=OUTPUT,
            help="For embedder.onnx, log and checkpoint.",
        ),
    ],
    start: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            rich_help_panel=FITTING,
            help="A model folder whose embedder, trained before, is trained further; of several "
            "the mean of their weights.",
        ),
    ] = None,
    attributes: AttributeNames = None,
    epochs: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", rich_help_panel=FITTING, help="How often each face is seen."
        ),
    ] = 24,
    patience: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=FITTING,
            help="Stops after that many epochs without gain.",
        ),
    ] = 6,
    batch: Annotated[
        int, typer.Option(min=2, metavar="N", rich_help_panel=FITTING, help="Faces a step.")
    ] = 64,
    rate: Annotated[
        float,
        typer.Option(
            min=1e-9,
            max=1.0,
            metavar="X",
            rich_help_panel=FITTING,
            help="The highest learning rate; larger batches bear more.",
        ),
    ] = 2e-4,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            rich_help_panel=FITTING,
            help="A model folder whose probabilities of each face count beside its label; may be "
            "given several times.",
        ),
    ] = None,
    teacher_share: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            metavar="X",
            rich_help_panel=FITTING,
            help="How much the teachers count; the labels count for the rest.",
        ),
    ] = 0.75,
    identity: Annotated[
        float,
        typer.Option(
            min=0.0,
            metavar="X",
            rich_help_panel=FITTING,
            help="How much it counts that faces are told apart as dlib does.",
        ),
    ] = 4.0,
    partner: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=FITTING,
            help="A network of another kind that learns beside it: efficientnet-lite0, -lite1 or "
            "-lite2, as ImageNet trained it.",
        ),
    ] = None,
    development: DevelopmentRule = "0.1",
    device: Annotated[
        Literal["auto", "cpu", "cuda"],
        typer.Option(rich_help_panel=FITTING, help="With auto a GPU, where PyTorch has one."),
    ] = "auto",
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
    """Train an embedder for the attributes of labelled pictures; needs the extra finetune."""
    with one_line_errors(debug):
        from training.finetune import check_torch

        check_torch()
        from models.classification.bundle import load_bundle
        from training.datasets.label_notes import label_notes
        from training.datasets.splits import HoldOut
        from training.features.extractor import Extractor
        from training.finetune.finetuning import finetune as train
        from training.finetune.settings import FinetuneSettings
        from training.outputs import sole_writer

        held = HoldOut.parse(hold_out)
        settings = FinetuneSettings(
            attributes=parse_names(attributes),
            epochs=epochs,
            patience=patience,
            batch=batch,
            rate=rate,
            teacher_share=teacher_share,
            identity=identity,
            partner=partner,
            development=development,
            seed=seed,
            device=device,
        )
        samples, extraction = open_dataset(dataset, layout, labels, aligned, faces, detector)
        for note in label_notes(samples.labels, samples.identities):
            print_line(note)
        found = found_by(extraction.detector)
        print_line(f"{samples.name}: {counted(len(samples), 'picture')}, faces {found}")
        with sole_writer(out, inside=True):
            model = train(
                samples,
                out,
                Extractor(extraction),
                settings,
                held,
                allow_leak=allow_leak,
                starts=[load_bundle(each) for each in start or ()],
                teachers=[load_bundle(each) for each in teacher or ()],
                on_message=print_line,
                progress_bar=progress_bar,
            )
        print_line(f"{out}: {model.name}, its log and the plot of it")
