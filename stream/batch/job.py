"""An input that is going on: its tasks, and what those that are done came to."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from stream.batch.contract import Result, Task
from stream.batch.ledger import Taken


@dataclass(slots=True, eq=False)
class Job:
    """An input that is going on.

    Attributes:
        taken: the input.
        tasks: itself, or its spans.
        results: what each that is done came to, by its number.
        begun: how many were begun.
        failed: what the first that failed came to.
    """

    taken: Taken
    tasks: Sequence[Task] = ()
    results: dict[int, Result] = field(default_factory=dict)
    begun: int = 0
    failed: Result | None = None

    def __repr__(self) -> str:
        return f"Job({self.taken.input.name}, {len(self.results)} of {len(self.tasks)})"

    @property
    def is_exhausted(self) -> bool:
        """Whether there is no task to begin: all were, or one has failed."""
        return self.begun == len(self.tasks) or self.failed is not None

    @property
    def is_over(self) -> bool:
        """Whether no task goes on and none is to be begun."""
        return self.is_exhausted and len(self.results) == self.begun

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        return len(self.results) / len(self.tasks)

    @property
    def media_s(self) -> float:
        """How much video is done of it, s."""
        return sum(each.media_s for each in self.results.values())

    def divide(self, tasks: Sequence[Task]) -> None:
        """Begins anew, with the spans that it is cut into."""
        self.tasks, self.begun, self.results = tasks, 0, {}

    def begin(self) -> int:
        """The number of the next task, which is begun now."""
        self.begun += 1
        return self.begun - 1

    def add(self, number: int, result: Result) -> None:
        """Adds what a task came to."""
        self.results[number] = result
        if result.error and self.failed is None:
            self.failed = result
