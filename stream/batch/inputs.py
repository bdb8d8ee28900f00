"""The inputs of a batch: its sources, each with a name that it keeps, and with its outputs."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath

from stream.addresses import is_url
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
    3. A name of which nothing was written is given to another.
    4. Any other is called as `source_names` has it, with a number where that name is taken.

    Args:
        sources: those that are named now.
        outputs: each of them the folder that is written into.
        config: says in which form outputs are written.
        known: the inputs that the ledgers know.
        taken: names that no input gets: of files that the batch itself writes.

    Raises:
        ConfigError: an output would take the place of a source.
    """
    fresh = source_names([each.source for each in sources])
    absent, kept = _kept([each.source for each in sources], fresh, list(known))
    order = sorted(range(len(sources)), key=lambda index: index not in kept)
    named = outputs_of_names(
        outputs,
        [sources[index].source for index in order],
        [kept.get(index, fresh[index]) for index in order],
        config,
        taken=map(PurePath, [*absent, *taken]),
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


def _kept(
    sources: Sequence[NamedSource], fresh: Sequence[PurePath], known: Sequence[KnownInput]
) -> tuple[set[str], dict[int, PurePath]]:
    """The names of known inputs that are no longer named, and the names that sources keep, by
    their places.
    """
    by_name = {each.name: each for each in known}
    by_path: dict[str, list[str]] = {}
    for each in known:  # several addresses may be one, once their secrets are left out
        by_path.setdefault(each.path, []).append(each.name)
    kept: dict[int, PurePath] = {}
    for index, source in enumerate(sources):
        if names := by_path.get(path_of(source)):
            kept[index] = PurePath(names.pop(0))
            by_name.pop(kept[index].as_posix(), None)
    for index, source in enumerate(sources):
        same = by_name.get(fresh[index].as_posix())
        if index not in kept and same is not None and _takes_place(source, same):
            del by_name[same.name]
            kept[index] = PurePath(same.name)
    return set(by_name), kept


def _takes_place(source: NamedSource, known: KnownInput) -> bool:
    """Whether a source takes the place of an input that is not named by its path now."""
    is_gone = not is_url(known.path) and not os.path.lexists(known.path)
    return not known.written or (is_gone and is_unchanged(source, known.key))


def _check_places(inputs: Sequence[Input]) -> None:
    """Checks that no output takes the place of a source."""
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
