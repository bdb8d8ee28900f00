"""Copies of results in a store: each file is put whole, by the worker that has written it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from stream.addresses import shown_address
from stream.batch.leftovers import with_tables
from stream.errors import ConfigError, SinkError
from stream.stores import file_system, is_stored, put_stored, shown_stored, translated


@dataclass(frozen=True, slots=True)
class Copies:
    """Where results are put once they are complete, beside the folder of the batch.

    Attributes:
        folder: that of the batch, absolute.
        address: what it is in the store; its files have the same names below it.
    """

    folder: Path
    address: str = field(repr=False)  # it may hold a password

    @classmethod
    def ordered(cls, address: str, folder: Path) -> "Copies":
        """Those that a user asks for.

        Raises:
            ConfigError: nothing can be put at such an address.
        """
        if not is_stored(address):
            raise ConfigError(
                f"--copy-to {shown_address(address)}: give an address such as s3://bucket/folder; "
                "it needs the extra `cluster`: install face-stream[cluster]"
            )
        name = shown_stored(address)
        try:
            translated(name, lambda: file_system(address), SinkError, "opened")
        except SinkError as error:
            raise ConfigError(f"--copy-to {error}") from None
        return cls(folder.absolute(), address.rstrip("/"))

    @property
    def shown(self) -> str:
        """The address as it may be shown and kept."""
        return shown_stored(self.address)

    def put(self, outputs: Iterable[Path]) -> None:
        """Puts what was written of an input; what has its names in the store is replaced.

        Args:
            outputs: files and folders; a log stands for the tables beside it too.

        Raises:
            SinkError: a file cannot be put.
        """
        for path in (each for output in outputs for each in _files(output)):
            below = path.absolute().relative_to(self.folder)
            put_stored(path, self.address, below.as_posix())


def _files(output: Path) -> Iterator[Path]:
    """The files of an output that are there, without locks."""
    found = sorted(output.rglob("*")) if output.is_dir() else with_tables(output)
    yield from (each for each in found if each.is_file() and not each.name.startswith("."))
