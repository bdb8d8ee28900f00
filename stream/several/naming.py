"""How the outputs of several sources are named: after their sources, in the folders that are named.

`a.mp4` → `out/a.mp4`, `out/a.mp4.jsonl`, `out/a.mp4.people/`, `out/a.mp4.png`; of a folder of
pictures the copies → `out/NAME/`.
"""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path, PurePath

from models.pictures.files import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from stream.errors import ConfigError
from stream.settings import Config
from stream.settings.schema import OutputsSection
from stream.several.listing import NamedSource
from stream.sinks import Outputs
from stream.sinks.data.line_stream import is_stream
from stream.sinks.data.tables import persons_path, tracks_path
from stream.sinks.paths import short_name, written_names
from stream.sinks.publishing.services import ServiceAddress
from stream.sinks.subtitles.sink import SUBTITLE_SUFFIXES
from stream.sinks.targets import LOG_SUFFIXES
from stream.sinks.video.codecs import CONTAINERS
from stream.sources.pipe import STANDARD_INPUT

_MOST_NAME_BYTES = 200
"""Longest name of an output, bytes: the names that it has while it is written, and its lock's, are
longer, and 255 are what file systems take."""

_PEOPLE = ".people"
"""What is added to the name of a source for the folder of its snapshots: the recording of the
source may lie beside it."""

_COPIES = ".pictures"
"""What is added to the name of a folder whose own pictures are the source, without those below it:
the outputs of these may lie in a folder of that name."""

_UNFIT = re.compile(r"[^\w.-]+")
"""What of an address or the name of a camera is no part of the name of a file."""

_FILES = ("save", "log", "sheet", "subtitles")
"""The options that name a file of one source, and a folder of several."""

_FILE_SUFFIXES = {*LOG_SUFFIXES, *PICTURE_SUFFIXES, *SUBTITLE_SUFFIXES, *VIDEO_SUFFIXES}
"""The endings by which a name is known to be that of a file."""


def name_outputs(outputs: Outputs, sources: Sequence[NamedSource], config: Config) -> list[Outputs]:
    """The outputs of each source of a run.

    1. Of one source they are those that are named; in a folder, which is there or written as
       `out/`, a file is named after the source.
    2. Of several, each option names a folder; see `name_in_folders`. Video is sent on of one source
       only; each has a topic of its own below that of the broker.

    Args:
        outputs: what was asked for.
        sources: those of the run.
        config: says in which form outputs are written whose folder alone is named.

    Raises:
        ConfigError: one file, or one destination of video, is named for several sources.
    """
    if len(sources) == 1:
        return [_of_one(outputs, sources[0], config)]
    video = [f"--save {each}" for each in outputs.streams]
    video += ["--virtual-camera"] * outputs.virtual_camera
    if video:
        raise ConfigError(
            f"{video[0]} takes one source, and there are {len(sources)}: start a run for each"
        )
    for option in _FILES:
        path: Path | None = getattr(outputs, option)
        if path is None or option in outputs.folders or os.path.isdir(path) or is_stream(path):
            continue
        if path.suffix.lower() in _FILE_SUFFIXES:
            raise ConfigError(
                f"--{option} {path} is one file, and there are {len(sources)} sources: name a "
                f"folder, in which each has its own, such as {path.stem or 'out'}/"
            )
    return name_in_folders(outputs, sources, config)


def name_in_folders(
    outputs: Outputs, sources: Sequence[NamedSource], config: Config
) -> list[Outputs]:
    """The outputs of each source, in the folders that are named.

    1. A source is called by its path below the folder that the user named.
    2. If two have the same, all are called by their paths below the deepest folder that holds all.
    3. Where outputs would still meet, as on a system that takes large for small letters, the later
       ones are numbered. So no output of one source ever is that of another.

    Args:
        outputs: each of them a folder.
        sources: any number, in an order that does not change from run to run.
        config: says in which form outputs are written.
    """
    names = source_names(sources)
    named = outputs_of_names(outputs, sources, names, config)
    return [replace(own, mqtt=_below(own.mqtt, name)) for name, own in named]


def _below(broker: ServiceAddress | None, name: PurePath) -> ServiceAddress | None:
    """The topic of a source of several."""
    if broker is None:
        return None
    level = _UNFIT.sub("-", name.as_posix()).strip("-.") or "source"
    return replace(broker, path=f"{broker.path}/{level}", shown=f"{broker.shown}/{level}")


def outputs_of_names(
    outputs: Outputs,
    sources: Sequence[NamedSource],
    names: Sequence[PurePath],
    config: Config,
    taken: Iterable[PurePath] = (),
) -> list[tuple[PurePath, Outputs]]:
    """The outputs of sources that are called so, in the folders that are named; with the name of
    each, which is numbered where outputs would meet or the name is taken.

    Args:
        outputs: each of them a folder.
        sources: any number.
        names: one each.
        config: says in which form outputs are written.
        taken: names of others.
    """
    keys = set(map(_name_key, taken))
    named = []
    for source, name in zip(sources, names, strict=True):
        for each in _numbered(name):
            own = _in_folders(outputs, source, each, config)
            if not (own_keys := {_name_key(each), *_keys(own)}) & keys:
                break
        keys |= own_keys
        named.append((each, own))
    return named


def _of_one(outputs: Outputs, source: NamedSource, config: Config) -> Outputs:
    """The outputs of the only source: as they are named, or after the source in a folder."""
    is_picture = bool(source.pictures) and source.root is None
    name = PurePath(Path(source.uri).name) if is_picture else own_name(source)
    inside = _in_folders(outputs, source, name, config)
    chosen = {
        option: getattr(inside, option)
        for option in _FILES
        # os.path.isdir takes any name, also one that is too long.
        if option in outputs.folders or os.path.isdir(getattr(outputs, option) or "")
    }
    if source.form == "pictures":
        chosen.pop("save", None)  # the copies go into the folder itself
        chosen.pop("subtitles", None)  # which pictures do not have: that is said
    return replace(outputs, **chosen)


def _in_folders(outputs: Outputs, source: NamedSource, name: PurePath, config: Config) -> Outputs:
    """The outputs of a source of that name, in the folders that are named."""

    def path(folder: Path | None, suffix: str, stem: str = name.name) -> Path | None:
        if folder is None or is_stream(folder):
            return folder  # it takes what is written of all sources
        parents = (short_name(each, "") for each in name.parent.parts)
        return folder.joinpath(*parents, short_name(stem, suffix, _MOST_NAME_BYTES))

    forms = config.outputs
    is_pictures = source.form == "pictures"
    if is_pictures:
        is_folder_beside_others = bool(source.pictures) and os.path.isdir(source.uri)
        save = path(outputs.save, _COPIES if is_folder_beside_others else "")
    else:
        suffix = _container(name, forms, config.recorder.codec)
        is_own = name.suffix.lower() == suffix
        save = path(outputs.save, name.suffix, name.stem) if is_own else path(outputs.save, suffix)
    return replace(
        outputs,
        save=save,
        log=path(outputs.log, f".{forms.log}"),
        snapshots=path(outputs.snapshots, _PEOPLE),
        sheet=path(outputs.sheet, f".{forms.sheet}"),
        subtitles=None if is_pictures else path(outputs.subtitles, f".{forms.subtitles}"),
    )


def _container(name: PurePath, forms: OutputsSection, codec: str) -> str:
    """The ending of the recording of a source."""
    if forms.video != "auto":
        return f".{forms.video}"
    own = CONTAINERS.get(name.suffix.lower())
    return name.suffix.lower() if own and codec in ("auto", *own.codecs) else ".mp4"


def source_names(sources: Sequence[NamedSource]) -> list[PurePath]:
    """What the sources are called; their folders are kept where they tell them apart."""
    names = [own_name(source) for source in sources]
    if len(set(map(_key, names))) == len(names):
        return names
    paths = [Path(os.path.abspath(each.uri)) for each in sources if not _is_nameless(each)]
    try:
        common = os.path.commonpath([path.parent for path in paths])
    except ValueError:  # there are no files, or they lie on different drives
        return names
    return [
        name if _is_nameless(source) else PurePath(os.path.relpath(source.uri, common))
        for source, name in zip(sources, names, strict=True)
    ]


def _is_nameless(source: NamedSource) -> bool:
    """Whether a source has no path of its own: it is live, a pipe, a list of pictures, or an
    address that is mistyped."""
    is_masked = not os.path.lexists(source.uri) and source.shown not in ("", source.uri)
    is_pipe = source.uri == STANDARD_INPUT
    return source.is_live or _is_pattern(source) or is_pipe or is_masked


def _is_pattern(source: NamedSource) -> bool:
    """Whether a source is pictures that have no path in common which is their own."""
    return bool(source.pictures) and (source.root is None or not os.path.lexists(source.uri))


def own_name(source: NamedSource) -> PurePath:
    """What a source is called without regard to the others."""
    if _is_pattern(source):
        return PurePath("pictures")
    if not _is_nameless(source):
        path = Path(os.path.abspath(source.uri))
        root = path.parent if source.root is None else Path(os.path.abspath(source.root))
        return PurePath(os.path.relpath(path, root))
    if source.uri == STANDARD_INPUT:
        return PurePath("standard-input")
    name = str(source).rpartition("://")[2]
    if name.startswith("@"):  # the file that holds the address
        name = PurePath(name).stem
    return PurePath(_UNFIT.sub("-", name).strip("-.") or source.form)


def _numbered(name: PurePath) -> Iterator[PurePath]:
    """The name, then the same with a number."""
    yield name
    for number in count(2):
        yield name.with_name(f"{name.stem}-{number}{name.suffix}")


def _keys(outputs: Outputs) -> Iterator[str]:
    """The names that outputs have on any system, while they are written and after."""
    for path in outputs.paths:
        if not is_stream(path):
            yield from map(_key, written_names(path))
    if outputs.log is not None and not is_stream(outputs.log):
        yield from map(_key, (tracks_path(outputs.log), persons_path(outputs.log)))


def _name_key(name: PurePath) -> str:
    """The key of the name of a source, which is that of no output."""
    return f"{_key(name)}\0"


def _key(path: PurePath) -> str:
    """The same for names that some systems take for one."""
    return unicodedata.normalize("NFC", os.path.normpath(path)).casefold()
