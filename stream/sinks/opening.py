"""The one place that opens sinks, after looking whether all of them may be written."""

import glob
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from stream.controls import Controls
from stream.drawing.overlay import Overlay, display_name
from stream.drawing.text import has_glyphs
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.settings import Config
from stream.sinks.contract import Sink
from stream.sinks.data.json_log import JsonLog
from stream.sinks.data.tables import TableLog, TrackTable, tracks_path
from stream.sinks.fan_out import Sinks
from stream.sinks.outputs import Outputs, check_outputs
from stream.sinks.pictures.folder import PictureFolder
from stream.sinks.pictures.sheet import Sheet
from stream.sinks.pictures.snapshots import Snapshots
from stream.sinks.video.manual_recording import ManualRecordings
from stream.sinks.video.recorder import Recorder
from stream.sinks.window.screen import OpenCvScreen
from stream.sinks.window.window import Window
from stream.sources.pictures import fixed_part

_NOTHING: Mapping[str, Sequence[str]] = MappingProxyType({})

_log = logging.getLogger(__name__)


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
        others: further sinks, already open, for whose sake alone nobody goes on.
        attributes: the classes of each attribute that labels may be of.
        controls: what the user asks for on the way.

    Raises:
        ConfigError: an output exists, is the input itself, or does not suit the source.
        SinkError: an output cannot be made.
    """
    check_outputs(outputs, info, config.recorder)
    drawn = config.overlay.labels and (outputs.show or outputs.save is not None)
    if drawn or outputs.sheet is not None:
        _warn_of_letters([*config.labels.race_groups, *chain(*attributes.values())])
    controls = controls or Controls(blur=config.overlay.blur)
    sinks: list[Sink] = []
    watchers = list(others)
    try:
        for sink in _for_keeps(config, info, outputs, attributes):
            sinks.append(sink)
        if outputs.show:
            for sink in _for_the_eye(config, info, outputs, controls):
                (watchers if isinstance(sink, ManualRecordings) else sinks).append(sink)
    except BaseException:  # Ctrl-C too: the recorder's thread would go on waiting
        for sink in (*sinks, *watchers):
            sink.close(complete=False)
        raise
    return Sinks(sinks, Overlay(config.overlay), controls, watchers, info.nominal_fps)


def _warn_of_letters(names: Iterable[str]) -> None:
    lacking = [name for name in names if not has_glyphs(display_name(name))]
    if lacking:
        _log.warning(
            "the font of the pictures lacks letters of %s and shows ? there; the log has the names",
            ", ".join(lacking),
        )


def _for_keeps(
    config: Config, info: SourceInfo, outputs: Outputs, attributes: Mapping[str, Sequence[str]]
) -> Iterator[Sink]:
    """What is written, one opened after the other."""
    log = outputs.log
    if log is not None and log.suffix.lower() == ".jsonl":
        yield JsonLog(log, info, config.engine.model or config.engine.model_folder.name, attributes)
    elif log is not None:
        yield TableLog(log, attributes)
        yield TrackTable(tracks_path(log), info, attributes)
    if outputs.save is not None and info.kind == "pictures":
        yield PictureFolder(outputs.save, _root(info), attributes)
    elif outputs.save is not None:
        yield Recorder(outputs.save, info, config.recorder)
    if outputs.snapshots is not None:
        yield Snapshots(outputs.snapshots, info, attributes)
    if outputs.sheet is not None:
        yield Sheet(outputs.sheet, info)


def _root(info: SourceInfo) -> Path | None:
    """The folder whose subfolders are kept: the source itself, or what a pattern begins with."""
    path = Path(info.uri)
    if path.is_dir():
        return path
    if path.exists() or not glob.has_magic(info.uri):
        return None
    return fixed_part(path)


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
        yield ManualRecordings(Path(), info, config.recorder, controls)
    # Pictures fly by unless they are waited for; who has them saved wants them done.
    one_by_one = info.kind == "pictures" and not outputs.paths
    folder = outputs.snapshots or Path()
    yield Window(info, controls, screen, folder=folder, one_by_one=one_by_one)
