"""Where a batch stands, over all its shards: what `status` shows and what a batch ends with."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from models.program.locks import is_held
from stream.batch.ledger_reader import Counts, LedgerReader, LedgerRow
from stream.batch.progress import amount, duration
from stream.batch.shards import ledgers_of_batch


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a batch stands.

    Attributes:
        counts: of each ledger.
        failures: the inputs that have failed.
        at_work: how many processes are at work on it now, one a ledger.
    """

    counts: Sequence[Counts]
    failures: Sequence[LedgerRow]
    at_work: int = 0

    @classmethod
    def of(cls, ledgers: Sequence[LedgerReader], at_work: int = 0) -> "Standing":
        """Where the batch of these ledgers stands.

        Raises:
            LedgerError: one cannot be read.
        """
        failures = [row for each in ledgers for row in each.rows("failed")]
        return cls([each.counts() for each in ledgers], failures, at_work)

    @property
    def states(self) -> Counter[str]:
        """How many inputs are in each state."""
        states: Counter[str] = Counter()
        for each in self.counts:
            states.update(each.states)
        return states

    def lines(self) -> Iterator[str]:
        """The same for people."""
        states = self.states
        parts = [f"{states[name]:,} {name}" for name in states if states[name]]
        unnamed = sum(each.unnamed for each in self.counts)
        if unnamed:
            parts.append(f"{unnamed:,} of the done ones no longer named")
        yield f"{amount(states.total(), 'input')}: {', '.join(parts) or 'none'}"
        yield self._came_to()
        if self.at_work and (left := states["waiting"] + states["running"]):
            yield from self._pace(left)
        if states["running"] and not self.at_work:
            yield (
                f"no batch is at work: {amount(states['running'], 'input')} that it was at will be "
                "done again"
            )

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON has it."""
        ended = self._ended_s()
        return {
            "inputs": self.states.total(),
            **self.states,
            "unnamed": sum(each.unnamed for each in self.counts),
            "frames": sum(each.frames for each in self.counts),
            "people": sum(each.people for each in self.counts),
            "media_s": round(sum(each.media_s for each in self.counts), 3),
            "at_work": self.at_work,
            "inputs_per_s": round(sum(each.inputs_per_s for each in self.counts), 4),
            "media_rate": round(sum(each.media_rate for each in self.counts), 2),
            "last_end": None if ended is None else _local(ended).isoformat(),
            "failures": [
                {"input": row.name, "error": row.error, "attempts": row.attempts}
                for row in self.failures
            ],
        }

    def _came_to(self) -> str:
        media_s = sum(each.media_s for each in self.counts)
        people = sum(each.people for each in self.counts)
        frames = sum(each.frames for each in self.counts)
        words = [amount(people, "person", "people"), amount(frames, "frame")]
        if media_s:
            words.insert(1, f"{duration(media_s)} of video")
        if (ended_s := self._ended_s()) is not None:
            words.append(f"last one done at {_local(ended_s):%Y-%m-%d %H:%M:%S}")
        return " · ".join(words)

    def _pace(self, left: int) -> Iterator[str]:
        """How fast inputs were done of late, and when none is left if it goes on so."""
        media_rate = sum(each.media_rate for each in self.counts)
        inputs_per_s = sum(each.inputs_per_s for each in self.counts)
        if inputs_per_s:
            video = f", {media_rate:.1f}× real time" if media_rate else ""
            pace = f"{60 * inputs_per_s:.1f} inputs a minute{video}"
            yield f"{pace} · {duration(left / inputs_per_s)} left"

    def _ended_s(self) -> float | None:
        return max((each.ended_s for each in self.counts if each.ended_s is not None), default=None)


def standing_in(folder: Path) -> Standing:
    """Where the batch in a folder stands, read from the ledgers of all its shards.

    Raises:
        ConfigError: there is no ledger, or one of another version.
        LedgerError: one cannot be read.
    """
    paths = ledgers_of_batch(folder)
    with ExitStack() as stack:
        ledgers = [stack.enter_context(LedgerReader(path)) for path in paths]
        return Standing.of(ledgers, at_work=sum(map(is_held, paths)))


def _local(time_s: float) -> datetime:
    """A time, s since 1970, in the zone of this machine."""
    return datetime.fromtimestamp(round(time_s)).astimezone()
