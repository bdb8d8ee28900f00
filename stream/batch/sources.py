"""What a user names for a batch, spelled out: videos, and the pictures of each folder."""

import logging
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from models.pictures.files import is_picture, is_video
from models.program.printable import counted
from stream.addresses import is_url, shown_address
from stream.batch.folders import videos_and_pictures
from stream.batch.lists import ListedFile, SourceList, is_list, read_list
from stream.errors import ConfigError, SourceError
from stream.several.listing import NamedSource, list_sources
from stream.sources.stored import stored_videos
from stream.stores import is_stored, shown_stored

_LIVE_PROTOCOLS = ("rtmp", "rtmps", "rtsp", "rtsps", "srt", "udp")
"""Protocols of what has no end."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BatchSource:
    """One input, before its outputs are named.

    Attributes:
        source: what is opened.
        columns: what a list says of it beside its file.
    """

    source: NamedSource
    columns: Mapping[str, str] = field(default_factory=dict)


class _Gathered:
    """Sources in the order in which they are named, each once; pictures by their folders.

    Args:
        written: files and folders of results, absolute paths, which are no inputs.

    Attributes:
        twice: what was named a second time.
    """

    def __init__(self, written: Collection[Path]) -> None:
        self._written = frozenset(written)
        self._sources: dict[str, BatchSource] = {}
        self._pictures: dict[str, dict[Path, None]] = {}
        self.twice: list[str] = []

    def add(self, source: NamedSource, columns: Mapping[str, str]) -> None:
        """Adds a video, an address, or a picture that is an input of its own."""
        key = source.uri if source.is_live else os.path.abspath(source.uri)
        if not source.is_live and self._is_written(Path(key)):
            return
        if key in self._sources:
            self.twice.append(str(source))
        else:
            self._sources[key] = BatchSource(source, columns)

    def add_pictures(
        self, pictures: Iterable[Path], root: Path, columns: Mapping[str, str]
    ) -> None:
        """Adds pictures, each to those of its folder, which is called by its path below a root."""
        for path in pictures:
            folder = os.path.abspath(path.parent)
            if self._is_written(Path(folder, path.name)):
                continue
            if folder not in self._sources:
                is_root = folder == os.path.abspath(root)
                below, shown = Path(folder).parent if is_root else root, str(path.parent)
                self._sources[folder] = BatchSource(
                    NamedSource(folder, "pictures", below, shown=shown), columns
                )
            of_folder = self._pictures.setdefault(folder, {})
            if (absolute := Path(folder, path.name)) in of_folder:
                self.twice.append(str(path))
            of_folder[absolute] = None

    def _is_written(self, path: Path) -> bool:
        """Whether a file is a result, or lies in a folder of results."""
        return not self._written.isdisjoint((path, *path.parents)) if self._written else False

    def sources(self) -> list[BatchSource]:
        """All of them."""
        return [
            replace(each, source=replace(each.source, pictures=tuple(self._pictures[key])))
            if key in self._pictures
            else each
            for key, each in self._sources.items()
        ]


def batch_sources(
    named: Sequence[str], out: Path, written: Collection[Path] = ()
) -> list[BatchSource]:
    """The inputs that a user means. Of each name:

    1. a folder: the videos in it and below it, and the pictures of each folder
    2. a list: what its lines name, likewise; of a table each picture is an input of its own
    3. an address of a store: the video there, or the videos that a pattern or a folder of it holds
    4. a pattern, a video, a picture, an address: as `list_sources` has it, but pictures of several
       folders are several inputs

    What is named twice is taken once, and a warning says so.

    Args:
        named: the names, in the order in which they are given.
        out: the folder that is written into; in a folder that holds it, what is in there is no
            input.
        written: results of earlier starts, absolute paths, which are no inputs either.

    Raises:
        ConfigError: a source has no end, a list cannot be read, or there is nothing to do.
        SourceError: what is named on the command line is not there.
    """
    gathered = _Gathered(written)
    for name in named:
        if is_list(name):
            listed = read_list(name)
            for each in listed.files:
                _add_listed(gathered, each, listed, out)
        elif os.path.isdir(name):
            _add_folder(gathered, Path(name), Path(name), {}, out)
        elif is_stored(name):
            for uri in stored_videos(name):
                gathered.add(NamedSource(uri, "address", shown=shown_stored(uri)), {})
        else:
            for source in list_sources([name]):
                _add_named(gathered, source)
    if gathered.twice:
        count, first = len(gathered.twice), gathered.twice[0]
        others = f" and {counted(count - 1, 'other')} are" if count > 1 else " is"
        _log.warning("%s%s named twice: each is taken once", first, others)
    found = gathered.sources()
    if not found:
        raise ConfigError(f"{', '.join(named)}: no videos and no pictures there")
    return found


def _add_folder(
    gathered: _Gathered, folder: Path, root: Path, columns: Mapping[str, str], out: Path
) -> None:
    """Adds what is in a folder and below it, called by its path below a root."""
    videos, pictures = videos_and_pictures(folder, out)
    for path in videos:
        gathered.add(NamedSource(str(path), "file", root, shown=str(path)), columns)
    gathered.add_pictures(pictures, root, columns)


def _add_named(gathered: _Gathered, source: NamedSource) -> None:
    """Adds what a name on the command line stands for, which must be there."""
    _check_end(source)
    if source.form == "pictures":
        if not source.pictures:
            raise SourceError(f"{source}: no file has such a name")
        gathered.add_pictures(source.pictures, source.root or source.pictures[0].parent, {})
    elif source.form == "file" and not os.path.isfile(source.uri):
        raise SourceError(f"{source}: no such file or folder")
    else:
        gathered.add(source, {})


def _add_listed(gathered: _Gathered, each: ListedFile, listed: SourceList, out: Path) -> None:
    """Adds what a line of a list names; a file that is not there fails when its turn comes."""
    path, shown = Path(each.name), each.name
    root = listed.folder if path.is_relative_to(listed.folder) else None
    if is_url(each.name):
        shown = shown_stored(each.name) if is_stored(each.name) else shown_address(each.name)
        source = NamedSource(each.name, "address", shown=shown)
        _check_end(source)
        gathered.add(source, each.columns)
    elif os.path.isdir(each.name):
        _add_folder(gathered, path, root or path, each.columns, out)
    elif not is_picture(path) or is_video(path):
        source = NamedSource(each.name, "file", root, shown=shown)
        _check_end(source)
        gathered.add(source, each.columns)
    elif listed.columns:
        root = root or path.parent
        gathered.add(NamedSource(each.name, "pictures", root, (path,), shown), each.columns)
    else:
        gathered.add_pictures([path], root or path.parent, each.columns)


def _check_end(source: NamedSource) -> None:
    """Checks that a source has an end.

    Raises:
        ConfigError: it has none.
    """
    is_live = source.form == "camera" or (
        source.form == "address" and source.uri.partition("://")[0].lower() in _LIVE_PROTOCOLS
    )
    is_pipe = (
        os.path.exists(source.uri) and source.form == "file" and not os.path.isfile(source.uri)
    )
    if is_live or is_pipe:
        raise ConfigError(
            f"{source} may have no end, and a batch is of files: give it to face-stream run"
        )


def path_of(source: NamedSource) -> str:
    """Where an input is: its file or folder, or its address without secrets."""
    return str(source) if source.is_live else os.path.abspath(source.uri)
