"""The one place that opens sinks, after looking whether all of them may be written."""

import glob
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, takewhile
from pathlib import Path
from types import MappingProxyType

from stream.config import Config
from stream.controls import Controls
from stream.drawing import can_write
from stream.errors import ConfigError, SinkError
from stream.frames import SourceInfo
from stream.overlay import Overlay, spoken
from stream.sinks.codecs import CONTAINERS, codec_for
from stream.sinks.contract import Sink, partial_path, same_file
from stream.sinks.fan_out import Sinks
from stream.sinks.log import JsonLog
from stream.sinks.pictures import PictureFolder
from stream.sinks.recorder import Recorder
from stream.sinks.screen import OpenCvScreen
from stream.sinks.tables import TableLog, TrackTable, tracks_path
from stream.sinks.takes import Takes
from stream.sinks.window import Window
from stream.sources.pictures import is_picture

LOG_SUFFIXES = (".jsonl", ".csv", ".parquet")
_NOTHING: Mapping[str, Sequence[str]] = MappingProxyType({})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outputs:
    """What was asked for.

    Attributes:
        save: a video file, or for pictures a folder.
        log: a `.jsonl`, `.csv` or `.parquet` file.
        show: open a window, if there is a screen.
        overwrite: what stands there may be replaced.
    """

    save: Path | None = None
    log: Path | None = None
    show: bool = False
    overwrite: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where something will stand."""
        return tuple(path for path in (self.save, self.log) if path is not None)


def open_sinks(
    config: Config,
    info: SourceInfo,
    outputs: Outputs,
    others: Sequence[Sink] = (),
    attributes: Mapping[str, Sequence[str]] = _NOTHING,
    controls: Controls | None = None,
) -> Sinks:
    """Opens what was asked for; if one cannot be opened, none is.

    Args:
        config: how they write.
        info: the source they write about.
        outputs: what was asked for.
        others: further sinks, already open.
        attributes: the classes of each attribute that labels may be of.
        controls: what the user asks for on the way.

    Raises:
        ConfigError: an output exists, is the input itself, or does not suit the source.
        SinkError: an output cannot be made.
    """
    check_outputs(outputs, info)
    if outputs.save is not None and info.kind != "pictures":
        codec_for(outputs.save, config.recorder.codec)
    if config.overlay.labels and (outputs.show or outputs.save is not None):
        _warn_of_letters([*config.labels.race_groups, *chain(*attributes.values())])
    controls = controls or Controls(blur=config.overlay.blur)
    sinks: list[Sink] = list(others)
    try:
        if outputs.log is not None:
            sinks.extend(_log_sinks(outputs.log, config, info, attributes))
        if outputs.save is not None and info.kind == "pictures":
            sinks.append(PictureFolder(outputs.save, _root(info), attributes))
        elif outputs.save is not None:
            sinks.append(Recorder(outputs.save, info, config.recorder))
        if outputs.show:
            sinks.extend(_for_the_eye(config, info, outputs, controls))
    except BaseException:  # Ctrl-C too: the recorder's thread would go on waiting
        for sink in sinks:
            sink.close(complete=False)
        raise
    return Sinks(sinks, Overlay(config.overlay), controls)


def check_outputs(outputs: Outputs, info: SourceInfo) -> None:
    """Looks whether all outputs may be written, before anything is.

    Raises:
        ConfigError: one may not.
    """
    source = Path(info.uri)
    if info.kind == "pictures" and not source.is_dir():
        source = source.parent  # where the copies would take the place of the pictures themselves
    for path in outputs.paths:
        if any(same_file(written, source) for written in (path, partial_path(path))):
            raise ConfigError(f"{path} would overwrite the input: name another file to write to")
        if not path.absolute().parent.is_dir():
            raise ConfigError(f"{path}: there is no folder {path.parent}; make it first")
    if outputs.log is not None:
        if outputs.log.suffix.lower() not in LOG_SUFFIXES:
            endings = ", ".join(LOG_SUFFIXES)
            raise ConfigError(f"--log {outputs.log}: its name should end in one of {endings}")
        _check_file(outputs.log, outputs.overwrite)
    if outputs.save is None:
        return
    if info.kind == "pictures":
        _check_folder(outputs.save, outputs.overwrite)
    elif outputs.save.suffix.lower() not in CONTAINERS:
        endings = ", ".join(CONTAINERS)
        raise ConfigError(f"--save {outputs.save}: a video's name should end in one of {endings}")
    else:
        _check_file(outputs.save, outputs.overwrite)


def _warn_of_letters(names: Iterable[str]) -> None:
    lacking = [name for name in names if not can_write(spoken(name))]
    if lacking:
        _log.warning(
            "the font of the pictures lacks letters of %s and shows ? there; the log has the names",
            ", ".join(lacking),
        )


def _log_sinks(
    path: Path, config: Config, info: SourceInfo, attributes: Mapping[str, Sequence[str]]
) -> Iterator[Sink]:
    if path.suffix.lower() == ".jsonl":
        yield JsonLog(path, info, config.engine.model or "default", attributes)
    else:
        yield TableLog(path, attributes)
        yield TrackTable(tracks_path(path), info, attributes)


def _check_file(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        raise ConfigError(f"{path} is a folder: name a file")
    if path.exists() and not overwrite:
        raise ConfigError(f"{path} exists: choose another name, or give --overwrite")
    if partial_path(path).is_file() and not overwrite:
        raise ConfigError(
            f"{partial_path(path)} is what a run that ended early could save: "
            "move it away, or give --overwrite"
        )


def _check_folder(path: Path, overwrite: bool) -> None:
    if path.is_file() or is_picture(path) or path.suffix.lower() in CONTAINERS:
        raise ConfigError(f"--save {path}: annotated pictures go into a folder; name one")
    if path.is_dir() and any(path.iterdir()) and not overwrite:
        raise ConfigError(f"{path} is not empty: choose another folder, or give --overwrite")


def _root(info: SourceInfo) -> Path | None:
    """The folder whose subfolders are kept: the source itself, or what a pattern begins with."""
    path = Path(info.uri)
    if path.is_dir():
        return path
    if path.exists() or not glob.has_magic(info.uri):
        return None
    return Path(*takewhile(lambda part: not glob.has_magic(part), path.parts))


def _for_the_eye(
    config: Config, info: SourceInfo, outputs: Outputs, controls: Controls
) -> Iterator[Sink]:
    """The window, and what is recorded by its keys."""
    try:
        screen = OpenCvScreen()
    except SinkError as error:
        _log.warning("%s: going on without", error)
        return
    if info.kind == "pictures":
        controls.bar_recording = "pictures are not recorded"
    elif outputs.save is not None:
        controls.recording = outputs.save
        controls.bar_recording = f"everything is recorded into {outputs.save}"
    else:
        yield Takes(Path(), info, config.recorder, controls)
    # Pictures fly by unless they are waited for; who has them saved wants them done.
    one_by_one = info.kind == "pictures" and not outputs.paths
    yield Window(info, controls, screen, one_by_one=one_by_one)
