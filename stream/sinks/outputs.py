"""The outputs that a run is asked for, and the check that each suits the source."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from stream.errors import ConfigError
from stream.frames import SourceInfo
from stream.settings import Config
from stream.settings.schema import RecorderSection
from stream.sinks.data.line_stream import is_standard_output, is_stream
from stream.sinks.publishing.destinations import VideoDestination, format_of
from stream.sinks.publishing.services import ServiceAddress
from stream.sinks.targets import (
    Target,
    check_kind,
    check_name,
    check_place,
    place_of,
    targets_of,
)
from stream.sinks.video.codecs import codec_for, codec_in

_TABLE_SUFFIXES = (".csv", ".parquet")
"""How the name of a log ends that is a table, and so is two files."""


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
    targets = list(targets_of(outputs, info, is_divided=recorder.segment_s > 0))
    for target in targets:
        check_name(target)
        check_place(target, place_of(info, target))
    for one, other in combinations(targets, 2):
        if one.names & other.names:
            raise ConfigError(f"{one} and {other} are the same: name another for one of them")
    for target in targets:
        check_kind(target)
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
