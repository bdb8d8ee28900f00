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
    """Trains an embedder for the attributes of labelled pictures; needs the extra finetune."""
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
            attributes=names_of(attributes),
            epochs=epochs,
            patience=patience,
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
            teacher=None if teacher is None else load_bundle(teacher),
            told=say,
            counting=progress_bar,
        )
        say(f"{out}: {model.name}, its log and the plot of it")
