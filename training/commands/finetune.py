"""Labelled pictures → an embedder."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from training.commands.console import one_line_errors, progress_bar, say
from training.commands.opening import names_of, opened
from training.commands.options import (
    DEFAULT_SEED,
    Aligned,
    Attributes,
    Dataset,
    Debug,
    Faces,
    Finder,
    HeldOut,
    Labels,
    Layout,
    Seed,
)


def finetune(
    dataset: Dataset,
    out: Annotated[
        Path, typer.Option(help="The folder for embedder.onnx, the log and the checkpoint.")
    ],
    start: Annotated[
        Path | None,
        typer.Option(help="A model folder whose embedder, trained before, is trained further."),
    ] = None,
    attributes: Attributes = None,
    epochs: Annotated[int, typer.Option(min=1, help="How often each face is seen.")] = 24,
    patience: Annotated[
        int, typer.Option(min=1, help="Stops after that many epochs without gain.")
    ] = 6,
    batch: Annotated[int, typer.Option(min=2, help="Faces a step.")] = 64,
    rate: Annotated[
        float,
        typer.Option(
            min=1e-9, max=1.0, help="The highest learning rate; larger batches bear more."
        ),
    ] = 2e-4,
    teachers: Annotated[
        int,
        typer.Option(
            min=0, help="Networks trained first, whose common opinion counts beside the labels."
        ),
    ] = 0,
    teacher_epochs: Annotated[
        int, typer.Option(min=1, help="How often each of these sees each face.")
    ] = 16,
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
    """Trains an embedder for the attributes of labelled pictures; needs the extra finetune."""
    with one_line_errors(debug):
        from training.finetune import check_torch

        check_torch()
        from models.bundle import load_bundle
        from training.datasets.splits import HoldOut
        from training.features.extractor import Extractor
        from training.finetune.finetuning import finetune as train
        from training.finetune.settings import FinetuneSettings

        held = HoldOut.parse(hold_out)
        settings = FinetuneSettings(
            attributes=names_of(attributes),
            epochs=epochs,
            patience=patience,
            batch=batch,
            rate=rate,
            teachers=teachers,
            teacher_epochs=teacher_epochs,
            seed=seed,
            device=device,
        )
        samples, extraction = opened(dataset, layout, labels, aligned, faces, detector)
        say(f"{samples.name}: {len(samples)} pictures")
        model = train(
            samples,
            out,
            Extractor(extraction),
            settings,
            held,
            start=None if start is None else load_bundle(start),
            told=say,
            counting=progress_bar,
        )
        say(f"{out}: {model.name}, its log and the plot of it")
