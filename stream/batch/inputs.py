"""The inputs of a batch: its sources, each with a name that it keeps, and with its outputs."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath

from stream.batch.content_key import is_unchanged
from stream.batch.contract import Input
from stream.batch.ledger_reader import KnownInput
from stream.batch.sources import BatchSource, path_of
from stream.errors import ConfigError
from stream.settings import Config
from stream.several.listing import NamedSource
from stream.several.naming import outputs_of_names, source_names
from stream.sinks import Outputs


def named_inputs(
    sources: Sequence[BatchSource],
    outputs: Outputs,
    config: Config,
    known: Iterable[KnownInput],
    taken: Iterable[str] = (),
) -> list[Input]:
    """The inputs of a batch, each with a name of its own and with its outputs.

    1. One that a ledger knows by its path keeps its name, whatever is named beside it now.
    2. So does one that was moved: nothing is left in its place, and it is what it was.
    3. Any other is called as `source_names` has it, with a number where that name is taken.

    Args:
        sources: those that are named now.
        outputs: each of them the folder that is written into.
        config: says in which form outputs are written.
        known: the inputs that the ledgers know.
        taken: names that no input gets: of files that the batch itself writes.

    Raises:
        ConfigError: an output would take the place of a source.
    """
    known = list(known)
    by_path = {each.path: each for each in known if not each.is_address}
    by_name = {each.name: each for each in known}
    kept: dict[int, PurePath] = {}
    fresh = source_names([each.source for each in sources])
    for index, each in enumerate(sources):
        row = by_path.get(path_of(each.source))
        if row is None:
            row = by_name.get(fresh[index].as_posix())
            if row is not None and not _is_moved(each.source, row):
                row = None
        if row is not None:
            kept[index] = PurePath(row.name)
            by_name.pop(row.name, None)  # of two that are alike the first was moved
    order = sorted(range(len(sources)), key=lambda index: index not in kept)
    named = outputs_of_names(
        outputs,
        [sources[index].source for index in order],
        [kept.get(index, fresh[index]) for index in order],
        config,
        taken=map(PurePath, [*by_name, *taken]),
    )
    inputs = {
        index: Input(
            name=name.as_posix(),
            source=sources[index].source,
            outputs=own,
            columns=sources[index].columns,
        )
        for index, (name, own) in zip(order, named, strict=True)
    }
    ordered = [inputs[index] for index in range(len(sources))]
    _check_places(ordered)
    return ordered


def _is_moved(source: NamedSource, known: KnownInput) -> bool:
    """Whether a source is one that a ledger knows by another path."""
    if known.is_address or source.is_live:
        return known.is_address and source.is_live and path_of(source) == known.path
    is_gone = not os.path.lexists(known.path)
    return is_gone and (not known.key.stamp or is_unchanged(source, known.key))


def _check_places(inputs: Sequence[Input]) -> None:
    """Checks that no output takes the place of a source, or lies in one that is a folder."""
    read = dict[str, Path]()
    for each in inputs:
        for path in _files(each.source):
            read[os.path.realpath(path)] = path
    for each in inputs:
        for path in each.outputs.paths:
            if (source := read.get(os.path.realpath(path))) is not None:
                raise ConfigError(
                    f"{path} would overwrite {source}, which is read: choose another folder for "
                    "--out"
                )


def _files(source: NamedSource) -> Iterator[Path]:
    """The files that are read of a source."""
    if source.pictures:
        yield from source.pictures
    elif not source.is_live:
        yield Path(source.uri)
