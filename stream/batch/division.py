"""How an input becomes tasks, and what these came to becomes one result."""

from collections.abc import Sequence
from pathlib import Path

from stream.batch.contract import Input, Result, Task
from stream.batch.failures import reason_of
from stream.batch.ledger import Taken
from stream.batch.spans import cut, join
from stream.settings import Config


class Division:
    """Divides long videos into spans, and joins these.

    Args:
        config: the settings.
        span_s: the longest that a span should be, s; 0 for no spans.
    """

    def __init__(self, config: Config, span_s: float) -> None:
        self._config = config
        self._span_s = span_s

    def __repr__(self) -> str:
        return f"Division({self._span_s:g} s)"

    def tasks(self, taken: Taken) -> Sequence[Task]:
        """The tasks of an input, once the leftovers of earlier attempts are removed.

        Raises:
            SinkError: they cannot be removed.
        """
        remove_leftovers(taken.leftovers)
        return cut(taken.input, taken.key, self._config, self._span_s)

    def joined(self, given: Input, tasks: Sequence[Task], results: Sequence[Result]) -> Result:
        """What an input came to of which all tasks are done. It may take seconds."""
        try:
            return join(given, tasks, results, self._config)
        except Exception as error:  # noqa: BLE001 - one input may not end those that follow
            return Result(key=tasks[0].key, worker=results[-1].worker, error=reason_of(error))
