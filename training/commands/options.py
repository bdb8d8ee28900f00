"""Arguments and options that several commands take."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from models.detector_names import DetectorName

DEFAULT_SEED = 20170624
"""`training.datasets.splits.SEED`, which is not imported before a command needs it."""

DatasetPath = Annotated[
    Path, typer.Argument(help="A folder of labelled pictures, or a CSV or Parquet list of them.")
]
TablePath = Annotated[Path, typer.Argument(help="The Parquet file that face-train features wrote.")]
DatasetFormat = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="manifest, fairface, lfwa, utkface or folders, where not recognised.",
    ),
]
LabelColumns = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES", help="Label columns, with commas between; what a folder per class is of."
    ),
]
AlignedChips = Annotated[
    bool | None,
    typer.Option(
        "--aligned/--no-aligned",
        help="The pictures are aligned chips (padding 0.25); by default what the dataset is.",
    ),
]
FaceChoice = Annotated[
    Literal["one", "largest", "centre", "all"],
    typer.Option(help="Which faces of a picture are taken; one skips pictures with several."),
]
DetectorChoice = Annotated[
    DetectorName,
    typer.Option("--detector", help="What finds the faces; aligned chips need none."),
]
HoldOutRule = Annotated[
    str,
    typer.Option(
        "--hold-out",
        metavar="RULE",
        help="The rows of the split test: given, first:N by file number, or a fraction.",
    ),
]
DevelopmentRule = Annotated[
    str,
    typer.Option(
        metavar="RULE",
        help="The training rows that nothing is fitted on: a fraction, or first:N of them by file "
        "number.",
    ),
]
AttributeNames = Annotated[
    str | None,
    typer.Option(metavar="NAMES", help="Label columns, with commas between; all unless given."),
]
EmbedderFile = Annotated[
    Path | None,
    typer.Option(
        "--embedder",
        metavar="FILE",
        help="What face-train finetune wrote; without it dlib's embedder is taken.",
    ),
]
SeedOption = Annotated[int, typer.Option(metavar="N", help="Of whatever is drawn.")]
DebugFlag = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
