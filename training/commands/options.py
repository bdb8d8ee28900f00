"""Arguments and options that several commands take."""

from pathlib import Path
from typing import Annotated, Literal

import typer

DEFAULT_SEED = 20170624
"""`training.datasets.splits.SEED`, which is not imported before a command needs it."""

Dataset = Annotated[
    Path, typer.Argument(help="A folder of labelled pictures, or a CSV or Parquet list of them.")
]
Table = Annotated[Path, typer.Argument(help="The Parquet file that face-train features wrote.")]
Layout = Annotated[
    str | None,
    typer.Option(
        "--format", help="manifest, fairface, lfwa, utkface or folders, where not recognised."
    ),
]
Labels = Annotated[
    str | None,
    typer.Option(help="Label columns, with commas between; what a folder per class is of."),
]
Aligned = Annotated[
    bool | None,
    typer.Option(
        "--aligned/--no-aligned",
        help="The pictures are aligned chips (padding 0.25); by default what the dataset is.",
    ),
]
Faces = Annotated[
    Literal["one", "largest", "centre", "all"],
    typer.Option(help="Which faces of a picture are taken; one skips pictures with several."),
]
Finder = Annotated[Literal["cnn", "hog"], typer.Option("--detector", help="How faces are found.")]
HeldOut = Annotated[
    str,
    typer.Option(
        "--hold-out",
        help="The rows of the split test: given, first:N by file number, or a fraction.",
    ),
]
Attributes = Annotated[
    str | None, typer.Option(help="Label columns, with commas between; all unless given.")
]
EmbedderFile = Annotated[
    Path | None,
    typer.Option(
        "--embedder", help="What face-train finetune wrote; without it dlib's embedder is taken."
    ),
]
Seed = Annotated[int, typer.Option(help="Of whatever is drawn.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
