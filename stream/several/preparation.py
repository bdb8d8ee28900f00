"""What is done before the first of several sources: folders are made, and outputs are checked."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from stream.errors import ConfigError, SinkError
from stream.frames import SourceInfo, SourceKind
from stream.settings import Config
from stream.several.listing import NamedSource
from stream.sinks import Outputs
from stream.sinks.claims import check_outputs

_ANY_SIZE_WH = (1, 1)
"""The size of a source that is not open yet: no check depends on it."""


@contextmanager
def prepared(
    sources: Sequence[NamedSource], outputs: Sequence[Outputs], config: Config
) -> Iterator[None]:
    """Makes the folders of all outputs and checks the outputs; folders that stay empty go again.

    So what is asked wrongly of a source is said before the first one is annotated, and nothing is
    left of it.

    Args:
        sources: of the run.
        outputs: those of each.
        config: says how videos are written.

    Raises:
        ConfigError: an output cannot be written as it is asked for, or is one of the sources.
        SinkError: a folder cannot be made.
    """
    inputs = {os.path.realpath(path): path for each in sources for path in _files(each)}
    with made_folders(path.parent for own in outputs for path in own.paths):
        for source, own in zip(sources, outputs, strict=True):
            for path in own.paths:
                if (read := inputs.get(os.path.realpath(path))) is not None:
                    raise ConfigError(f"{path} would overwrite {read}, which is read: name another")
            kind: SourceKind = "pictures" if source.form == "pictures" else "video"
            check_outputs(own, SourceInfo(source.uri, kind, _ANY_SIZE_WH), config)
        yield


@contextmanager
def made_folders(folders: Iterable[Path]) -> Iterator[None]:
    """Makes folders with those above them; each that is empty in the end is removed.

    Raises:
        SinkError: one cannot be made.
    """
    with ExitStack() as made:
        for folder in folders:
            _make_folder(folder, made)
        yield


def _files(source: NamedSource) -> tuple[Path, ...]:
    """The files that are read, as far as they are named."""
    if source.pictures:
        return source.pictures
    return (Path(source.uri),) if source.form == "file" else ()


def _make_folder(folder: Path, made: ExitStack) -> None:
    """Makes a folder with those above it, and notes those that it made."""
    missing = []
    while not os.path.exists(folder):  # that takes any name, also one that is too long
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        try:
            each.mkdir(exist_ok=True)
        except OSError as error:
            raise SinkError(f"{each} cannot be made: {error.strerror}") from error
        made.callback(_remove_empty, each)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
