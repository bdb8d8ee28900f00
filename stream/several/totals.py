"""What several sources came to: the summary of each, and one over all."""

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from models.program.printable import counted
from stream.controls import RunReport
from stream.several.listing import NamedSource
from stream.summary import Summary


class Totals(Summary):
    """The sum of the summaries of several sources.

    Args:
        count: how many sources there are.
        clock: the monotonic clock, s.

    Attributes:
        summaries: of the sources that are done, each with its source, in the order of their ends.
        saved: pictures of all of them that the user saved.
    """

    name = "totals"

    def __init__(self, count: int, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(report := RunReport())
        self.saved = report.outputs  # the line over all names these, that of each source its own
        self.summaries: list[tuple[NamedSource, Summary]] = []
        self._count_of_sources = count
        self._clock = clock
        self._begun_s = clock()
        self._ended_s: float | None = None

    def __repr__(self) -> str:
        return f"Totals({len(self.summaries)} of {self._count_of_sources} sources)"

    def add_source(self, source: NamedSource, summary: Summary) -> None:
        """Adds what a source came to."""
        self.add(summary)
        self.summaries.append((source, summary))
        self.failures.extend(of_source(source, each) for each in summary.failures)

    def expect(self, count: int) -> None:
        """Says how many sources there are, where more have come."""
        self._count_of_sources = count

    def so_far(self, going: Sequence[tuple[NamedSource, Summary]]) -> dict[str, Any]:
        """The sum as JSON has it, with what sources have come to that are not done."""
        whole = Totals(self._count_of_sources, self._clock)
        whole._begun_s = self._begun_s
        for source, summary in (*self.summaries, *going):
            whole.add_source(source, summary)
        whole.failures.extend(each for each in self.failures if each not in whole.failures)
        return whole.as_dict()

    def finish(self) -> None:
        """Stops the clock: all sources are done."""
        self._ended_s = self._clock()

    @property
    def outputs(self) -> list[Path]:
        """The files and folders of all sources that are complete, and the pictures of them all."""
        return [path for _, each in self.summaries for path in each.outputs] + self.saved

    @property
    def failed(self) -> int:
        """How many sources failed, in part or as a whole."""
        return sum(bool(summary.failures) for _, summary in self.summaries)

    @property
    def elapsed_s(self) -> float:
        """From before the first source until all outputs of the last were closed."""
        return (self._ended_s or self._clock()) - self._begun_s

    def line(self) -> str:
        """The sum in one line; what each source came to has a line of its own."""
        done, count = len(self.summaries), self._count_of_sources
        sources = counted(count, "source", "sources")
        words = [sources if done == count else f"{done} of {sources}"]
        if self.failed:
            words.append(f"{self.failed} failed")
        return f"{', '.join(words)}: {super().line()}"

    def as_dict(self) -> dict[str, Any]:
        """The sum as JSON has it, and the summary of each source in `sources`."""
        each = [{"source": str(source), **summary.as_dict()} for source, summary in self.summaries]
        return {**super().as_dict(), "sources": each}


def of_source(source: NamedSource, reason: str) -> str:
    """Why a source failed, with its name unless the reason has it."""
    name = str(source)
    return reason if re.search(_whole(name), reason) else f"{name}: {reason}"


def without_name(source: NamedSource, reason: str) -> str:
    """Why a source failed or is waited for, for where its name stands already."""
    return re.sub(rf"^{_whole(str(source))}[: ]*", "", reason)


def _whole(name: str) -> str:
    """A pattern of a name as a word of its own: the camera 0 is not named by `10 s`."""
    return rf"(?<!\w){re.escape(name)}(?!\w)"
