"""The files of spans until they are joined, in a hidden folder beside the outputs of the video."""

import shutil
from pathlib import Path

from stream.errors import SinkError
from stream.sinks import Outputs
from stream.sinks.paths import short_name

_SUFFIX = ".spans"
"""What the name of the folder ends with."""

_STEM = "part"
"""What the files of each span are called."""


def part_outputs(outputs: Outputs, number: int) -> Outputs:
    """What is written of a span, whatever is asked for of the video:

    1. A log as JSON Lines always: it says where each face was, by which the others are joined.
    2. A recording where one is asked for.
    3. Snapshots where they or a sheet are: the faces on it are theirs.

    Args:
        outputs: those of the video.
        number: of the span, from 0 on.
    """
    folder = _folder(outputs) / f"{number:04}"
    return Outputs(
        save=None if outputs.save is None else folder / f"{_STEM}{outputs.save.suffix}",
        log=folder / f"{_STEM}.jsonl",
        snapshots=folder / "people" if outputs.snapshots or outputs.sheet else None,
        overwrite=True,
    )


def remove_parts(outputs: Outputs) -> None:
    """Removes what spans of a video wrote; there may be nothing.

    Raises:
        SinkError: it cannot be removed.
    """
    if not outputs.paths:
        return
    try:
        shutil.rmtree(_folder(outputs))
    except FileNotFoundError:
        return
    except OSError as error:
        reason = error.strerror or error
        raise SinkError(f"{_folder(outputs)} cannot be removed: {reason}") from error


def _folder(outputs: Outputs) -> Path:
    """The folder of the files of all spans of a video, named after its first output."""
    first = outputs.paths[0]
    return first.with_name(short_name(f".{first.name}", _SUFFIX))
