"""The outputs that a run is asked for, and the check that each suits the source."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from models.locks import lock_path
from models.pictures import is_picture
from models.printable import shortened
from stream.addresses import PROTOCOLS
from stream.errors import ConfigError
from stream.frames import SourceInfo
from stream.settings import Config
from stream.settings.schema import RecorderSection
from stream.sinks.data.line_stream import is_standard_output, is_stream
from stream.sinks.data.tables import persons_path, tracks_path
from stream.sinks.paths import partial_path, same_file, written_names
from stream.sinks.pictures.folder import FACES_FILE
from stream.sinks.pictures.picture_file import writable_suffixes
from stream.sinks.pictures.single_picture import is_single_picture_output
from stream.sinks.pictures.snapshots import PERSONS_FILE
from stream.sinks.publishing.destinations import VideoDestination, format_of
from stream.sinks.publishing.services import ServiceAddress
from stream.sinks.segments import SegmentNames
from stream.sinks.subtitles.sink import SUBTITLE_SUFFIXES
from stream.sinks.video.codecs import CONTAINERS, codec_for, codec_in

LOG_SUFFIXES = (".jsonl", ".csv", ".parquet")
"""How the name of a log may end, which names its format."""

_TABLE_SUFFIXES = (".csv", ".parquet")
"""How the name of a log ends that is a table, and so is two files."""

_LONGEST_STAMP = "20000101-000000+0000-1000"
"""Stamp of a segment that makes a name as long as it may get."""

_SHEET_SUFFIXES = (".png", ".jpg", ".jpeg")
"""How the name of a sheet may end."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a run is asked to write and to show.

    Attributes:
        save: a video file; for pictures a folder, for one that is named alone a picture too.
        log: a `.jsonl`, `.csv` or `.parquet` file; or `-` (standard output), a FIFO or a device,
            which get JSON Lines as they come.
        snapshots: a folder for the best view of each person.
        sheet: a picture of all people, `.png` or `.jpg`.
        subtitles: a file of subtitles, `.ass`, `.vtt` or `.srt`.
        events: print events on standard output.
        show: open a window, if there is a screen.
        overwrite: files that exist may be replaced.
        streams: where the annotated video is sent on to.
        virtual_camera: show the annotated video as a camera of this machine.
        mqtt: a broker that gets events.
        webhooks: web services that get events.
        folders: the names of the outputs that were written as a folder's, `out/`: what they name is
            made in there.
        crops: further sinks of the run look at crops of the faces.
    """

    save: Path | None = None
    log: Path | None = None
    snapshots: Path | None = None
    sheet: Path | None = None
    events: bool = False
    show: bool = False
    overwrite: bool = False
    folders: frozenset[str] = frozenset()
    streams: tuple[VideoDestination, ...] = ()
    virtual_camera: bool = False
    mqtt: ServiceAddress | None = None
    webhooks: tuple[ServiceAddress, ...] = ()
    subtitles: Path | None = None
    crops: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files and folders that will be written."""
        log = None if self.is_log_streamed else self.log
        named = (self.save, log, self.snapshots, self.sheet, self.subtitles)
        playlists = (each.path for each in self.streams)
        return tuple(path for path in (*named, *playlists) if path is not None)

    @property
    def is_log_streamed(self) -> bool:
        """Whether the log goes to a reader, not into a file."""
        return self.log is not None and is_stream(self.log)

    @property
    def are_kept(self) -> bool:
        """Whether anything is to remain of the run, or to be read, beside the window."""
        written = bool(self.paths) or self.is_log_streamed or self.events
        return written or self.is_published

    @property
    def is_drawn(self) -> bool:
        """Whether there are pictures to draw on, beside the window."""
        return self.save is not None or bool(self.streams) or self.virtual_camera

    @property
    def is_published(self) -> bool:
        """Whether anything is sent on while it comes."""
        events = self.mqtt is not None or bool(self.webhooks)
        return bool(self.streams) or self.virtual_camera or events

    @property
    def printing(self) -> list[str]:
        """The options that ask for something on standard output, which holds one thing only."""
        log = self.log is not None and is_standard_output(self.log)
        video = any(each.kind == "pipe" for each in self.streams)
        return ["--save -"] * video + [f"--log {self.log}"] * log + ["--events"] * self.events


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


def requested_targets(
    outputs: Outputs, info: SourceInfo, config: Config | None = None
) -> list[Target]:
    """The files and folders to be written, of which each suits the source:

    1. Each has a name that the system takes. None takes the place of the source, lacks a folder,
       or has a name that does not suit it, or that another kind of file has.
    2. No two are the same file.
    3. A video can be written with the codec of the settings, and sent on to each destination.

    Args:
        outputs: what was asked for.
        info: the source.
        config: how they would be written; the defaults without one.

    Raises:
        ConfigError: an output fails a check; the first one found is named.
    """
    if outputs.is_log_streamed and str(outputs.log).lower().endswith(_TABLE_SUFFIXES):
        raise ConfigError(
            f"--log {outputs.log}: through a pipe goes JSON Lines only: name it .jsonl"
        )
    config = config or Config()
    recorder = config.recorder
    _check_keep(recorder)
    _check_subtitles(outputs, info, recorder)
    targets = list(_targets(outputs, info, is_divided=recorder.segment_s > 0))
    for target in targets:
        _check_name(target)
        _check_place(target, _place_of(info, target))
    for one, other in combinations(targets, 2):
        if one.names & other.names:
            raise ConfigError(f"{one} and {other} are the same: name another for one of them")
    for target in targets:
        _check_kind(target)
    if outputs.save is not None and info.kind != "pictures":
        codec_for(outputs.save, recorder.codec)
    for each in outputs.streams:
        codec_in(format_of(each, config.publish), each.format, recorder.codec)
    _check_video(outputs, info)
    return targets


def _check_video(outputs: Outputs, info: SourceInfo) -> None:
    """Checks that what is sent on is video, and goes where it can be taken."""
    video = [f"--save {each}" for each in outputs.streams]
    video += ["--virtual-camera"] * outputs.virtual_camera
    if video and info.kind == "pictures":
        raise ConfigError(f"{video[0]} takes video, and {info.name} is pictures: name a folder")


def _check_keep(recorder: RecorderSection) -> None:
    """Checks that what is deleted are segments."""
    if (recorder.keep_days or recorder.keep_gb) and not recorder.segment_s:
        raise ConfigError(
            "recorder.keep_days and recorder.keep_gb delete segments: set recorder.segment_s too"
        )


def _check_subtitles(outputs: Outputs, info: SourceInfo, recorder: RecorderSection) -> None:
    """Checks that subtitles are of one video, which pictures and divided recordings are not."""
    if outputs.subtitles is None:
        return
    if info.kind == "pictures":
        raise ConfigError(
            f"--subtitles {outputs.subtitles}: pictures have no times, subtitles are of a video: "
            "ask for --save instead"
        )
    if info.is_live and recorder.is_divided:
        raise ConfigError(
            f"--subtitles {outputs.subtitles}: subtitles are of one video, and recorder.segment_s "
            "or recorder.only_with_faces divide the recording: set them to 0 and false"
        )


def _targets(outputs: Outputs, info: SourceInfo, *, is_divided: bool) -> Iterator[Target]:
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
    is_divided = is_divided and info.kind != "pictures"
    if outputs.log is not None and not outputs.is_log_streamed:
        yield Target("--log", outputs.log, LOG_SUFFIXES, is_divided=is_divided)
        if outputs.log.suffix.lower() != ".jsonl":
            tracks = tracks_path(outputs.log)
            yield Target("--log", tracks, LOG_SUFFIXES, is_divided=is_divided)
            if info.kind == "video":
                yield Target("--log", persons_path(outputs.log), LOG_SUFFIXES)
    if outputs.snapshots is not None:
        yield Target("--snapshots", outputs.snapshots, table=PERSONS_FILE)
    if outputs.sheet is not None:
        yield Target("--sheet", outputs.sheet, suffixes=_SHEET_SUFFIXES)
    if outputs.subtitles is not None:
        yield Target("--subtitles", outputs.subtitles, suffixes=SUBTITLE_SUFFIXES)


def _place_of(info: SourceInfo, target: Target) -> Path:
    """What of the source a target might take the place of: of pictures their folder, if the target
    is a folder too."""
    source = Path(info.uri)
    is_beside = info.kind == "pictures" and target.is_folder and not source.is_dir()
    return source.parent if is_beside else source


def _check_name(target: Target) -> None:
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


def _check_place(target: Target, source: Path) -> None:
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


def _check_kind(target: Target) -> None:
    """Checks that a folder is not wanted where a file is, nor a file where a folder is."""
    path = target.path
    if not target.is_folder and path.is_dir():
        raise ConfigError(f"{path} is a folder: name a file")
    is_file = path.is_file() or is_picture(path) or path.suffix.lower() in CONTAINERS
    if target.is_folder and is_file:
        raise ConfigError(f"{target}: pictures go into a folder; name one")
