"""What a user names as sources, spelled out: patterns become files, and each is taken once."""

import glob
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from models.pictures.files import counted_kinds, is_picture, is_single_picture, is_video, kinds_of
from stream.addresses import is_url, may_be_address, shown_address
from stream.errors import ConfigError, SourceError
from stream.named_address import resolved
from stream.settings import Config
from stream.source_history import SourceHistory
from stream.sources import WHOLE, Source, Span, open_source
from stream.sources.camera import camera_index
from stream.sources.pictures import PictureSource, fixed_part, natural_order, not_written
from stream.stores import is_stored, shown_stored

SourceForm: TypeAlias = Literal["file", "pictures", "address", "camera"]
"""What a source is by its name: a `file` is a video, a pipe, or not there; whether an `address` is
live is known only when it is open."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, repr=False)
class NamedSource:
    """One source of a run.

    Attributes:
        uri: what opens it unless its pictures are listed; an address may hold a secret.
        form: what it is by its name.
        root: the folder below which its outputs keep its folders; None where they keep none.
        pictures: those of which it consists, where a pattern named them, or their own names.
        shown: its name for people, without secrets.
    """

    uri: str
    form: SourceForm
    root: Path | None = None
    pictures: tuple[Path, ...] = ()
    shown: str = ""

    def __str__(self) -> str:
        return self.shown or self.uri

    def __repr__(self) -> str:
        return f"NamedSource({self}, {self.form})"

    @property
    def is_live(self) -> bool:
        """Whether it may be live: it is a camera or an address."""
        return self.form in ("camera", "address")


def list_sources(named: Sequence[str]) -> list[NamedSource]:
    """The sources that a user means, in the order in which they are named. Of each name:

    1. a pattern of videos, or of videos and pictures: each video is a source, in natural order
    2. pictures, by name or by a pattern: all of them together are one source
    3. anything else is one source: a video, a camera, an address, a pipe, a folder of pictures,
       and what is not there

    What is named twice is taken once, and a warning says so.
    """
    sources = [each for name in named for each in _of_name(name)]
    of_pictures = [each for each in sources if each.pictures]
    listed: dict[str, NamedSource] = {}
    for source in sources:
        if len(of_pictures) > 1 and source.pictures:
            listed.setdefault("pictures", source)  # their place is that of the first
        elif (key := _key(source)) in listed:
            _log.warning("%s is named twice: it is taken once", source)
        else:
            listed[key] = source
    if len(of_pictures) > 1:
        listed["pictures"] = _joined([path for each in of_pictures for path in each.pictures])
    return list(listed.values())


def open_named(
    source: NamedSource,
    config: Config,
    span: Span = WHOLE,
    outputs: Sequence[Path] = (),
    history: SourceHistory | None = None,
) -> Source:
    """Opens one of the sources; see `open_source`."""
    if not source.pictures:
        return open_source(source.uri, config, span, outputs, history)
    if span != WHOLE:
        raise ConfigError(f"--start and --end are for videos: {source} is none")
    pictures = source.pictures
    if source.root is not None:
        pictures = tuple(not_written(pictures, source.root, outputs))
    return PictureSource(source.uri, pictures, max_megapixels=config.source.max_megapixels)


def _of_name(name: str) -> Iterator[NamedSource]:
    """The sources that one name stands for, single pictures each alone."""
    try:
        uri = resolved(name)
    except SourceError:  # it is said when the source is opened
        yield NamedSource(name, "file")
        return
    shown = name  # what a file or a variable holds may be a secret
    if uri == name and not os.path.lexists(uri) and may_be_address(uri):
        shown = shown_stored(uri) if is_stored(uri) else shown_address(uri)
    if os.path.isdir(uri):
        yield NamedSource(uri, "pictures", shown=shown)
    elif os.path.isfile(uri) and is_single_picture(Path(uri)):
        yield NamedSource(uri, "pictures", pictures=(Path(uri),), shown=shown)
    elif os.path.isfile(uri):
        yield NamedSource(uri, "file", shown=shown)
    elif camera_index(uri) is not None:
        yield NamedSource(uri, "camera", shown=f"camera {uri}" if shown.isdecimal() else shown)
    elif is_url(uri):
        yield NamedSource(uri, "address", shown=shown)
    elif glob.has_magic(uri) and not os.path.lexists(uri):
        yield from _of_pattern(uri, shown)
    else:
        yield NamedSource(uri, "file", shown=shown)


def _of_pattern(pattern: str, shown: str) -> Iterator[NamedSource]:
    """The sources that a pattern names.

    Beside videos, what is no picture by its name is left out, unless the pattern itself has its
    ending: by `'cctv/*.dav'` videos are meant.
    """
    found = sorted(map(Path, glob.glob(pattern, recursive=True)), key=natural_order)
    files = [path for path in found if path.is_file()]
    ending, root = Path(pattern).suffix, fixed_part(Path(pattern))
    are_videos = bool(ending) and not glob.has_magic(ending) and not is_picture(Path(pattern))
    videos = [path for path in files if is_video(path) or (are_videos and not is_picture(path))]
    pictures = [path for path in files if is_picture(path) and not is_video(path)]
    if not videos:
        yield NamedSource(pattern, "pictures", root, tuple(files), shown)
        return
    for path in videos:
        yield NamedSource(str(path), "file", root, shown=str(path))
    if pictures:
        yield NamedSource(pattern, "pictures", root, tuple(pictures), shown)
    if others := kinds_of(set(files) - {*videos, *pictures}):
        _log.warning("%s: left out, of kinds that are not read: %s", shown, counted_kinds(others))


def _key(source: NamedSource) -> str:
    """The same for two names of one source."""
    return source.uri if source.is_live else os.path.abspath(source.uri)


def _joined(pictures: Sequence[Path]) -> NamedSource:
    """Pictures of several names, as the pattern that would have named them all."""
    is_mixed = len({path.is_absolute() for path in pictures}) > 1
    if is_mixed or any(".." in path.parts for path in pictures):
        pictures = [Path(os.path.abspath(path)) for path in pictures]
    pictures = list(dict.fromkeys(pictures))
    root = Path(os.path.commonpath([str(path.parent) for path in pictures]) or ".")
    endings = {path.suffix for path in pictures}
    pattern = f"*{endings.pop()}" if len(endings) == 1 else "*"
    return NamedSource(str(root / pattern), "pictures", root, tuple(pictures))
