"""The loop of a batch: inputs from the ledger, their tasks to the engine, results to the ledger."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from itertools import count

from models.program.interrupts import finishing, undivided
from stream.batch.contract import Engine, Result
from stream.batch.division import Division
from stream.batch.failures import reason_of
from stream.batch.job import Job
from stream.batch.ledger import Ledger
from stream.batch.progress import Account
from stream.errors import LedgerError, SinkError

_LOOK_S = 0.5
"""How long a result is waited for until the progress is shown, s."""

_log = logging.getLogger(__name__)


class Batch:
    """Does the inputs that wait, until none does.

    Args:
        ledger: says which, and keeps what each comes to.
        engine: runs their tasks; it is closed in the end.
        division: makes tasks of an input, and of their results one.
        account: what it comes to.
        retries: how often an input that fails is tried again.
    """

    def __init__(
        self, ledger: Ledger, engine: Engine, division: Division, account: Account, *, retries: int
    ) -> None:
        self._ledger = ledger
        self._engine = engine
        self._division = division
        self._account = account
        self._retries = retries
        self._jobs: dict[int, Job] = {}  # by row of the ledger
        self._going: dict[int, tuple[Job, int]] = {}  # tasks by their numbers here
        self._numbers = count()
        self._joining: dict[int, Future[Result]] = {}  # by row of the ledger
        self._joiner = ThreadPoolExecutor(1, "joiner")

    def __repr__(self) -> str:
        return f"Batch({self._account.line()})"

    def run(self, on_look: Callable[[], None]) -> None:
        """Does them, or as many as are done when a signal comes; what goes on then waits again.

        Args:
            on_look: called about twice a second, to show what the account has come to.

        Raises:
            ConfigError, ModelError: nothing can be annotated with these settings.
            LedgerError: the ledger cannot be written.
            OSError: no worker can be started.
        """
        try:
            self._begin()
            while self._jobs:
                for result in self._engine.finished(_LOOK_S):
                    with undivided():
                        self._take_in(result)
                self._settle_joined()
                self._begin()
                self._account.go_on(self._jobs.values())
                on_look()
        except KeyboardInterrupt:
            self._account.interrupted = True
        finally:
            with finishing():
                self._give_up()
                self._account.finish()

    def _begin(self) -> None:
        """Begins as many tasks as there is room for."""
        while len(self._going) < self._engine.capacity:
            with undivided():  # between ledger and engine nothing is lost
                if (job := self._with_tasks()) is None:
                    return
                number, key = job.begin(), next(self._numbers)
                self._going[key] = job, number
                # The tasks of an input have one row, and here each a number of its own.
                self._engine.submit(replace(job.tasks[number], key=key))

    def _with_tasks(self) -> Job | None:
        """The input whose turn it is: one that goes on and has more tasks, or the next one."""
        for job in self._jobs.values():
            if not job.is_exhausted:
                return job
        while (taken := self._ledger.take()) is not None:
            job = self._jobs[taken.key] = Job(taken)
            try:
                job.tasks = self._division.tasks(taken)
            except (SinkError, OSError) as error:
                self._settle(job, Result(key=taken.key, worker="", error=reason_of(error)))
            else:
                return job
        return None

    def _take_in(self, result: Result) -> None:
        """Takes in what a task came to, and after the last of an input what that came to."""
        job, number = self._going.pop(result.key)
        key = job.taken.key
        if result.cuts_s:
            job.divide(self._division.spans(job.taken, result.cuts_s))
            return
        job.add(number, replace(result, key=key))
        if not job.is_over:
            return
        if job.failed is not None or len(job.tasks) == 1:
            self._settle(job, job.failed or job.results[number])
            return
        results = [job.results[each] for each in range(len(job.tasks))]
        join = self._division.joined
        self._joining[key] = self._joiner.submit(join, job.taken.input, job.tasks, results)

    def _settle_joined(self) -> None:
        """Enters the inputs whose spans have been joined."""
        for key in [key for key, joined in self._joining.items() if joined.done()]:
            with undivided():
                self._settle(self._jobs[key], self._joining.pop(key).result())

    def _settle(self, job: Job, result: Result) -> None:
        """Enters what an input came to; one that failed waits again, or is set aside."""
        state = self._ledger.finish(result, self._retries)
        del self._jobs[result.key]
        name = job.taken.input.name
        if state == "waiting":
            self._account.retried += 1
            _log.warning("%s: %s; it is tried again", name, result.error)
            return
        self._account.add(result)
        if state == "failed":
            _log.error("%s: %s", name, result.error)

    def _give_up(self) -> None:
        """Ends the workers, and lets what goes on wait again, without what was written of it."""
        self._engine.close()
        self._joiner.shutdown(cancel_futures=True)
        for job in self._jobs.values():
            try:
                self._division.undo(job.taken)
            except (SinkError, OSError) as error:
                _log.warning("%s: %s", job.taken.input.name, reason_of(error))
            with suppress(LedgerError):  # it waits again when the batch is started the next time
                self._ledger.release(job.taken.key)
        self._jobs.clear()
