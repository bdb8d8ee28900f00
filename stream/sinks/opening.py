"""The one place that opens sinks, after looking whether all of them may be written."""

import glob
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from stream.config import Config
from stream.drawing import can_write
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.overlay import Overlay, spoken
from stream.sinks.contract import Sink
from stream.sinks.fan_out import Sinks
from stream.sinks.log import JsonLog
from stream.sinks.outputs import Outputs, check_outputs
from stream.sinks.pictures import PictureFolder
from stream.sinks.recorder import Recorder
from stream.sinks.sheet import Sheet
from stream.sinks.snapshots import Snapshots
from stream.sinks.tables import TableLog, TrackTable, tracks_path
from stream.sinks.window import Window
from stream.sources.pictures import fixed_part

_NOTHING: Mapping[str, Sequence[str]] = MappingProxyType({})

_log = logging.getLogger(__name__)


def open_sinks(
    config: Config,
    info: SourceInfo,
    outputs: Outputs,
    others: Sequence[Sink] = (),
    attributes: Mapping[str, Sequence[str]] = _NOTHING,
) -> Sinks:
    """Opens what was asked for; if one cannot be opened, none is.

    Args:
        config: how they write.
        info: the source they write about.
        outputs: what was asked for.
        others: further sinks, already open, for whose sake alone nobody goes on.
        attributes: the classes of each attribute that labels may be of.

    Raises:
        ConfigError: an output exists, is the input itself, or does not suit the source.
        SinkError: an output cannot be made.
    """
    check_outputs(outputs, info, config.recorder)
    drawn = config.overlay.labels and (outputs.show or outputs.save is not None)
    if drawn or outputs.sheet is not None:
        _warn_of_letters([*config.labels.race_groups, *chain(*attributes.values())])
    sinks: list[Sink] = []
    try:
        if outputs.log is not None:
            sinks.extend(_log_sinks(outputs.log, config, info, attributes))
        if outputs.save is not None and info.kind == "pictures":
            sinks.append(PictureFolder(outputs.save, _root(info), attributes))
        elif outputs.save is not None:
            sinks.append(Recorder(outputs.save, info, config.recorder))
        if outputs.snapshots is not None:
            sinks.append(Snapshots(outputs.snapshots, info, attributes))
        if outputs.sheet is not None:
            sinks.append(Sheet(outputs.sheet, info))
        if outputs.show:
            sinks.extend(_window())
    except BaseException:  # Ctrl-C too: the recorder's thread would go on waiting
        for sink in (*sinks, *others):
            sink.close(complete=False)
        raise
    return Sinks(sinks, Overlay(config.overlay), others, blur=config.overlay.blur)


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


def _root(info: SourceInfo) -> Path | None:
    """The folder whose subfolders are kept: the source itself, or what a pattern begins with."""
    path = Path(info.uri)
    if path.is_dir():
        return path
    if path.exists() or not glob.has_magic(info.uri):
        return None
    return fixed_part(path)


def _window() -> list[Sink]:
    try:
        return [Window()]
    except SinkError as error:
        _log.warning("%s: going on without", error)
        return []
