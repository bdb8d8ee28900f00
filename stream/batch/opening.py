"""Opens a batch: its folder, the lock that keeps other batches from it, its inputs, its ledger."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from models.classification.bundle import read_manifest
from models.program.locks import LockedError, UnusableLockError, locked
from stream.batch.copies import Copies
from stream.batch.inputs import named_inputs
from stream.batch.ledger import Enrolment, Ledger
from stream.batch.ledger_reader import KnownInput, LedgerReader
from stream.batch.settings_digest import settings_digest
from stream.batch.shards import Shard, check_division, ledgers_in, ledgers_of_batch
from stream.batch.sources import batch_sources
from stream.batch.tables import TABLES, check_columns
from stream.errors import ConfigError, SinkError
from stream.settings import Config
from stream.several.preparation import made_folders
from stream.sinks import Outputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a user asks a batch for.

    Attributes:
        named: the sources, as they are named.
        folder: that which everything is written into.
        config: the settings.
        outputs: what is written of each input, each the folder.
        shard: the part of it that is done here.
        limit: how many inputs are begun at most; None for all.
        copies: where results are put too; None for nowhere.
    """

    named: Sequence[str]
    folder: Path
    config: Config
    outputs: Outputs
    shard: Shard
    limit: int | None = None
    copies: Copies | None = None


@contextmanager
def opened_batch(order: Order, *, is_trial: bool = False) -> Iterator[tuple[Ledger, Enrolment]]:
    """The ledger of a batch, with all its inputs in it, and what became of them.

    What is asked wrongly leaves nothing behind: the ledger comes last.

    Args:
        order: what is asked for.
        is_trial: nothing is written at all.

    Raises:
        ConfigError: something is asked wrongly, or another batch is at work in the folder.
        SourceError: a source that is named is not there.
        ModelError: the model cannot be read.
        SinkError: the folder cannot be made or written into.
        LedgerError: the ledger cannot be opened.
    """
    recorder = order.config.recorder
    if recorder.is_divided:
        raise ConfigError(
            "recorder.segment_s and recorder.only_with_faces divide recordings, and a batch writes "
            "one file of each input: set them to 0 and false"
        )
    path = order.shard.ledger_path(order.folder)
    with ExitStack() as stack:
        if not is_trial:
            stack.enter_context(held(path))
        check_division(order.folder, order.shard)
        known = _known(order.folder)
        written = {path for each in known for path in each.written}
        sources = batch_sources(order.named, order.folder, written)
        manifest = read_manifest(order.config.engine.model_folder)
        attributes = {head.attribute: head.classes for head in manifest.attributes}
        check_columns({name for each in sources for name in each.columns}, attributes)
        taken = [f"{name}{suffix}" for name in TABLES for suffix in order.shard.suffixes]
        inputs = named_inputs(sources, order.outputs, order.config, known, taken)
        own = [each for each in inputs if order.shard.has(each.source)]
        digest = settings_digest(order.config, _options(order))
        if not is_trial:
            for folder in sorted({path.parent for each in own for path in each.outputs.paths}):
                with suppress(SinkError):  # what goes there fails alone, when its turn comes
                    stack.enter_context(made_folders([folder]))
        ledger = stack.enter_context(Ledger(path, is_trial=is_trial))
        yield ledger, ledger.enroll(own, digest, order.limit)


@contextmanager
def held(ledger_path: Path) -> Iterator[None]:
    """Keeps other batches from a ledger until its end; its folder is made where it is missing, and
    goes again if it stays empty.

    Raises:
        ConfigError: another batch has it.
        SinkError: the folder cannot be made or written into.
    """
    folder = ledger_path.parent
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"--out {folder} is a file: name a folder")
    with made_folders([folder]), ExitStack() as stack:
        try:
            stack.enter_context(locked(ledger_path))
        except UnusableLockError as error:
            raise ConfigError(str(error)) from None
        except LockedError:
            raise ConfigError(
                f"{folder} is in use by another batch: wait for its end, or choose another folder "
                "for --out"
            ) from None
        except OSError as error:
            raise SinkError(f"nothing can be written into {folder}: {error.strerror}") from error
        yield


def _known(folder: Path) -> list[KnownInput]:
    """The inputs that the ledgers in a folder know."""
    known: list[KnownInput] = []
    for path in ledgers_in(folder):
        with LedgerReader(path) as ledger:
            known += ledger.known()
    return known


def _options(order: Order) -> dict[str, bool | str]:
    """What is written, and where else it is put, for the digest."""
    names = ("save", "log", "snapshots", "sheet", "subtitles")
    written = {name: getattr(order.outputs, name) is not None for name in names}
    return {**written, "copy_to": "" if order.copies is None else order.copies.shown}


def free_failed(folder: Path) -> int:
    """Lets the inputs that failed wait again, in all shards of a batch; how many there are.

    Raises:
        ConfigError: there is no ledger, or a batch is at work in the folder.
        LedgerError: a ledger cannot be written.
    """
    paths = ledgers_of_batch(folder)
    with ExitStack() as stack:
        for path in paths:
            stack.enter_context(held(path))
        return sum(stack.enter_context(Ledger(path)).retry() for path in paths)
