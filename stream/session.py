"""The library's door: a model that is loaded once and asked for pictures, frames and sources."""

import logging
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from functools import cached_property, partial
from os import PathLike, fspath
from threading import Lock
from typing import Self

from models.program.printable import printable
from stream.annotator import Annotator
from stream.assembly import LoadedModel
from stream.controls import Controls, RunReport
from stream.drawing.overlay import Overlay
from stream.errors import ConfigError, SourceError
from stream.frames import Frame, SourceInfo
from stream.own_loop import OwnLoop
from stream.picture_annotator import PictureAnnotator
from stream.results import Context, Results
from stream.run import run
from stream.settings import Config
from stream.settings.schema import LabelSettings
from stream.several.any_number import run_sources
from stream.several.given_outputs import AnyPath, given_outputs
from stream.several.given_sources import AnySource, listed_sources, open_alone, open_given
from stream.several.listing import NamedSource
from stream.sources import WHOLE, Source, Span
from stream.sources.capture import Capture
from stream.sources.given_picture import GivenPicture, as_bgr
from stream.summary import Summary
from stream.tracks import Face, Track

_log = logging.getLogger(__name__)


class Model:
    """Says of the faces in pictures, frames and sources what they are perceived as.

    It is loaded when it is first used, or by `load`; the networks that pictures need and those that
    video needs when the first of its kind comes. Several threads may use one model: pictures and
    sources are annotated beside each other, each with a state of its own; the frames of `track`,
    which have one state, one after another. Pickled, it is its settings.

    Args:
        config: the settings; the defaults without any.

    Raises:
        ConfigError: they are no `Config`.
    """

    def __init__(self, config: Config | None = None) -> None:
        if not isinstance(config, Config | None):
            raise ConfigError(
                f"settings are a Config, as load_config makes one, not {type(config).__name__}"
            )
        self.config = config or Config()
        # One for all pictures and frames: what holds for all is said once.
        self._report = RunReport()
        self._tracking = Lock()
        self._own_loop = self._new_loop()

    def __repr__(self) -> str:
        return f"Model({printable(str(self.config.engine.model_folder))})"

    def __reduce__(self) -> tuple[type["Model"], tuple[Config]]:
        return type(self), (self.config,)

    @cached_property
    def _loaded(self) -> LoadedModel:
        return LoadedModel(self.config)

    def load(self) -> Self:
        """Loads it now, and not when it is first used.

        Raises:
            ConfigError: it does not know an attribute that the settings name.
            ModelError: it cannot be loaded.
        """
        _ = self._loaded
        return self

    def _new_loop(self) -> OwnLoop:
        return OwnLoop(partial(self.annotator, report=self._report, is_endless=True))

    def annotator(
        self,
        info: SourceInfo,
        controls: Controls | None = None,
        report: RunReport | None = None,
        *,
        is_endless: bool = False,
    ) -> Annotator | PictureAnnotator:
        """What annotates the frames of a source that the caller reads; see `LoadedModel`."""
        return self._loaded.annotator(info, controls, report, is_endless=is_endless)

    @property
    def attributes(self) -> Mapping[str, Sequence[str]]:
        """The attributes that are labelled, and their classes."""
        return self._loaded.attributes

    def analyze(self, image: GivenPicture) -> Results[Face]:
        """The faces of one picture.

        Args:
            image: a path, the bytes of a file, pixels `(height, width, 3)` uint8 in BGR, or an
                image of PIL.

        Raises:
            SourceError: the file cannot be read.
            ValueError: it is no picture.
        """
        pixels = as_bgr(image, self.config.source.max_megapixels)
        name = fspath(image) if isinstance(image, str | PathLike) else ""
        info = SourceInfo(name or "picture", "pictures", (pixels.shape[1], pixels.shape[0]))
        annotator = self.annotator(info, report=self._report)
        tracks = annotator.annotate(Frame(pixels, 0, 0.0, time.monotonic()))
        faces = [Face(each.box_xyxy, each.score, each.labels, each.quality) for each in tracks]
        return Results(faces, self._context(name), pixels)

    def track(self, image: GivenPicture, time_s: float | None = None) -> Results[Track]:
        """The tracks in the next frame of the caller's own loop; `reset` begins another video.

        The result keeps the picture: where many results are kept, keep `tuple(tracks)` of each.

        Args:
            image: as for `analyze`.
            time_s: when the frame was taken, counted from any moment. By default frames are 1/25 s
                apart; from a camera, `time.monotonic()` is better.

        Raises:
            SourceError: the file cannot be read.
            ValueError: it is no picture, or the time goes back.
        """
        pixels = as_bgr(image, self.config.source.max_megapixels)
        with self._tracking:
            tracks = self._own_loop.annotate(pixels, time_s)
        return Results(tracks, self._context(), pixels)

    def reset(self) -> None:
        """Forgets all tracks of `track`: the next frame is the first of another video."""
        with self._tracking:
            self._own_loop = self._new_loop()

    def clone(self) -> "Model":
        """The same model with tracks of its own, for a second loop beside this one.

        Nothing is loaded anew.
        """
        twin = type(self)(self.config)
        twin._loaded = self._loaded
        return twin

    def changed(self, config: Config) -> "Model":
        """The same model with other settings, and tracks of its own; see `LoadedModel.changed`."""
        twin = type(self)(config)
        twin._loaded = self._loaded.changed(config)
        return twin

    @property
    def label_settings(self) -> LabelSettings:
        """The settings of the labels, with the attributes that are labelled named."""
        return self._loaded.labels

    def overlay(self) -> Overlay:
        """Draws tracks on the frames of one source, as the settings say."""
        labels = self.config.labels
        return Overlay(self.config.overlay, self._loaded.short_names, labels.group_names)

    def annotate(
        self, source: AnySource | Iterable[AnySource], span: Span = WHOLE
    ) -> Generator[tuple[Frame, Results[Track]], None, None]:
        """The frames of a source and the tracks in each, lazily; leaving early closes everything.

        Of several sources, one after another, each has tracks of its own, and its results say where
        they are from (`tracks.source`). One that fails is named, and the next one follows.

        Args:
            source: what `face-stream run` takes, a source that is open already (it is closed too),
                or a list of these; a pattern may name videos.
            span: the part of a video that is wanted.

        Raises:
            SourceError: the source cannot be opened, or not be read any further. Of several it is
                raised at the end.
            ConfigError, ModelError: the settings or the model do not fit.
        """
        waiting = listed_sources(source)
        count, failures = len(waiting), list[str]()
        try:
            while waiting:
                try:
                    yield from self._annotate(waiting.pop(0), span)
                except SourceError as error:
                    if count == 1:
                        raise
                    failures.append(str(error))
                    _log.warning("%s", error)
        finally:
            for each in waiting:
                if not isinstance(each, NamedSource):
                    each.close()
        if failures:
            raise SourceError(f"{len(failures)} of {count} sources failed, first {failures[0]}")

    def _annotate(
        self, source: NamedSource | Source, span: Span
    ) -> Generator[tuple[Frame, Results[Track]], None, None]:
        """The frames of one source and the tracks in each."""
        with Capture(open_given(source, self.config, span)) as capture:
            annotator = self.annotator(capture.info)
            context = self._context(capture.info.uri)
            for frame in capture:
                yield frame, Results(annotator.annotate(frame, capture.coming), context)

    def process(
        self,
        source: AnySource | Iterable[AnySource],
        *,
        save: AnyPath | Sequence[AnyPath] | None = None,
        log: AnyPath | None = None,
        snapshots: AnyPath | None = None,
        sheet: AnyPath | None = None,
        subtitles: AnyPath | None = None,
        show: bool = False,
        overwrite: bool = False,
        span: Span = WHOLE,
    ) -> Summary:
        """Does what the command `face-stream run` does; the outputs are its options.

        Args:
            source: what the command takes, a list of that, or a source that is open already (it is
                closed too), which is processed alone.
            save: the annotated video, or for pictures a folder of copies. In a folder, which is
                there or written as `out/`, outputs are named after their sources. Or an address, a
                playlist or `-`, where video is sent on to; in a list several of these.
            log: the data, `.jsonl`, `.csv` or `.parquet`.
            snapshots: a folder for the best view of each person.
            sheet: a picture of all people.
            subtitles: boxes and labels beside the video, `.ass`; or labels, `.vtt` or `.srt`.
            show: open a window, if there is a screen.
            overwrite: outputs that exist may be replaced.
            span: the part of a video that is wanted.

        Returns:
            What the run came to. What went wrong after the first frame stands in its `failures`,
            and of several sources which of them could not be read.

        Raises:
            ConfigError, SinkError, ModelError: what was asked for cannot be had; nothing is
                written.
            SourceError: the source gives nothing at all.
            KeyboardInterrupt: Ctrl-C came; what there was is complete.
        """
        outputs = given_outputs(
            save=save,
            log=log,
            snapshots=snapshots,
            sheet=sheet,
            subtitles=subtitles,
            show=show,
            overwrite=overwrite,
        )
        sources = listed_sources(source)
        by_name = [each for each in sources if isinstance(each, NamedSource)]
        if len(by_name) == len(sources):
            summary = run_sources(by_name, outputs, self.config, span, load=self.annotator)
        else:
            opened = open_alone(sources, self.config, span)
            summary = run(opened, self.config, outputs, load=self.annotator)
        if summary.interrupted:
            raise KeyboardInterrupt
        return summary

    def _context(self, source: str = "") -> Context:
        """What all results of a source have in common."""
        return Context(
            source=source,
            attributes=self.attributes,
            overlay=self.config.overlay,
            short_names=self._loaded.short_names,
            groups=self.config.labels.group_names,
        )
