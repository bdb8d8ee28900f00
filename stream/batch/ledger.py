"""The ledger: where each input of a batch stands, kept in a file so that the batch can go on.

The process that was started opens it, and no other; workers report to that process.
"""

import json
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from models.program.printable import printable
from stream.addresses import masked_words
from stream.batch.content_key import ContentKey, content_key, is_unchanged
from stream.batch.contract import Input, Result, State
from stream.batch.ledger_file import Change, changing, close_ledger, copy_ledger, open_ledger
from stream.batch.ledger_reader import LedgerReader
from stream.batch.leftovers import is_there
from stream.batch.sources import path_of
from stream.people import Person
from stream.sinks.data.tables import person_row

_NOT_BEGUN = "state = 'waiting', attempts = max(attempts - 1, 0), begun_s = NULL, worker = ''"
"""What is set of an input that does not run any more, through no fault of its own."""

_Fate: TypeAlias = Literal["new", "changed", "waiting", "done", "failed"]
"""What becomes of an input that is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What became of the inputs that are named now.

    Attributes:
        new: inputs that the ledger did not know.
        changed: inputs that are done again: they or the settings have changed.
        waiting: inputs that waited already.
        done: inputs that are done.
        failed: inputs that have failed and stay so.
    """

    new: int = 0
    changed: int = 0
    waiting: int = 0
    done: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An input that is begun.

    Attributes:
        key: its row.
        input: what is to be done.
        attempt: 1 for the first.
        leftovers: what earlier attempts may have left of it; the caller removes that first.
        own: what this attempt may leave too. What was there before the first is not among it.
    """

    key: int
    input: Input
    attempt: int
    leftovers: Sequence[Path] = ()
    own: Sequence[Path] = ()


class Ledger(LedgerReader):
    """A ledger that is written. It stands in the folder that everything is written into.

    Args:
        path: the file, which is made where it is missing.
        is_trial: nothing is kept: the ledger is a copy in memory.
        clock: seconds since 1970.

    Raises:
        ConfigError: the file is no ledger, or of another version.
        LedgerError: it cannot be opened, or is damaged. So may every method.
    """

    def __init__(
        self, path: Path, *, is_trial: bool = False, clock: Callable[[], float] = time.time
    ) -> None:
        self._is_trial = is_trial
        self._clock = clock
        self._inputs: dict[int, Input] = {}
        self._limit: int | None = None
        self._begun = set[int]()
        super().__init__(path)
        self._known_attributes = self.attributes()

    def _open(self) -> sqlite3.Connection:
        return copy_ledger(self.path) if self._is_trial else open_ledger(self.path)

    def close(self) -> None:
        """Closes the file; what runs still is taken up by the next start."""
        close_ledger(self._db)

    def enroll(self, inputs: Sequence[Input], digest: str, limit: int | None = None) -> Enrolment:
        """Enters the inputs that are named now, and compares those that are known already.

        1. A new one waits.
        2. One that has changed, or that was done with other settings, waits again.
        3. One that a killed batch was at waits again, as if it had not been begun.
        4. One that is done stays done, and one that has failed failed.
        5. What is no longer named stays as it is if it is done, and is skipped if it is not.

        Args:
            inputs: in the order in which they are done; their names differ.
            digest: of the settings and the model.
            limit: how many of them are begun at most until the ledger is closed; None for all.
        """
        self._limit = limit
        fates: Counter[_Fate] = Counter()
        with changing(self._db, self.path, is_short=False) as change:
            change("UPDATE inputs SET named = 0")
            change(f"UPDATE inputs SET {_NOT_BEGUN} WHERE state = 'running'")
            for place, each in enumerate(inputs):
                fates[self._enroll(change, each, place, digest)] += 1
            change("UPDATE inputs SET state = 'skipped' WHERE named = 0 AND state != 'done'")
        return Enrolment(**{str(fate): count for fate, count in fates.items()})

    def take(self) -> Taken | None:
        """Begins the next input that waits; None where none does. Of those the inputs that have
        failed before come last.
        """
        with changing(self._db, self.path) as change:
            row = change(
                "SELECT key, attempts, planned, written FROM inputs WHERE state = 'waiting' "
                "AND attempts >= ? ORDER BY attempts, place LIMIT 1",
                int(self._is_exhausted),
            ).fetchone()
            if row is None:
                return None
            self._begun.add(row["key"])
            known = content_key(self._inputs[row["key"]].source)
            earlier = json.loads(row["written"])
            planned = [each for each in json.loads(row["planned"]) if each not in earlier]
            written = earlier + [each for each in planned if not is_there(self._inside(each))]
            change(
                "UPDATE inputs SET state = 'running', attempts = attempts + 1, error = '', "
                "stamp = ?, content = ?, written = ?, begun_s = ?, ended_s = NULL, worker = '' "
                "WHERE key = ?",
                *(known.stamp, known.content, json.dumps(written), self._clock(), row["key"]),
            )
            change("DELETE FROM people WHERE input = ?", row["key"])
        own = [self._inside(path) for path in written]
        return Taken(
            key=row["key"],
            input=self._inputs[row["key"]],
            attempt=row["attempts"] + 1,
            leftovers=own if earlier else [],
            own=own,
        )

    @property
    def to_do(self) -> int:
        """How many inputs are begun, or begun again, until none waits or the limit is reached."""
        waiting = self.counts().states["waiting"]
        return waiting if self._limit is None else min(waiting, self._limit - len(self._begun))

    @property
    def _is_exhausted(self) -> bool:
        """Whether only inputs that have failed once are begun any more."""
        return self._limit is not None and len(self._begun) >= self._limit

    def finish(self, result: Result, retries: int) -> State:
        """Enters what a running input came to.

        Args:
            result: of all of it.
            retries: how often an input that fails is tried again.

        Returns:
            Where it stands now: done, waiting to be tried again, or failed.
        """
        summary, error = result.summary, printable(result.error)
        if result.key in self._inputs and self._inputs[result.key].source.is_live:
            error = masked_words(error)
        with changing(self._db, self.path) as change:
            row = change("SELECT attempts FROM inputs WHERE key = ?", result.key).fetchone()
            state: State = "done"
            if result.error:
                state = "waiting" if row["attempts"] <= retries else "failed"
            change(
                "UPDATE inputs SET state = ?, error = ?, frames = ?, faces = ?, people = ?, "
                "left_out = ?, media_s = ?, elapsed_s = ?, ended_s = ?, worker = ?, "
                "written = iif(? = 'done', planned, written) WHERE key = ?",
                *(state, error, summary.get("frames", 0)),
                *(summary.get("faces", 0), summary.get("people", 0)),
                *(sum(summary.get("skipped", {}).values()), result.media_s, result.elapsed_s),
                *(self._clock(), result.worker, state, result.key),
            )
            if state == "done":
                self._enter_people(change, result.key, result.people)
        return state

    def release(self, key: int) -> None:
        """Lets a running input wait again, as if it had not been begun: it was not its fault."""
        with changing(self._db, self.path) as change:
            change(f"UPDATE inputs SET {_NOT_BEGUN} WHERE key = ? AND state = 'running'", key)

    def retry(self) -> int:
        """Lets all inputs that failed wait again; how many there are."""
        with changing(self._db, self.path) as change:
            return change(
                "UPDATE inputs SET state = 'waiting', attempts = 0 WHERE state = 'failed'"
            ).rowcount

    def _enroll(self, change: Change, given: Input, place: int, digest: str) -> _Fate:
        """Enters one input; what becomes of it."""
        name, path = _text(given.name), _text(path_of(given.source))
        named = change("SELECT * FROM inputs WHERE name = CAST(? AS TEXT)", name)
        folder = self.path.parent
        planned = json.dumps([os.path.relpath(path, folder) for path in given.outputs.paths])
        columns = json.dumps(dict(given.columns))
        if (known := named.fetchone()) is None:
            entered = change(
                "INSERT INTO inputs (name, path, place, columns, digest, planned) "
                "VALUES (CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?, ?)",
                *(name, path, place, columns, digest, planned),
            )
            self._inputs[entered.lastrowid or 0] = given
            return "new"
        self._inputs[known["key"]] = given
        fate = _fate(known, given, digest)
        change(
            "UPDATE inputs SET path = CAST(? AS TEXT), place = ?, named = 1, columns = ?, "
            "planned = ? WHERE key = ?",
            *(path, place, columns, planned, known["key"]),
        )
        if fate in ("changed", "waiting"):
            change(
                "UPDATE inputs SET state = 'waiting', attempts = 0, error = '', digest = ? "
                "WHERE key = ?",
                *(digest, known["key"]),
            )
        return fate

    def _enter_people(self, change: Change, key: int, people: Sequence[Person]) -> None:
        """Enters those who were seen in an input, and classes that no one before had."""
        change("DELETE FROM people WHERE input = ?", key)
        for person in people:
            cells = json.dumps(person_row(person))
            change("INSERT INTO people (input, cells) VALUES (?, ?)", key, cells)
            for name, label in person.labels.items():
                known = self._known_attributes.setdefault(name, [])
                if further := [each for each in label.probabilities if each not in known]:
                    known += further
                    change(
                        "INSERT INTO attributes VALUES (?, ?) ON CONFLICT DO UPDATE "
                        "SET classes = excluded.classes",
                        *(name, json.dumps(known)),
                    )


def _fate(known: sqlite3.Row, given: Input, digest: str) -> _Fate:
    """What becomes of an input that the ledger knows."""
    state: State = known["state"]
    if state not in ("done", "failed"):
        return "waiting"
    was = ContentKey(known["stamp"], known["content"])
    if known["digest"] != digest or not is_unchanged(given.source, was):
        return "changed"
    return state


def _text(text: str) -> bytes:
    """A name as the ledger keeps it, also one that is no UTF-8."""
    return text.encode(errors="surrogateescape")
