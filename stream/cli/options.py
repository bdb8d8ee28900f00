"""The options that several commands take."""

import os
from pathlib import Path
from typing import Annotated

import typer

INPUT = "Input"
"""Panel of the help: which part of the source is taken."""

OUTPUT = "Output"
"""Panel of the help: what is written and shown."""

_SETTINGS = "Settings"
"""Panel of the help: settings and the model."""

_MESSAGES = "Messages"
"""Panel of the help: what is printed."""


class FolderPath(type(Path())):  # type: ignore[misc]
    """A path that was written as a folder's, with a separator at its end, which a path forgets."""


def output_path(text: str) -> Path:
    """The path of an output; one that is written as a folder's stays one."""
    return FolderPath(text) if text.endswith(("/", os.sep)) else Path(text)


def written_as_folders(**named: Path | None) -> frozenset[str]:
    """The names of the outputs that were written as a folder's."""
    return frozenset(name for name, path in named.items() if isinstance(path, FolderPath))


Save = Annotated[
    list[str] | None,
    typer.Option(
        "--save",
        "-o",
        metavar="OUT",
        rich_help_panel=OUTPUT,
        help="The annotated video (.mp4, .mkv, .mov, .webm), picture, or folder, of several too; "
        "sent on live to rtmp://, rtsp://, srt://, udp://, .m3u8 (HLS), - (standard output). "
        "May be repeated.",
    ),
]
VirtualCamera = Annotated[
    bool,
    typer.Option(
        "--virtual-camera",
        rich_help_panel=OUTPUT,
        help="Show the annotated video as a camera, for OBS, Zoom, Meet.",
    ),
]
Mqtt = Annotated[
    str | None,
    typer.Option(
        "--mqtt",
        metavar="ADDRESS",
        rich_help_panel=OUTPUT,
        help="Send events to a broker: mqtt[s]://HOST/TOPIC; @FILE or $NAME where that stands.",
    ),
]
Webhooks = Annotated[
    list[str] | None,
    typer.Option(
        "--webhook",
        metavar="URL",
        rich_help_panel=OUTPUT,
        help="Post each event to a web service; @FILE or $NAME where its address stands. "
        "May be repeated.",
    ),
]
Log = Annotated[
    Path | None,
    typer.Option(
        "--log",
        parser=output_path,
        metavar="OUT",
        rich_help_panel=OUTPUT,
        help="The data behind it: .jsonl, .csv or .parquet, a folder; - prints JSON Lines.",
    ),
]
Events = Annotated[
    bool,
    typer.Option(
        "--events",
        rich_help_panel=OUTPUT,
        help="Print a line of JSON when a person appears, is labelled, is gone.",
    ),
]
Start = Annotated[
    str | None,
    typer.Option(
        "--start",
        metavar="TIME",
        rich_help_panel=INPUT,
        help="From here in the video on: seconds or HH:MM:SS.",
    ),
]
End = Annotated[
    str | None,
    typer.Option(
        "--end",
        metavar="TIME",
        rich_help_panel=INPUT,
        help="Up to here in the video: seconds or HH:MM:SS.",
    ),
]
Snapshots = Annotated[
    Path | None,
    typer.Option(
        "--snapshots",
        metavar="FOLDER",
        rich_help_panel=OUTPUT,
        help="The best view of each person as a picture, and a table of them.",
    ),
]
Sheet = Annotated[
    Path | None,
    typer.Option(
        "--sheet",
        parser=output_path,
        metavar="OUT",
        rich_help_panel=OUTPUT,
        help="One picture of all people and how they are perceived: .png or .jpg.",
    ),
]
Subtitles = Annotated[
    Path | None,
    typer.Option(
        "--subtitles",
        parser=output_path,
        metavar="OUT",
        rich_help_panel=OUTPUT,
        help="A subtitle track beside the untouched video: boxes and labels (.ass), or labels "
        "(.vtt, .srt).",
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", rich_help_panel=OUTPUT, help="Replace outputs that exist.")
]
Show = Annotated[
    bool,
    typer.Option(
        "--show/--no-show", rich_help_panel=OUTPUT, help="Open a window, if there is a screen."
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        rich_help_panel=_SETTINGS,
        help="Settings over those of ./config.toml.",
    ),
]
Blur = Annotated[
    bool,
    typer.Option(
        "--blur",
        rich_help_panel=OUTPUT,
        help="Make faces unrecognisable in all that is shown or saved.",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SECTION.KEY=VALUE",
        rich_help_panel=_SETTINGS,
        help="One setting, over those of files; may be repeated.",
    ),
]
Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="FOLDER",
        rich_help_panel=_SETTINGS,
        help="A model folder, instead of the one that ships.",
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", rich_help_panel=_MESSAGES, help="Print errors only.")
]
JsonSummary = Annotated[
    bool,
    typer.Option(
        "--json-summary",
        rich_help_panel=_MESSAGES,
        help="Print the summary as JSON on standard output.",
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        rich_help_panel=_MESSAGES,
        help="Exit with 1 where a picture was left out.",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", rich_help_panel=_MESSAGES, help="Print JSON instead of text.")
]
Debug = Annotated[
    bool,
    typer.Option("--debug", rich_help_panel=_MESSAGES, help="Show the traceback of an error."),
]


def model_setting(folder: Path | None) -> list[str]:
    """`--model` as settings of the form that `--set` takes."""
    from stream.settings.toml import toml_value

    return [] if folder is None else [f"engine.model={toml_value(str(folder))}"]


def blur_setting(blur: bool) -> list[str]:
    """`--blur` as settings of the form that `--set` takes."""
    return ["overlay.blur=true"] if blur else []
