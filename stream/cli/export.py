"""The command `export`: frames of a video with marked faces, for people to correct."""

import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.program.printable import counted
from stream.cli import options
from stream.cli.console import exit_on_error, print_message, start_logging

if TYPE_CHECKING:
    from stream.export.export import Exported


class ExportForm(StrEnum):
    """The forms of marked faces."""

    LABEL_STUDIO = "labelstudio"
    COCO = "coco"
    CSV = "csv"


def export(
    log: Annotated[
        Path,
        typer.Argument(
            metavar="LOG", help="What --log or batch wrote, .jsonl or .parquet, without --blur."
        ),
    ],
    video: Annotated[str, typer.Argument(metavar="VIDEO", help="The video that the log is of.")],
    form: Annotated[
        ExportForm,
        typer.Option(
            "--to",
            rich_help_panel=options.OUTPUT,
            help="What the boxes and labels are written for.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            rich_help_panel=options.OUTPUT,
            help="A new folder for the pictures and the file of their faces.",
        ),
    ],
    every_s: Annotated[
        float,
        typer.Option(
            "--every",
            min=0.01,
            max=86_400,
            metavar="S",
            rich_help_panel=options.INPUT,
            help="Take the first frame of each time of that length, s, if it has faces.",
        ),
    ] = 1.0,
    config: options.ConfigFile = None,
    settings: options.Overrides = None,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Write frames of a video as pictures with boxes and labels, for people to correct."""

    def work() -> "Exported":
        from stream.cli.progress import counting
        from stream.export.export import export as export_frames
        from stream.settings import load_config

        settled = load_config(config, settings or [])
        with counting(video, "pictures", quiet=quiet) as progress:
            return export_frames(log, video, out, form, every_s, settled, progress)

    start_logging(quiet)
    exported = exit_on_error(work, debug)
    if not quiet:
        pictures, faces = counted(exported.pictures, "picture"), counted(exported.faces, "face")
        print_message(
            f"{pictures} with {faces} → {exported.file}; when they are corrected: "
            f"face-train features {shlex.quote(str(out))} --out features.parquet"
        )
