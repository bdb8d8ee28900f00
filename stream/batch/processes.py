"""The engine of one machine: worker processes, each with a model that is loaded once."""

import logging
import time
from collections.abc import Sequence
from queue import Empty, SimpleQueue

from stream.batch.contract import Result, Task
from stream.batch.machine import resident_mb
from stream.batch.messages import Advanced, Died, Message, Ready, Start, Unfit, Warned
from stream.batch.pool_size import PoolSize
from stream.batch.process import Process
from stream.settings import Config

_TICK_S = 0.2
"""Time between two looks at what processes take, s; more lets one take more memory before it is
ended."""

_STALL_S = 1800.0
"""Time without a frame after which a task hangs, s: longer than the search for a place in the
middle of a long video that has no index takes."""

_log = logging.getLogger(__name__)


class Processes:
    """Runs each task in one of several worker processes; a new one takes the place of each that
    dies, or is ended because it takes too much.

    Args:
        config: the settings.
        size: how many processes there are at most, and what each may take.
        timeout_s: how long a task may take, s; 0 for any time, as long as it advances.
        nice: by how much they make way for other programs, 0 to 19.
    """

    def __init__(
        self, config: Config, size: PoolSize, *, timeout_s: float = 0.0, nice: int = 0
    ) -> None:
        self._start = Start(size.applied(config), nice)
        self._size = size
        self._timeout_s = timeout_s
        self._processes: list[Process] = []
        self._reports: SimpleQueue[tuple[Process, Message]] = SimpleQueue()
        self._looked_s = time.monotonic()

    def __repr__(self) -> str:
        return f"Processes({len(self._processes)} of {self._size})"

    @property
    def capacity(self) -> int:
        """How many tasks run at the same time."""
        return self._size.processes

    def submit(self, task: Task) -> None:
        """Begins a task, in a process that has none or a new one.

        Raises:
            OSError: no process can be started.
        """
        process = next((each for each in self._processes if each.is_idle), None)
        if process is None:
            process = Process(self._start, self._reports)
            self._processes.append(process)
        process.begin(task)

    def finished(self, timeout_s: float) -> Sequence[Result]:
        """The results that have come, after waiting for the first for so long at most.

        Raises:
            ConfigError, ModelError: nothing can be annotated with these settings.
        """
        until_s = time.monotonic() + timeout_s
        results: list[Result] = []
        while not results and (left_s := until_s - time.monotonic()) > 0:
            self._end_what_takes_too_much()
            results += self._heard(min(left_s, _TICK_S))
        while more := self._heard(0.0):
            results += more
        return results

    def close(self) -> None:
        """Ends all processes; may be called twice."""
        for each in self._processes:
            each.kill()
        for each in self._processes:
            each.join()
        self._processes = []

    def _heard(self, wait_s: float) -> list[Result]:
        """The result that the next message is or leads to, if any comes in time."""
        try:
            process, message = self._reports.get(timeout=wait_s)
        except Empty:
            return []
        match message:
            case Unfit(error):
                raise error
            case Warned(line):
                _log.warning("%s", _of_task(line, process.task))
            case Ready():
                process.busy_s = process.still_s = 0.0
            case Advanced():
                process.still_s = 0.0
            case Result():
                process.task = None
                return [message]
            case Died(reason):
                process.join()
                self._processes.remove(process)
                if (task := process.task) is not None:
                    return [Result(key=task.key, worker=process.name, error=reason)]
        return []

    def _end_what_takes_too_much(self) -> None:
        """Ends the processes whose tasks take too long or too much memory."""
        now_s = time.monotonic()
        # While the whole batch is stopped, as by Ctrl-Z, no time counts.
        passed_s, self._looked_s = min(now_s - self._looked_s, 2 * _TICK_S), now_s
        limit_mb, limit_s = self._size.memory_mb, self._timeout_s
        for each in self._processes:
            if each.task is None:
                continue
            each.busy_s += passed_s
            each.still_s += passed_s
            if limit_mb and resident_mb(each.pid) > limit_mb:
                each.kill(f"it takes more than the {limit_mb:,} MB that it may (--memory-mb)")
            elif limit_s and each.busy_s > limit_s:
                each.kill(f"it takes longer than the {limit_s:g} s that it may (--timeout)")
            elif each.still_s > _STALL_S:
                each.kill(f"it hangs: no frame was done for {_STALL_S / 60:.0f} minutes")


def _of_task(line: str, task: Task | None) -> str:
    """A warning with the name of what it is about, unless it has it."""
    name = "" if task is None else str(task.source)
    return line if name in line else f"{name}: {line}"
