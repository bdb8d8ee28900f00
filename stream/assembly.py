"""Settings → the engine and the annotator."""

from collections.abc import Mapping
from threading import Lock

from models.classification.bundle import Bundle, load_bundle
from models.classification.classifier import Classifier, check_groups
from models.detection.centerface_detector import DetectorPrecision
from models.embedder import bundled_embedder
from models.engine import EmbedderPrecision, Engine, load_engine
from models.networks.runtime import uses_gpu
from stream.annotator import Annotator
from stream.controls import Controls, RunReport
from stream.errors import ConfigError
from stream.following.follower import Follower
from stream.following.load_shedding import LoadShedding
from stream.following.schedule import Schedule
from stream.frames import SourceInfo
from stream.labelling.labeller import Labeller
from stream.labelling.persons import Persons
from stream.picture_annotator import PictureAnnotator
from stream.settings import Config
from stream.settings.schema import LabelSettings


class LoadedModel:
    """The engine and the classifier that settings name, loaded once for any number of sources.

    Its annotators share them, and each keeps its own tracks; several threads may each use one.

    Args:
        config: the settings.

    Raises:
        ConfigError: the model does not know an attribute or a class that the settings name.
        ModelError: the model cannot be loaded.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self._bundle = load_bundle(config.engine.model_folder)
        self._labels = _label_settings(config.labels, self._bundle)
        self._classifier = Classifier(self._bundle)
        self._engines: dict[bool, Engine] = {}
        self._loading = Lock()

    def __repr__(self) -> str:
        return f"LoadedModel({self.config.engine.model_folder})"

    def changed(self, config: Config) -> "LoadedModel":
        """The same model with other settings; the engines are shared where these do not concern
        them.

        Raises:
            ConfigError: the model does not know an attribute or a class that the settings name.
            ModelError: the model cannot be loaded.
        """
        other = LoadedModel(config)
        if (config.detection, config.engine) == (self.config.detection, self.config.engine):
            other._engines, other._loading = self._engines, self._loading
        return other

    @property
    def labels(self) -> LabelSettings:
        """The settings of the labels, with the attributes that are labelled named."""
        return self._labels

    @property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """The attributes that are labelled, and their classes."""
        classes = self._classifier.classes
        return {name: classes[name] for name in self._labels.of(classes)}

    @property
    def short_names(self) -> Mapping[str, Mapping[str, str]]:
        """Attribute → class → short form of its name."""
        return self._bundle.short_names

    def annotator(
        self,
        info: SourceInfo,
        controls: Controls | None = None,
        report: RunReport | None = None,
        *,
        is_endless: bool = False,
    ) -> Annotator | PictureAnnotator:
        """What annotates the frames of a source.

        Args:
            info: the source.
            controls: what the user wishes.
            report: takes what the annotator does to keep up with a live source.
            is_endless: the frames are no file's, so that tracks are not joined into persons.

        Raises:
            ConfigError: settings of the detector contradict one another.
            ModelError: a part of the engine cannot be loaded.
        """
        is_joined = joins_shots(self._labels, info) and not is_endless
        engine, report = self._engine(info), report or RunReport()
        labeller = Labeller(engine, self._classifier, self._labels, self._bundle.manifest.tree)
        if info.kind == "pictures":
            return PictureAnnotator(engine, labeller, report)
        schedule = _schedule(self.config, info)
        controls = controls or Controls(blur=self.config.overlay.blur)
        follower = Follower(engine, info, schedule, controls, report)
        return Annotator(
            follower, labeller, info, Persons(engine.empty_appearance) if is_joined else None
        )

    def _engine(self, info: SourceInfo) -> Engine:
        """The engine for such a source, loaded when the first of its kind is annotated."""
        is_pictures = info.kind == "pictures"
        with self._loading:
            if is_pictures not in self._engines:
                other = self._engines.get(not is_pictures)
                self._engines[is_pictures] = engine_for(self.config, info, self._bundle, other)
            return self._engines[is_pictures]


def engine_for(
    config: Config, info: SourceInfo, bundle: Bundle | None = None, beside: Engine | None = None
) -> Engine:
    """The engine that a source is searched with.

    Args:
        config: the settings.
        info: the source.
        bundle: brings the embedder its classifier was fitted on; dlib's is taken without one.
        beside: another engine of the same settings and bundle, with which it shares what it can.

    Raises:
        ConfigError: settings of the detector contradict one another.
        ModelError: it cannot be loaded.
    """
    _check_engine(config)
    engine = load_engine(
        config.detection.for_engine(),
        runtime=config.engine.runtime,
        embedder=None if bundle is None else bundled_embedder(bundle),
        full_scale=info.kind == "pictures",
        precision=_precision(config, info),
        embedder_precision=_embedder_precision(config),
        threads=config.engine.threads,
        device=config.engine.device,
        beside=beside,
    )
    low, high = engine.detector.traits.thresholds
    if not low <= engine.threshold <= high:
        raise ConfigError(
            f"detection.threshold = {engine.threshold:g}: the detector {config.detection.detector} "
            f"takes {low:g} to {high:g}, or auto"
        )
    return engine


def joins_shots(settings: LabelSettings, info: SourceInfo) -> bool:
    """Whether tracks of a source that are of the same face are one person.

    Raises:
        ConfigError: that is asked of a source that is no video file.
    """
    is_file = info.kind == "video"
    if settings.across_shots is True and not is_file:
        source = "pictures are" if info.kind == "pictures" else "a live source is"
        raise ConfigError(
            f"labels.across_shots = true is for video files, {source} never joined: set it to auto"
        )
    return is_file and settings.across_shots is not False


def _check_engine(config: Config) -> None:
    """Refuses settings of the engine that the detector cannot follow."""
    engine, detector = config.engine, config.detection.detector
    if engine.runtime == "dlib" and detector == "centerface":
        raise ConfigError(
            "engine.runtime = dlib runs dlib's networks, of which centerface is none: "
            "set detection.detector to cnn or hog too"
        )
    if engine.precision != "int8":
        return
    if detector != "centerface":
        raise ConfigError(
            f"engine.precision = int8 is for centerface only: the detector {detector} calculates "
            "in floats; set engine.precision to auto"
        )
    if engine.device == "cuda" or uses_gpu(engine.device):
        raise ConfigError(
            "engine.precision = int8 is for CPUs, a GPU calculates in floats: set engine.device "
            "to cpu, or engine.precision to auto"
        )


def _precision(config: Config, info: SourceInfo) -> DetectorPrecision:
    """Integers on a CPU, of pictures, each of which is searched once, at the finest scale only;
    floats on a GPU, which gains nothing from integers, and for dlib's detectors, which know no
    others.
    """
    settings = config.engine
    if settings.precision != "auto":
        return settings.precision
    if uses_gpu(settings.device) or config.detection.detector != "centerface":
        return "float"
    return "mixed" if info.kind == "pictures" else "int8"


def _embedder_precision(config: Config) -> EmbedderPrecision:
    """Integers on a CPU, for pictures too: a label is the same in one as in the other."""
    settings = config.engine
    if settings.precision != "auto":
        return settings.precision
    return "float" if uses_gpu(settings.device) else "int8"


def _schedule(config: Config, info: SourceInfo) -> Schedule:
    settings = config.detection
    skip = None if settings.frame_skip == "auto" else settings.frame_skip
    shedding = LoadShedding(settings.max_staleness) if info.is_live else None
    return Schedule(skip, load_shedding=shedding)


def _label_settings(settings: LabelSettings, bundle: Bundle) -> LabelSettings:
    """The settings with the attributes that are labelled named, where they fit the model.

    Raises:
        ConfigError: the model does not know an attribute.
        ModelError: groups do not fit its classes.
    """
    heads = {head.attribute: head.classes for head in bundle.manifest.attributes}
    chosen = bundle.default_attributes if settings.attributes == "auto" else settings.attributes
    thresholds = settings.min_confidence
    limited = tuple(thresholds) if isinstance(thresholds, dict) else ()
    named = {"min_confidence": limited, "groups": settings.groups, "attributes": chosen}
    for name, attributes in named.items():
        if unknown := [each for each in attributes if each not in heads]:
            known = ", ".join(heads)
            raise ConfigError(f"labels.{name}: the model knows {known}, not {unknown[0]!r}")
    for attribute in chosen:
        check_groups(attribute, heads[attribute], settings.groups_of(attribute))
    return settings.model_copy(update={"attributes": chosen})
