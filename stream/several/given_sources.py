"""The sources that a caller of the library means: names, sources that are open, or both."""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeAlias

from stream.errors import ConfigError
from stream.settings import Config
from stream.several.listing import NamedSource, list_sources, open_named
from stream.sources import WHOLE, Source, Span
from stream.sources.span import check_span

AnySource: TypeAlias = str | int | os.PathLike[str] | Source
"""What `face-stream run` takes, or a source that is open already."""


def listed_sources(given: AnySource | Iterable[AnySource]) -> list[NamedSource | Source]:
    """The sources, in the order in which they are annotated; names mean what they mean in a run.

    Raises:
        ConfigError: there are none, or something cannot be a source.
    """
    several = given if isinstance(given, list | tuple | set | Iterator) else [given]
    sources: list[NamedSource | Source] = []
    for are_names, group in groupby(map(_checked, several), lambda each: isinstance(each, str)):
        neighbours = list(group)
        sources += list_sources(neighbours) if are_names else neighbours
    if not sources:
        raise ConfigError("the list of sources is empty: name one")
    return sources


def open_given(source: NamedSource | Source, config: Config, span: Span = WHOLE) -> Source:
    """A source that is open, of which only a part is read if that is asked for.

    Raises:
        SourceError: it cannot be opened.
        ConfigError: a part is asked for of what has none; it is closed.
    """
    check_span(span)
    if isinstance(source, NamedSource):
        return open_named(source, config, span)
    if span != WHOLE:
        source.close()
        raise ConfigError("a source that is open already has its span: give it to open_source")
    return source


def open_alone(
    sources: Sequence[NamedSource | Source], config: Config, span: Span = WHOLE
) -> Source:
    """The only source of a run; see `open_given`.

    Raises:
        ConfigError: it is not the only one, or a part is asked for of what has none; those that are
            open are closed.
    """
    if len(sources) == 1:
        return open_given(sources[0], config, span)
    for each in sources:
        if not isinstance(each, NamedSource):
            each.close()
    raise ConfigError(
        "several sources are processed by their names, and one that is open already alone: "
        "call process for each"
    )


def _checked(given: object) -> Any:
    """A name, or a source that is open."""
    if isinstance(given, str | int | os.PathLike):
        return str(given)
    if hasattr(given, "frames") and hasattr(given, "close"):
        return given
    raise ConfigError(
        "a source is a path, an address, a camera's number or a source that is open, or a list of "
        f"these; not of type {type(given).__name__}"
    )
