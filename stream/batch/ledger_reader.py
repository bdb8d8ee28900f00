"""What a ledger says: how many inputs stand where, each of them, and the people who were seen."""

import json
import math
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, get_args

from models.program.printable import printable
from stream.batch.content_key import ContentKey
from stream.batch.contract import State
from stream.batch.ledger_file import one_line_errors, read_ledger
from stream.errors import LedgerError

_LATE_S = 900.0
"""Time before the last end of an input in which the pace is measured, s; more make it steadier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One input.

    Attributes:
        name: what it is called.
        path: its file or folder, or its address without secrets.
        is_named: it is among the sources that the batch was last started with.
        columns: what the user's list says of it.
        state: where it stands.
        attempts: how often it was begun, for what it is now.
        error: why it failed last; empty where it did not.
        frames: frames or pictures that were read.
        faces: faces in them.
        people: how many there were.
        left_out: pictures that could not be read.
        media_s: how much of the video was read, s.
        elapsed_s: how long its last attempt took, s.
        begun_s: when its last attempt was begun, s since 1970; None where it never was.
        ended_s: when that ended.
        worker: which worker it was.
    """

    name: str
    path: str
    is_named: bool
    columns: Mapping[str, str]
    state: State
    attempts: int
    error: str
    frames: int
    faces: int
    people: int
    left_out: int
    media_s: float
    elapsed_s: float
    begun_s: float | None
    ended_s: float | None
    worker: str


@dataclass(frozen=True, slots=True)
class KnownInput:
    """An input by which those that are named now are told.

    Attributes:
        name: what it is called.
        path: its file or folder, or its address without secrets.
        key: what it was when it was begun last; empty where it was not.
        written: its results, absolute paths.
    """

    name: str
    path: str
    key: ContentKey
    written: Sequence[Path] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many inputs stand where, and what those that are done came to.

    Attributes:
        states: how many inputs are in each state, also of those in which none is.
        unnamed: how many of the done ones are no longer named.
        frames: of the done ones.
        people: of the done ones.
        media_s: video of the done ones, s.
        ended_s: when the last attempt ended, s since 1970; None where none has.
        inputs_per_s: how many were done in a second of late.
        media_rate: how much video was done of late, s in a second.
    """

    states: Mapping[State, int]
    unnamed: int = 0
    frames: int = 0
    people: int = 0
    media_s: float = 0.0
    ended_s: float | None = None
    inputs_per_s: float = 0.0
    media_rate: float = 0.0


class LedgerReader:
    """A ledger that is read, also while a batch writes it.

    Args:
        path: the file.

    Raises:
        ConfigError: there is none, or it is of another version.
        LedgerError: it cannot be opened, or is damaged. So may every method.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = self._open()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.path})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> sqlite3.Connection:
        return read_ledger(self.path)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def counts(self) -> Counts:
        """How many inputs stand where."""
        states: dict[State, int] = dict.fromkeys(get_args(State), 0)
        for row in self._rows("SELECT state, count(*) AS inputs FROM inputs GROUP BY state"):
            states[row["state"]] = row["inputs"]
        [sums] = self._rows(
            "SELECT total(named = 0) AS unnamed, total(frames) AS frames, total(people) AS people, "
            "total(media_s) AS media_s FROM inputs WHERE state = 'done'"
        )
        [late] = self._rows(
            "SELECT max(ended_s) AS ended, max(ended_s) - min(begun_s) AS elapsed_s, "
            "count(*) AS inputs, total(media_s) AS media_s FROM inputs WHERE state = 'done' AND "
            "ended_s >= (SELECT max(ended_s) FROM inputs) - ?",
            (_LATE_S,),
        )
        elapsed_s = late["elapsed_s"] or math.inf
        return Counts(
            states=states,
            unnamed=int(sums["unnamed"]),
            frames=int(sums["frames"]),
            people=int(sums["people"]),
            media_s=sums["media_s"],
            ended_s=late["ended"],
            inputs_per_s=late["inputs"] / elapsed_s,
            media_rate=late["media_s"] / elapsed_s,
        )

    def rows(self, state: State | None = None) -> Iterator[LedgerRow]:
        """The inputs in their order, those that are no longer named last; or those in one state."""
        wanted = "" if state is None else "WHERE state = ?"
        given = () if state is None else (state,)
        query = f"SELECT * FROM inputs {wanted} ORDER BY named DESC, place, key"
        for row in self._rows(query, given):
            cells = {name: row[name] for name in LedgerRow.__slots__ if name != "is_named"}
            cells["columns"] = json.loads(row["columns"])
            yield LedgerRow(is_named=bool(row["named"]), **cells)

    def people(self) -> Iterator[tuple[str, Mapping[str, str], dict[str, Any]]]:
        """Everyone who was seen: the name of the input, its columns, and the cells that a table of
        persons has. The inputs come in the order of `rows`.
        """
        query = (
            "SELECT name, columns, cells FROM people JOIN inputs ON input = key "
            "ORDER BY named DESC, place, key, people.rowid"
        )
        for row in self._rows(query):
            yield row["name"], json.loads(row["columns"]), json.loads(row["cells"])

    def attributes(self) -> dict[str, list[str]]:
        """The attributes of the labels of all people, each with its classes."""
        rows = self._rows("SELECT name, classes FROM attributes ORDER BY rowid")
        return {row["name"]: json.loads(row["classes"]) for row in rows}

    def known(self) -> Iterator[KnownInput]:
        """What each input is called, where it was, and what it was when it was begun."""
        for row in self._rows("SELECT name, path, stamp, content, written FROM inputs"):
            self._inside(row["name"])
            written = tuple(
                Path(os.path.abspath(self._inside(path))) for path in json.loads(row["written"])
            )
            key = ContentKey(row["stamp"], row["content"])
            yield KnownInput(row["name"], row["path"], key, written)

    def _inside(self, path: str) -> Path:
        """Where something stands whose path the ledger has; it lies beside the ledger or below.

        Raises:
            LedgerError: it does not: this program did not write that.
        """
        if os.path.isabs(path) or ".." in Path(path).parts:
            raise LedgerError(
                f"{self.path} is damaged: it names {printable(path)}, which lies elsewhere: choose "
                "another folder for --out"
            )
        return self.path.parent / path

    def _rows(self, query: str, given: Sequence[Any] = ()) -> Iterator[sqlite3.Row]:
        with one_line_errors(self.path):
            yield from self._db.execute(query, given)
