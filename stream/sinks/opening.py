"""The one place that opens sinks, whose outputs were claimed before."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from models.classification.bundle import read_short_names
from models.errors import ModelError
from stream.controls import Controls, RunReport
from stream.drawing.overlay import Overlay
from stream.drawing.text import has_glyphs
from stream.drawing.wording import NO_SHORT_NAMES, ShortNames, display_name
from stream.errors import ConfigError
from stream.frames import SourceInfo
from stream.people import Settle
from stream.settings import Config
from stream.settings.schema import BY_PERSON
from stream.sinks.contract import Sink
from stream.sinks.fan_out import Sinks
from stream.sinks.files import opened_files, segment_names, segmenter_of
from stream.sinks.frame_assembler import FrameAssembler
from stream.sinks.outputs import Outputs
from stream.sinks.publishing.opening import opened_publishers
from stream.sinks.retention import Retention
from stream.sinks.video.manual_recording import ManualRecordings
from stream.sinks.window.window import Window

_NO_ATTRIBUTES: Mapping[str, Sequence[str]] = MappingProxyType({})

_log = logging.getLogger(__name__)


def open_sinks(
    config: Config,
    info: SourceInfo,
    outputs: Outputs,
    watchers: Sequence[Sink] = (),
    attributes: Mapping[str, Sequence[str]] = _NO_ATTRIBUTES,
    controls: Controls | None = None,
    report: RunReport | None = None,
    summary: Sink | None = None,
    window: Window | None = None,
    settle: Settle | None = None,
) -> Sinks:
    """Opens what was asked for; if one cannot be opened, none is.

    Args:
        config: how they write.
        info: the source they write about.
        outputs: what was asked for.
        watchers: further sinks, already open, for whose sake alone no run goes on.
        attributes: the classes of each attribute that labels may be of.
        controls: what the user wishes.
        report: what the run reports.
        summary: a further sink, which gets every frame last.
        window: shows the frames, open already; None for none.
        settle: says at the end which tracks are of one person; None where they are not joined.

    Raises:
        ConfigError: colours are to be by an attribute that there is not.
        SinkError: an output cannot be made.
    """
    check_colours(config, attributes)
    drawn = config.overlay.labels and (window is not None or outputs.is_drawn)
    is_short = drawn or outputs.subtitles is not None
    short_names = short_names_of(config) if is_short else NO_SHORT_NAMES
    if drawn or outputs.sheet is not None:
        short = chain(*(names.values() for names in short_names.values()))
        _warn_of_letters([*config.labels.group_names, *chain(*attributes.values()), *short])
    controls = controls or Controls(blur=config.overlay.blur)
    report = report or RunReport()
    segmenter = segmenter_of(config, info, outputs)
    sinks: list[Sink] = []
    watching = list(watchers)
    try:
        for sink in opened_files(
            config, info, outputs, attributes, report, segmenter, has_persons=settle is not None
        ):
            sinks.append(sink)
        for sink in opened_publishers(config, info, outputs, report):
            sinks.append(sink)
        if config.recorder.keep_days or config.recorder.keep_gb:
            watching.append(Retention(segment_names(outputs), config.recorder, report))
        if window is not None:
            watching += _manual_recordings(config, info, outputs, controls, report)
            sinks.append(window)
    except BaseException:  # Ctrl-C too: the recorder's thread would go on waiting
        for sink in (*sinks, *watching):
            sink.close(complete=False)
        raise
    face_crops = outputs.crops or outputs.snapshots is not None or outputs.sheet is not None
    overlay = Overlay(config.overlay, short_names, config.labels.group_names)
    frames = FrameAssembler(
        overlay, info, controls, face_crops=face_crops, segmenter=segmenter, settle=settle
    )
    return Sinks(sinks, frames, report, watchers=watching, summary=summary)


def check_colours(config: Config, attributes: Mapping[str, Sequence[str]]) -> None:
    """Checks that colours are of an attribute that labels are of, if they are of one."""
    colours = config.overlay.colours
    if attributes and colours not in (BY_PERSON, *attributes) and not colours.startswith("#"):
        raise ConfigError(
            f"overlay.colours: labels are of {', '.join(attributes)}, not {colours!r}: name one of "
            f"these, {BY_PERSON}, or a colour such as #40c0ff"
        )


def short_names_of(config: Config) -> ShortNames:
    """The short names of the model's classes, as its folder has them now."""
    try:
        return read_short_names(config.engine.model_folder)
    except ModelError as error:  # a log is drawn without its model
        _log.warning("%s; in crowds classes are shortened to their first letters", error)
        return NO_SHORT_NAMES


def _warn_of_letters(names: Iterable[str]) -> None:
    """Warns of names of classes that cannot be drawn."""
    lacking = [name for name in names if not has_glyphs(display_name(name))]
    if lacking:
        _log.warning(
            "the font of the pictures lacks letters of %s and shows ? there; the log has the names",
            ", ".join(lacking),
        )


def _manual_recordings(
    config: Config, info: SourceInfo, outputs: Outputs, controls: Controls, report: RunReport
) -> Iterator[Sink]:
    """The recordings that keys begin and end, where there are any."""
    if info.kind == "pictures":
        report.recording_refusal = "pictures are not recorded"
    elif outputs.save is not None:
        report.recording = outputs.save
        report.recording_refusal = f"everything is recorded into {outputs.save}"
    else:
        stall_s = config.run.output_limit_s(is_live=info.is_live)
        yield ManualRecordings(Path(), info, config.recorder, controls, report, stall_s=stall_s)
