"""The sources that a caller of the library means: one, or several one after another."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from models.pictures import is_single_picture
from stream.addresses import is_url
from stream.errors import ConfigError
from stream.sources.contract import Source
from stream.sources.pictures import natural_order

AnySource: TypeAlias = str | int | os.PathLike[str] | Source
"""What `face-stream run` takes, or a source that is open already."""


def listed_sources(given: AnySource | Iterable[AnySource]) -> list[str | Source]:
    """The sources, in the order in which they are annotated. Of each that is given:

    1. a source that is open already: itself
    2. a pattern that names a file which is no picture: each file on its own, 2 before 10
    3. anything else: one source by its name

    Raises:
        ConfigError: there are none, or something cannot be a source.
    """
    several = given if isinstance(given, list | tuple | set | Iterator) else [given]
    sources = [each for one in several for each in _of_one(one)]
    if not sources:
        raise ConfigError("the list of sources is empty: name one")
    return sources


def _of_one(given: object) -> list[Any]:
    if isinstance(given, str | int | os.PathLike):
        return _files_of_pattern(str(given)) or [str(given)]
    if hasattr(given, "frames") and hasattr(given, "close"):
        return [given]
    raise ConfigError(
        "a source is a path, an address, a camera's number or a source that is open, or a list of "
        f"these; not of type {type(given).__name__}"
    )


def _files_of_pattern(name: str) -> list[str]:
    """The files of a pattern, where not all are pictures: those are one source together."""
    if not glob.has_magic(name) or os.path.lexists(name) or is_url(name):
        return []
    files = [path for path in map(Path, glob.glob(name, recursive=True)) if path.is_file()]
    if all(map(is_single_picture, files)):
        return []
    return list(map(str, sorted(files, key=natural_order)))
