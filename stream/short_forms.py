"""The short forms of the library: a model loaded, or asked for one thing alone, in one call."""

from collections.abc import Generator, Iterable, Sequence

from stream.frames import Frame
from stream.results import Results
from stream.session import Model
from stream.settings import Config
from stream.several.given_outputs import AnyPath
from stream.several.given_sources import AnySource
from stream.sources import WHOLE, Span
from stream.summary import Summary
from stream.tracks import Track


def load(config: Config | None = None) -> Model:
    """Loads the model that the settings name, once for any number of pictures and sources.

    Args:
        config: the settings; the defaults without any (`load_config` reads those of a file).

    Raises:
        ConfigError: the model does not know an attribute that the settings name.
        ModelError: the model cannot be loaded.
    """
    return Model(config).load()


def annotate(
    source: AnySource | Iterable[AnySource], config: Config | None = None, span: Span = WHOLE
) -> Generator[tuple[Frame, Results[Track]], None, None]:
    """The short form of `load(config).annotate(source, span)`."""
    yield from Model(config).annotate(source, span)


def process(
    source: AnySource | Iterable[AnySource],
    *,
    config: Config | None = None,
    save: AnyPath | Sequence[AnyPath] | None = None,
    log: AnyPath | None = None,
    snapshots: AnyPath | None = None,
    sheet: AnyPath | None = None,
    subtitles: AnyPath | None = None,
    show: bool = False,
    overwrite: bool = False,
    span: Span = WHOLE,
) -> Summary:
    """The short form of `load(config).process(source, save=…, …)`."""
    return Model(config).process(
        source,
        save=save,
        log=log,
        snapshots=snapshots,
        sheet=sheet,
        subtitles=subtitles,
        show=show,
        overwrite=overwrite,
        span=span,
    )
