"""`face-train bench`: the time a picture takes."""

from typing import Annotated

import typer

from models.detection.names import DEFAULT_DETECTOR
from training.commands.console import one_line_errors, print_line
from training.commands.opening import open_dataset
from training.commands.options import (
    INPUT,
    AlignedChips,
    DatasetFormat,
    DatasetPath,
    DebugFlag,
    DetectorChoice,
    FaceChoice,
)


def bench(
    dataset: DatasetPath,
    count: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", rich_help_panel=INPUT, help="How many of its pictures are timed."
        ),
    ] = 50,
    layout: DatasetFormat = None,
    aligned: AlignedChips = None,
    faces: FaceChoice = "one",
    detector: DetectorChoice = DEFAULT_DETECTOR,
    debug: DebugFlag = False,
) -> None:
    """Measure the time of a picture beside face_recognition's own calls."""
    with one_line_errors(debug):
        from training.evaluation.bench import compare
        from training.features.extractor import Extractor

        samples, settings = open_dataset(dataset, layout, None, aligned, faces, detector)
        for line in compare(samples, Extractor(settings), count).lines():
            print_line(line)
