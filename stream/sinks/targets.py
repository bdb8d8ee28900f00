"""The files and folders that outputs mean, and the checks of their names and places."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.pictures.files import is_picture
from models.program.locks import lock_path
from models.program.printable import shortened
from stream.addresses import PROTOCOLS
from stream.errors import ConfigError
from stream.frames import SourceInfo
from stream.sinks.data.tables import persons_path, tracks_path
from stream.sinks.paths import partial_path, same_file, written_names
from stream.sinks.pictures.folder import FACES_FILE
from stream.sinks.pictures.picture_file import writable_suffixes
from stream.sinks.pictures.single_picture import is_single_picture_output
from stream.sinks.pictures.snapshots import PERSONS_FILE
from stream.sinks.segments import SegmentNames
from stream.sinks.subtitles.sink import SUBTITLE_SUFFIXES
from stream.sinks.video.codecs import CONTAINERS

if TYPE_CHECKING:
    from stream.sinks.outputs import Outputs

LOG_SUFFIXES = (".jsonl", ".csv", ".parquet")
"""How the name of a log may end, which names its format."""

_LONGEST_STAMP = "20000101-000000+0000-1000"
"""Stamp of a segment that makes a name as long as it may get."""

_SHEET_SUFFIXES = (".png", ".jpg", ".jpeg")
"""How the name of a sheet may end."""


@dataclass(frozen=True, slots=True)
class Target:
    """One file or folder to be written, and the option that asks for it.

    Attributes:
        option: of the command line.
        path: the file or folder.
        suffixes: how its name may end; empty for a folder.
        table: name of the table that is written into a folder.
        is_divided: there is a file for each segment, and none of this very name.
    """

    option: str
    path: Path
    suffixes: tuple[str, ...] = ()
    table: str = ""
    is_divided: bool = False

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, not a file."""
        return not self.suffixes

    def __str__(self) -> str:
        return f"{self.option} {self.path}"

    @property
    def written(self) -> tuple[Path, ...]:
        """What is written: the file, or the folder and the table in it."""
        return (self.path, self.path / self.table) if self.is_folder else (self.path,)

    @property
    def names(self) -> set[str]:
        """Its names while it is written and after, links resolved."""
        names = (name for each in self.written for name in (each, partial_path(each)))
        return set(map(os.path.realpath, names))


def targets_of(outputs: "Outputs", info: SourceInfo, *, is_divided: bool) -> Iterator[Target]:
    """The files and folders to be made, those too that no option names."""
    if outputs.save is not None and is_single_picture_output(outputs.save, info):
        yield Target("--save", outputs.save, suffixes=writable_suffixes())
    elif outputs.save is not None and info.kind == "pictures":
        yield Target("--save", outputs.save, table=FACES_FILE)
    elif outputs.save is not None:
        yield Target("--save", outputs.save, tuple(CONTAINERS), is_divided=is_divided)
    for each in outputs.streams:
        if each.path is not None:
            yield Target("--save", each.path, (each.path.suffix.lower(),))
    if outputs.log is not None and not outputs.is_log_streamed:
        yield from _log_targets(outputs.log, info, is_divided and info.kind != "pictures")
    if outputs.snapshots is not None:
        yield Target("--snapshots", outputs.snapshots, table=PERSONS_FILE)
    if outputs.sheet is not None:
        yield Target("--sheet", outputs.sheet, suffixes=_SHEET_SUFFIXES)
    if outputs.subtitles is not None:
        yield Target("--subtitles", outputs.subtitles, suffixes=SUBTITLE_SUFFIXES)


def _log_targets(log: Path, info: SourceInfo, is_divided: bool) -> Iterator[Target]:
    """The files of a log: of a table there are those of its tracks and persons beside it."""
    yield Target("--log", log, LOG_SUFFIXES, is_divided=is_divided)
    if log.suffix.lower() != ".jsonl":
        yield Target("--log", tracks_path(log), LOG_SUFFIXES, is_divided=is_divided)
        if info.kind == "video":
            yield Target("--log", persons_path(log), LOG_SUFFIXES)


def place_of(info: SourceInfo, target: Target) -> Path:
    """What of the source a target might take the place of: of pictures their folder, if the target
    is a folder too."""
    source = Path(info.uri)
    is_beside = info.kind == "pictures" and target.is_folder and not source.is_dir()
    return source.parent if is_beside else source


def check_name(target: Target) -> None:
    """Checks that the system takes the name of a target, those it has while it is written, and
    that of its lock.
    """
    longest = target.path
    if target.is_divided:
        longest = SegmentNames.of(target.path).path(_LONGEST_STAMP)
    for name in (*written_names(longest), lock_path(longest)):
        try:
            os.lstat(name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            shown = f"{target.option} {shortened(str(target.path))}"
            raise ConfigError(f"{shown}: {reason.lower()}; choose another name") from error


def check_place(target: Target, source: Path) -> None:
    """Checks that a target is not the source, and may be made in its folder with its name."""
    path = target.path
    if path.parts[:1] and path.parts[0].lower().rstrip(":") in PROTOCOLS and ":" in path.parts[0]:
        raise ConfigError(f"{target.option}: name a file to write to, not an address")
    if any(same_file(written, source) for written in (path, partial_path(path))):
        raise ConfigError(f"{path} would overwrite the input: name another file to write to")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{path}: there is no folder {path.parent}; make it first")
    place = path if target.is_folder and path.is_dir() else path.absolute().parent
    if not os.access(place, os.W_OK):  # a sheet would fail only at the end
        raise ConfigError(f"{path}: nothing may be written into {place}; choose another folder")
    if target.suffixes and path.suffix.lower() not in target.suffixes:
        endings = ", ".join(target.suffixes)
        raise ConfigError(f"{target}: its name should end in one of {endings}")


def check_kind(target: Target) -> None:
    """Checks that a folder is not wanted where a file is, nor a file where a folder is."""
    path = target.path
    if not target.is_folder and path.is_dir():
        raise ConfigError(f"{path} is a folder: name a file")
    is_file = path.is_file() or is_picture(path) or path.suffix.lower() in CONTAINERS
    if target.is_folder and is_file:
        raise ConfigError(f"{target}: pictures go into a folder; name one")
