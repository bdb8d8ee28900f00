"""The options of the command `batch`, beside those that others take too."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from stream.cli import options

_WORK = "Work"
"""Panel of the help: how the inputs are worked off."""


class LogForm(StrEnum):
    """The forms of the log of each input."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"
    NONE = "none"


class SubtitleForm(StrEnum):
    """The forms of the subtitles of each video."""

    ASS = "ass"
    VTT = "vtt"
    SRT = "srt"


Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE",
        help="Folders, videos, pictures, globs, addresses (http, s3, ...), lists (.txt, .csv "
        "with a column file), - for a list on standard input.",
    ),
]
Out = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        metavar="DIR",
        rich_help_panel=options.OUTPUT,
        help="The folder that all is written into, the ledger too.",
    ),
]
CopyTo = Annotated[
    str | None,
    typer.Option(
        "--copy-to",
        metavar="ADDRESS",
        rich_help_panel=options.OUTPUT,
        help="Put the results of each input into a store too (s3://bucket/folder, gs://, ...).",
    ),
]
Save = Annotated[
    bool,
    typer.Option(
        "--save",
        rich_help_panel=options.OUTPUT,
        help="Write the annotated videos and pictures too.",
    ),
]
Log = Annotated[
    LogForm | None,
    typer.Option(
        "--log",
        rich_help_panel=options.OUTPUT,
        help="The form of the log of each input; parquet by default.",
    ),
]
Snapshots = Annotated[
    bool,
    typer.Option(
        "--snapshots",
        rich_help_panel=options.OUTPUT,
        help="Write the best view of each person as a picture.",
    ),
]
Sheet = Annotated[
    bool,
    typer.Option(
        "--sheet",
        rich_help_panel=options.OUTPUT,
        help="Write one picture of all people of each input.",
    ),
]
Subtitles = Annotated[
    SubtitleForm | None,
    typer.Option(
        "--subtitles",
        rich_help_panel=options.OUTPUT,
        help="Write subtitles of each video in this form: boxes and labels (ass), or labels.",
    ),
]
Retries = Annotated[
    int,
    typer.Option(
        "--retries",
        min=0,
        max=100,
        metavar="N",
        rich_help_panel=_WORK,
        help="Try an input that fails so often again; then it is set aside.",
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        min=1,
        metavar="N",
        rich_help_panel=_WORK,
        help="Begin so many inputs at most; the others wait for the next start.",
    ),
]
ShardName = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        rich_help_panel=_WORK,
        help="Do the I-th of N parts, beside others that do theirs.",
    ),
]
EngineChoice = Annotated[
    Literal["local", "ray"],
    typer.Option(
        "--engine",
        rich_help_panel=_WORK,
        help="Work in processes of this machine, or on a Ray cluster that runs.",
    ),
]
ClusterAddress = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="HOST:PORT",
        rich_help_panel=_WORK,
        help="The head of the cluster; by default that which this machine is a node of (auto).",
    ),
]
Workers = Annotated[
    int,
    typer.Option(
        "--workers",
        min=0,
        max=1024,
        metavar="N",
        rich_help_panel=_WORK,
        help="Processes; 0 for as many as cores and memory suffice for.",
    ),
]
MemoryMb = Annotated[
    int,
    typer.Option(
        "--memory-mb",
        min=0,
        metavar="MB",
        rich_help_panel=_WORK,
        help="Memory that each process may take; 0 for its share of what is free.",
    ),
]
TimeoutS = Annotated[
    float,
    typer.Option(
        "--timeout",
        min=0,
        metavar="S",
        rich_help_panel=_WORK,
        help="Time that an input may take; 0 for any, as long as it advances.",
    ),
]
SpanS = Annotated[
    float,
    typer.Option(
        "--span-s",
        min=0,
        metavar="S",
        rich_help_panel=_WORK,
        help="Cut longer videos into spans that several processes take; 0 for never.",
    ),
]
Nice = Annotated[
    int,
    typer.Option(
        "--nice",
        min=0,
        max=19,
        metavar="N",
        rich_help_panel=_WORK,
        help="Make way for other programs, by up to 19.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        rich_help_panel=_WORK,
        help="Print which inputs would be done, and do nothing.",
    ),
]
