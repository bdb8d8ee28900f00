"""Arguments and options that several commands take."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from models.detection.names import DetectorName

DEFAULT_SEED = 20170624
"""`training.datasets.splits.SEED`, which is not imported before a command needs it."""

DEFAULT_SAMPLE = 500
"""`training.evaluation.robustness.MAX_FACES`, likewise."""

DEFAULT_FILMED = 2
"""`training.features.views.FILMED`, likewise."""

INPUT = "Input"
"""Panel of the help: which pictures and faces are taken."""

OUTPUT = "Output"
"""Panel of the help: what is written."""

FITTING = "Fitting"
"""Panel of the help: how something is fitted."""

MESSAGES = "Messages"
"""Panel of the help: what is printed."""

DatasetPath = Annotated[
    Path, typer.Argument(help="A folder of labelled pictures, or a CSV or Parquet list of them.")
]
TablePath = Annotated[Path, typer.Argument(help="The Parquet file that face-train features wrote.")]
DatasetFormat = Annotated[
    str | None,
    typer.Option(
        "--format",
        rich_help_panel=INPUT,
        metavar="NAME",
        help="Its layout, where not recognised: manifest, fairface, lfwa, utkface, "
        "labelstudio, coco, marked, folders.",
    ),
]
LabelColumns = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        rich_help_panel=INPUT,
        help="Label columns, with commas between; of a folder per class the one that it is of.",
    ),
]
AlignedChips = Annotated[
    bool | None,
    typer.Option(
        "--aligned/--no-aligned",
        rich_help_panel=INPUT,
        help="The pictures are aligned chips, or not. By default what the dataset is.",
    ),
]
FaceChoice = Annotated[
    Literal["one", "largest", "centre", "marked", "all"],
    typer.Option(
        rich_help_panel=INPUT,
        help="Which faces of a picture are taken; one leaves out pictures with several, and takes "
        "the marked face where faces are marked.",
    ),
]
DetectorChoice = Annotated[
    DetectorName,
    typer.Option(
        "--detector",
        rich_help_panel=INPUT,
        help="What finds the faces; aligned chips need none.",
    ),
]
HoldOutRule = Annotated[
    str,
    typer.Option(
        "--hold-out",
        rich_help_panel=INPUT,
        metavar="RULE",
        help="What is kept for the report: given, first:N by file number, or a fraction.",
    ),
]
DevelopmentRule = Annotated[
    str,
    typer.Option(
        rich_help_panel=FITTING,
        metavar="RULE",
        help="The training rows that nothing is fitted on: a fraction, or first:N of them by file "
        "number.",
    ),
]
AttributeNames = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        rich_help_panel=FITTING,
        help="What is fitted: label columns, with commas between. By default all.",
    ),
]
EmbedderFile = Annotated[
    Path | None,
    typer.Option(
        "--embedder",
        rich_help_panel=INPUT,
        metavar="PATH",
        help="What face-train finetune wrote, or a model folder; without it dlib's is taken.",
    ),
]
AllowLeak = Annotated[
    bool,
    typer.Option(
        "--allow-leak",
        rich_help_panel=INPUT,
        help="Go on where pictures or people are in both halves.",
    ),
]
SeedOption = Annotated[
    int,
    typer.Option(metavar="N", rich_help_panel=INPUT, help="Seed of all that is drawn at random."),
]
DebugFlag = Annotated[
    bool,
    typer.Option("--debug", rich_help_panel=MESSAGES, help="Show the traceback of an error."),
]
