"""The loop."""

from collections.abc import Callable, Generator, Mapping, Sequence
from os import PathLike
from typing import Protocol

from models.bundle import Bundle, load_bundle
from models.classifier import Classifier, check_groups
from models.engine import Engine, Precision, bundled_embedder, load_engine
from models.errors import ModelError
from models.runtime import uses_gpu
from stream.annotator import Annotator, Track
from stream.capture import Capture
from stream.config import Config
from stream.controls import Controls
from stream.errors import ConfigError, SourceError
from stream.frames import Frame, SourceInfo
from stream.schedule import Schedule, Thrift
from stream.sinks import Outputs, Sink, open_sinks
from stream.sources import WHOLE, Source, Span, open_source
from stream.summary import Summary


class FrameAnnotator(Protocol):
    """Says who is in each frame of one source, asked in order."""

    @property
    def attributes(self) -> Mapping[str, Sequence[str]]:
        """What it may say: attributes and their classes."""

    def annotate(self, frame: Frame) -> tuple[Track, ...]:
        """The people in the next frame."""


def run(
    source: Source,
    config: Config,
    outputs: Outputs,
    watchers: Sequence[Sink] = (),
    load: Callable[[Config, SourceInfo, Controls], FrameAnnotator] | None = None,
) -> Summary:
    """Annotates a source from beginning to end, or until somebody asks for the end.

    Args:
        source: closed in any case.
        config: the settings.
        outputs: what is written and shown.
        watchers: further sinks, such as a progress bar.
        load: gives what annotates the frames; `load_annotator` without one.

    Raises:
        ConfigError, SinkError, ModelError: what was asked for cannot be had; nothing was written.
        SourceError: the source gives nothing at all. A source or a model that fails later ends
            the run instead, and is named in the summary's failures.
    """
    summary = Summary(source.info)
    controls = Controls(blur=config.overlay.blur)
    capture = Capture(source, controls)
    try:
        with capture:
            annotator = (load or load_annotator)(config, capture.info, controls)
            attributes = annotator.attributes
            with open_sinks(config, capture.info, outputs, watchers, attributes, controls) as sinks:
                summary.start(sinks.failures, sinks.completed)
                for frame in capture:
                    tracks = annotator.annotate(frame)
                    sinks.write(frame, tracks)
                    summary.add(frame, tracks)
                    if sinks.quit_requested:
                        break
    except (SourceError, ModelError) as error:
        if not summary.frames:
            raise
        summary.fail(str(error))
    except KeyboardInterrupt:
        summary.interrupted = True
    summary.finish(capture.dropped)
    return summary


def annotate(
    source: str | int | PathLike[str] | Source, config: Config | None = None, span: Span = WHOLE
) -> Generator[tuple[Frame, tuple[Track, ...]], None, None]:
    """The frames of a source and who is in each, lazily; leaving early closes everything.

    Args:
        source: what `face-stream run` takes, or a source that is open already: it is closed too.
        config: the settings; the defaults without one (`load_config` reads those of a file).
        span: the part of a video that is wanted.

    Raises:
        SourceError: the source cannot be opened, or not be read any further.
        ConfigError, ModelError: the settings or the model do not fit.
    """
    config = config or Config()
    if isinstance(source, str | int | PathLike):
        source = open_source(str(source), config, span)
    elif span != WHOLE:
        raise ConfigError("a source that is open already has its span: give it to open_source")
    with Capture(source) as capture:
        annotator = load_annotator(config, capture.info)
        for frame in capture:
            yield frame, annotator.annotate(frame)


def load_annotator(config: Config, info: SourceInfo, controls: Controls | None = None) -> Annotator:
    """The engine and the classifier that the settings name, ready for a source.

    Args:
        config: the settings.
        info: the source.
        controls: what the user asks for on the way.

    Raises:
        ConfigError: the model does not know an attribute or a class that the settings name.
        ModelError: the model cannot be loaded.
    """
    bundle = load_bundle(config.engine.model_folder)
    _check_labels(config, bundle)
    engine = engine_for(config, info, bundle)
    schedule = _schedule(config, info, engine.divisible)
    controls = controls or Controls(blur=config.overlay.blur)
    return Annotator(engine, Classifier(bundle), info, config.labels, schedule, controls)


def engine_for(config: Config, info: SourceInfo, bundle: Bundle | None = None) -> Engine:
    """The engine that a source is searched with.

    Args:
        config: the settings.
        info: the source.
        bundle: brings the embedder its classifier was fitted on; dlib's is taken without one.

    Raises:
        ModelError: it cannot be loaded.
    """
    return load_engine(
        config.detection.for_engine(),
        runtime=config.engine.runtime,
        embedder=None if bundle is None else bundled_embedder(bundle),
        precision=_precision(config, info),
        # At once a search of 1080p took 97 ms on an H200: a live frame would be late.
        divisible=info.kind != "pictures" and uses_gpu(config.engine.device),
        threads=config.engine.threads,
        device=config.engine.device,
    )


def _precision(config: Config, info: SourceInfo) -> Precision:
    """A picture is looked at once, so it is looked at well; a GPU gains nothing from integers."""
    if config.engine.precision != "auto":
        return config.engine.precision
    single = info.kind == "pictures" or uses_gpu(config.engine.device)
    return "float" if single else "int8"


def _schedule(config: Config, info: SourceInfo, divisible: bool) -> Schedule:
    settings = config.detection
    skip = None if settings.frame_skip == "auto" else settings.frame_skip
    thrift = Thrift(settings.max_staleness, may_coarsen=settings.downscale == "auto")
    return Schedule(info, skip, divisible=divisible, thrift=thrift)


def _check_labels(config: Config, bundle: Bundle) -> None:
    heads = {head.attribute: head.classes for head in bundle.manifest.attributes}
    known = ", ".join(heads)
    thresholds = config.labels.min_confidence
    for attribute in thresholds if isinstance(thresholds, dict) else ():
        if attribute not in heads:
            raise ConfigError(f"labels.min_confidence: the model knows {known}, not {attribute!r}")
    for attribute in config.labels.attributes:
        if attribute not in heads:
            raise ConfigError(f"labels.attributes: the model knows {known}, not {attribute!r}")
        groups = config.labels.groups_of(attribute)
        check_groups(attribute, heads[attribute], groups)
