"""How an input becomes tasks, and what these came to becomes one result."""

from collections.abc import Sequence
from dataclasses import replace

from stream.batch.contract import Input, Result, Task
from stream.batch.copies import Copies
from stream.batch.failures import reason_of
from stream.batch.ledger import Taken
from stream.batch.leftovers import remove_leftovers
from stream.batch.spans import join, remove_parts, span_tasks, whole_task
from stream.settings import Config


class Division:
    """Divides long videos into spans, and joins what these came to.

    Args:
        config: the settings.
        span_s: the longest that a span should be, s; 0 for no spans.
        copies: where outputs are put too; None for nowhere.
    """

    def __init__(self, config: Config, span_s: float, copies: Copies | None = None) -> None:
        self._config = config
        self._span_s = span_s
        self._copies = copies

    def __repr__(self) -> str:
        return f"Division({self._span_s:g} s)"

    def tasks(self, taken: Taken) -> Sequence[Task]:
        """The tasks of an input, once what earlier attempts left is removed.

        Raises:
            SinkError: it cannot be removed.
            OSError: its file has gone.
        """
        remove_leftovers(taken.leftovers)
        task = whole_task(taken.input, taken.key, self._config, self._span_s)
        return [replace(task, copies=self._copies)]

    def spans(self, taken: Taken, starts_s: Sequence[float]) -> Sequence[Task]:
        """The tasks of an input that a worker has found to be longer than a span.

        Args:
            taken: the input.
            starts_s: the media times at which it can be cut, s.
        """
        return span_tasks(taken.input, taken.key, starts_s)

    def joined(self, given: Input, tasks: Sequence[Task], results: Sequence[Result]) -> Result:
        """What an input came to of which all tasks are done; it takes seconds of a long video."""
        try:
            result = join(given, tasks, results, self._config)
            if self._copies is not None and not result.error:
                self._copies.put(given.outputs.paths)
            return result
        except Exception as error:  # noqa: BLE001 - one input may not end those that follow
            return Result(key=results[0].key, worker=results[0].worker, error=reason_of(error))

    def undo(self, taken: Taken) -> None:
        """Removes what is written of an input that is given up.

        Raises:
            SinkError: it cannot be removed.
        """
        remove_leftovers(taken.own)
        remove_parts(taken.input.outputs)
