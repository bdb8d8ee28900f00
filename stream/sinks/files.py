"""The sinks that write files, whole or in segments."""

import glob
import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from models.classification.bundle import read_manifest
from models.errors import ModelError
from stream.controls import RunReport
from stream.drawing.colours import ColourScheme
from stream.frames import SourceInfo
from stream.settings import Config
from stream.sinks.contract import Sink
from stream.sinks.data.event_log import EventLog
from stream.sinks.data.json_log import JsonLog, log_header
from stream.sinks.data.line_stream import is_stream
from stream.sinks.data.person_table import PersonTable
from stream.sinks.data.tables import TableLog, TrackTable, persons_path, tracks_path
from stream.sinks.outputs import Outputs
from stream.sinks.pictures.folder import PictureFolder
from stream.sinks.pictures.sheet import Sheet
from stream.sinks.pictures.single_picture import SinglePicture, is_single_picture_output
from stream.sinks.pictures.snapshots import Snapshots
from stream.sinks.segmented_log import SegmentedLog
from stream.sinks.segments import Segmenter, SegmentNames
from stream.sinks.subtitles.sink import Subtitles
from stream.sinks.video.recorder import Recorder
from stream.sinks.video.segmented_video import SegmentedVideo
from stream.sources.pictures import fixed_part

_log = logging.getLogger(__name__)


def is_table(log: Path) -> bool:
    """Whether a log is written as tables."""
    return not is_stream(log) and log.suffix.lower() != ".jsonl"


def segment_names(outputs: Outputs) -> list[SegmentNames]:
    """The names of the files of segments, of each output that is divided."""
    log = None if outputs.is_log_streamed else outputs.log
    names = [SegmentNames.of(path) for path in (outputs.save, log) if path is not None]
    if log is not None and log.suffix.lower() != ".jsonl":
        names.append(SegmentNames.of(log, f".tracks{log.suffix}"))
    return names


def segmenter_of(config: Config, info: SourceInfo, outputs: Outputs) -> Segmenter | None:
    """What divides the run; None where it is not divided."""
    if info.kind == "pictures" or not config.recorder.is_divided:
        return None
    return Segmenter(config.recorder, segment_names(outputs), records=outputs.save is not None)


def tree_of(
    config: Config, attributes: Mapping[str, Sequence[str]]
) -> dict[str, Mapping[str, Sequence[str]]]:
    """The coarser words of the model for these attributes, as its folder has them now, so that a
    log can be drawn again without its model."""
    try:
        tree = read_manifest(config.engine.model_folder).tree
    except ModelError as error:
        _log.warning("%s; the log lacks its words for several classes", error)
        return {}
    known = {name: frozenset(classes) for name, classes in attributes.items()}
    return {
        name: words
        for name, words in tree.items()
        if name in known and known[name].issuperset(chain(*words.values()))
    }


def opened_files(
    config: Config,
    info: SourceInfo,
    outputs: Outputs,
    attributes: Mapping[str, Sequence[str]],
    report: RunReport,
    segmenter: Segmenter | None,
    *,
    has_persons: bool = False,
) -> Iterator[Sink]:
    """The sinks that write files, each opened when it is asked for.

    Args:
        config: how they write.
        info: the source they write about.
        outputs: what was asked for.
        attributes: the classes of each attribute that labels may be of.
        report: what the run reports.
        segmenter: divides the run; None where it is not divided.
        has_persons: whether tracks are joined into persons at the end.
    """
    if outputs.save is not None:
        # Before the log, which is written at once: the video is then nearly as far as the log.
        yield _saved(outputs.save, info, config, attributes, report, segmenter)
    stall_s = config.run.output_limit_s(is_live=info.is_live)
    if outputs.log is not None:
        model = config.engine.model or config.engine.model_folder.name
        tree = tree_of(config, attributes)
        logs = _LogFiles(info, model, attributes, report, stall_s, config.overlay.blur, tree)
        if segmenter is None or not config.recorder.segment_s or outputs.is_log_streamed:
            yield from logs.whole(outputs.log)
        else:
            yield from logs.segmented(outputs.log, segmenter)
        if has_persons and is_table(outputs.log):
            yield PersonTable(persons_path(outputs.log), attributes)
    if outputs.events:
        yield EventLog(info, stall_s)
    if outputs.snapshots is not None:
        yield Snapshots(outputs.snapshots, attributes, has_persons=has_persons)
    if outputs.sheet is not None:
        colours = ColourScheme(config.overlay.colours, config.labels.group_names)
        yield Sheet(outputs.sheet, info, colours)
    if outputs.subtitles is not None:
        yield Subtitles(outputs.subtitles, info, config.overlay)


def _saved(
    path: Path,
    info: SourceInfo,
    config: Config,
    attributes: Mapping[str, Sequence[str]],
    report: RunReport,
    segmenter: Segmenter | None,
) -> Sink:
    """What writes the annotated picture, the folder of them, or the video."""
    if is_single_picture_output(path, info):
        return SinglePicture(path)
    if info.kind == "pictures":
        return PictureFolder(path, _root(info), attributes)
    return _recorder(path, info, config, report, segmenter)


def _recorder(
    path: Path, info: SourceInfo, config: Config, report: RunReport, segmenter: Segmenter | None
) -> Recorder:
    stall_s = config.run.output_limit_s(is_live=info.is_live)
    if segmenter is None:
        return Recorder(path, info, config.recorder, stall_s=stall_s)
    names, retry = SegmentNames.of(path), segmenter.retry_soon
    segmented = partial(SegmentedVideo, names, info, config.recorder, report, retry)
    return Recorder(path, info, config.recorder, segmented, stall_s)


class _LogFiles:
    """Opens the logs of a run.

    Args:
        info: the source.
        model: name of the classifier.
        attributes: the classes of each attribute.
        report: what their closing lines are about.
        stall_s: time after which a reader that takes nothing hangs, s; 0 for never.
        blur: the run makes faces unrecognisable.
        tree: the model's coarser words, by attribute.
    """

    def __init__(
        self,
        info: SourceInfo,
        model: str,
        attributes: Mapping[str, Sequence[str]],
        report: RunReport,
        stall_s: float,
        blur: bool,
        tree: Mapping[str, Mapping[str, Sequence[str]]],
    ) -> None:
        self._blur, self._tree = blur, tree
        self._info, self._model, self._attributes = info, model, attributes
        self._report, self._stall_s = report, stall_s
        self._last: JsonLog | None = None

    def whole(self, path: Path) -> Iterator[Sink]:
        """One log of all of a run; a table has a table of tracks beside it."""
        if is_table(path):
            yield self._table(path)
            yield self._tracks(tracks_path(path))
        else:
            yield self._json(path)

    def segmented(self, path: Path, segmenter: Segmenter) -> Iterator[Sink]:
        """The same, each in files of the segments."""
        is_json = path.suffix.lower() == ".jsonl"
        names, report, retry = SegmentNames.of(path), self._report, segmenter.retry_soon
        opens = self._json if is_json else self._table
        yield SegmentedLog(names, opens, report, retry)
        if not is_json:
            names = SegmentNames.of(path, f".tracks{path.suffix}")
            yield SegmentedLog(names, self._tracks, report, retry)

    def _json(self, path: Path) -> Sink:
        known = 0 if self._last is None else self._last.known_changes
        self._last = JsonLog(
            path,
            self._info,
            self._model,
            self._attributes,
            self._report,
            known,
            self._stall_s,
            blur=self._blur,
            tree=self._tree,
        )
        return self._last

    def _table(self, path: Path) -> Sink:
        header = log_header(
            self._info, self._model, self._attributes, blur=self._blur, tree=self._tree
        )
        return TableLog(path, self._attributes, header)

    def _tracks(self, path: Path) -> Sink:
        return TrackTable(path, self._attributes)


def _root(info: SourceInfo) -> Path | None:
    """The folder whose subfolders are kept: the source itself, or what a pattern begins with."""
    path = Path(info.uri)
    if path.is_dir():
        return path
    if path.exists() or not glob.has_magic(info.uri):
        return None
    return fixed_part(path)
