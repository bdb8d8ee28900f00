"""How fast it is."""

from typing import Annotated

import typer

from training.commands.console import one_line_errors, say
from training.commands.opening import opened
from training.commands.options import (
    Aligned,
    Dataset,
    Debug,
    Faces,
    Finder,
    Layout,
)


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
        from training.evaluation.bench import compare
        from training.features.extractor import Extractor

        samples, settings = opened(dataset, layout, None, aligned, faces, detector)
        for line in compare(samples, Extractor(settings), count).lines():
            say(line)
