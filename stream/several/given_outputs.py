"""The outputs that a caller of the library means, who names them by texts or paths."""

import os
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TypeAlias

from stream.errors import ConfigError
from stream.sinks import Outputs
from stream.sinks.publishing.destinations import saved_file, split_saved

AnyPath: TypeAlias = str | PathLike[str]
"""The name of a file or folder."""


def given_outputs(
    *,
    save: AnyPath | Sequence[AnyPath] | None,
    log: AnyPath | None,
    snapshots: AnyPath | None,
    sheet: AnyPath | None,
    subtitles: AnyPath | None,
    show: bool,
    overwrite: bool,
) -> Outputs:
    """What is to be written and shown; `save` may be a list, of which one is a file or a folder.

    Raises:
        ConfigError: something names no output, or two files are named for one video.
    """
    files, streams = split_saved(fspath(each) for each in _listed(save))
    named = {
        "save": saved_file(files),
        "log": log,
        "snapshots": snapshots,
        "sheet": sheet,
        "subtitles": subtitles,
    }
    return Outputs(
        save=_path(named["save"]),
        log=_path(log),
        snapshots=_path(snapshots),
        sheet=_path(sheet),
        subtitles=_path(subtitles),
        show=show,
        overwrite=overwrite,
        folders=frozenset(option for option, name in named.items() if _is_folder(name)),
        streams=streams,
    )


def _listed(save: AnyPath | Sequence[AnyPath] | None) -> list[AnyPath]:
    """What `save` names, each by a path.

    Raises:
        ConfigError: something can be none.
    """
    if save is None:
        return []
    names = [save] if isinstance(save, str | PathLike) or not isinstance(save, Sequence) else save
    for name in names:
        _path(name)
    return list(names)


def _path(name: AnyPath | None) -> Path | None:
    """The path of an output.

    Raises:
        ConfigError: it can be none.
    """
    if not isinstance(name, str | PathLike | None):
        raise ConfigError(f"an output is named by a path, not of type {type(name).__name__}")
    return None if name is None else Path(name)


def _is_folder(name: AnyPath | None) -> bool:
    """Whether a name is written as a folder's: with a separator at its end, which paths forget."""
    return isinstance(name, str) and name.endswith(("/", os.sep))
