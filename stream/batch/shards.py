"""Shards: parts of a batch that processes do apart from one another, each with its own ledger."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Self

from stream.batch.sources import path_of
from stream.errors import ConfigError
from stream.several.listing import NamedSource
from stream.several.naming import own_name
from stream.sources.pictures import natural_order

_LEDGER = "ledger"
"""What the names of ledgers begin with."""

_LEDGER_NAME = re.compile(r"ledger(?:-\d+-of-(\d+))?\.sqlite")
"""The name of a ledger."""

_SHARD = re.compile(r"(\d{1,6})/(\d{1,6})")
"""How a shard is named: `2/8`."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several parts of a batch, each of which a process of its own does.

    Attributes:
        number: from 1 on.
        count: how many there are; 1 where the batch is not divided.
    """

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """The shard that an option names, such as `2/8`; the whole batch without one.

        Raises:
            ConfigError: it names none.
        """
        if text is None:
            return cls()
        match = _SHARD.fullmatch(text.strip())
        number, count = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 1 <= number <= count:
            raise ConfigError(f"--shard {text}: write it as i/n with i from 1 to n, as in 2/8")
        return cls(number, count)

    @property
    def suffix(self) -> str:
        """What its files have in their names: `-2-of-8`; nothing where the batch is whole."""
        return f"-{self.number}-of-{self.count}" if self.count > 1 else ""

    @property
    def suffixes(self) -> list[str]:
        """Those of all the shards beside it and of its own."""
        return [Shard(number, self.count).suffix for number in range(1, self.count + 1)]

    def ledger_path(self, folder: Path) -> Path:
        """Its ledger in the folder that everything is written into."""
        return folder / f"{_LEDGER}{self.suffix}.sqlite"

    def has(self, source: NamedSource) -> bool:
        """Whether an input is of it. That depends on no other input, so that more may come."""
        name = str(own_name(source)) if source.root is not None else path_of(source)
        digest = hashlib.sha256(os.fsencode(PurePath(name).as_posix())).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1


def ledgers_in(folder: Path) -> list[Path]:
    """The ledgers of a batch, of all its shards, in order."""
    found = (each for each in _entries(folder) if _LEDGER_NAME.fullmatch(each.name))
    return sorted(found, key=natural_order)


def ledgers_of_batch(folder: Path) -> list[Path]:
    """The same of a folder that must be that of a batch.

    Raises:
        ConfigError: it has none.
    """
    if not (paths := ledgers_in(folder)):
        raise ConfigError(f"{folder} holds no ledger of a batch: name the folder of its --out")
    return paths


def check_division(folder: Path, shard: Shard) -> None:
    """Checks that a batch goes on in the parts in which it was begun, or inputs would be done
    twice.

    Raises:
        ConfigError: it was divided otherwise.
    """
    for path in ledgers_in(folder):
        match = _LEDGER_NAME.fullmatch(path.name)
        count = int(match[1] or 1) if match else 1
        if count != shard.count:
            begun = f"in {count} shards" if count > 1 else "without --shard"
            raise ConfigError(
                f"{path.name} shows that {folder} was begun {begun}: go on so, or choose another "
                "folder for --out"
            )


def _entries(folder: Path) -> list[Path]:
    """What is in a folder; nothing where it is not there yet."""
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []
