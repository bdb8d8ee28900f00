"""Jobs done by processes on the nodes of a Ray cluster.

Each process is an actor of Ray that begins once, as by loading a model, and then does one job
after another. Jobs and answers pass through memory alone: an answer of any size is a part of the
reply to a call, and never enters Ray's object store, which spills to disks where it is full.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

from models.cluster.connection import ClusterError, connected
from models.cluster.process import ClusterProcess, Place, UnfitNodeError, started_process

J = TypeVar("J")
"""What a job is."""

R = TypeVar("R")
"""What comes of a job."""

_LOOK_S = 2.0
"""Time between two looks at which nodes there are, s; more lets a node that joins wait longer."""

_END_S = 10.0
"""How long the end of the processes is waited for, s: a node that died does not answer."""

_STARTS = 3
"""How many processes of a node may fail to begin, one after another, before it is left out."""

_BUSY_S = 60.0
"""Time without a process that has begun after which a warning says so, s: longer than a slow node
takes to begin one."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """What a job came to.

    Attributes:
        key: which job it was.
        node: the address of the node.
        value: what came of it; None where it failed.
        error: why it failed, in one line; empty where it did not.
    """

    key: int
    node: str
    value: R | None
    error: str = ""


class Cluster(Generic[J, R]):
    """Does jobs in processes on all nodes of a cluster, also on those that join later.

    A process that dies, alone or with its node, fails the job that it was at; another takes its
    place where the node lives on. A node that can do no job is left out, and a warning says why;
    what it was to do is done by others.

    Args:
        address: `HOST:PORT` of the cluster's head, or `auto`.
        begin: is called once in each process and makes what does the jobs; it raises
            `UnfitNodeError` where none can be done. Another exception of a job fails that job.
        cpus: that a process takes; a node has as many processes as its CPUs suffice for.
        memory_mb: that a process is expected to take, MB; a node has no more than fit.

    Raises:
        ClusterError: there is no such cluster, or Ray is missing.
    """

    def __init__(
        self,
        address: str,
        begin: Callable[[Place], Callable[[J], R]],
        *,
        cpus: int = 1,
        memory_mb: int = 0,
    ) -> None:
        self._begin = begin
        self._cpus = cpus
        self._memory_mb = memory_mb
        self._processes: list[ClusterProcess] = []
        self._queue: deque[tuple[int, J]] = deque()
        self._failed_starts: dict[str, int] = {}
        self._unfit: dict[str, str] = {}
        self._looked_s = float("-inf")
        self._busy_since_s: float | None = time.monotonic()
        with ExitStack() as stack:
            self._ray: Any = stack.enter_context(connected(address))
            self._connection = stack.pop_all()

    def __repr__(self) -> str:
        return f"Cluster({len(self._processes)} processes)"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def capacity(self) -> int:
        """How many jobs are done at the same time, 1 or more: by the processes that have begun."""
        return max(1, sum(each.has_begun for each in self._processes))

    def submit(self, key: int, job: J) -> None:
        """Takes a job, which is begun in `finished` once a process is idle."""
        self._queue.append((key, job))

    def finished(self, timeout_s: float) -> Sequence[Answer[R]]:
        """The answers that have come, after waiting for the first for so long at most. There are
        none where a process has begun meanwhile.

        Raises:
            ClusterError: no node can do these jobs.
        """
        self._start_processes()
        self._begin_jobs()
        waits = {each.call: each for each in self._processes if each.call is not None}
        if not waits:
            time.sleep(min(timeout_s, _LOOK_S))
            return []
        ready, _ = self._ray.wait(list(waits), timeout=min(timeout_s, _LOOK_S))
        if ready:  # further ones that are there by now
            ready, _ = self._ray.wait(list(waits), num_returns=len(waits), timeout=0)
        # Of a node that is left out meanwhile there are none any more.
        heard = (waits[call] for call in ready)
        answers = [self._heard(each) for each in heard if each in self._processes]
        self._begin_jobs()
        return [each for each in answers if each is not None]

    def close(self) -> None:
        """Ends all processes and leaves the cluster; may be called twice."""
        processes, self._processes = self._processes, []
        self._queue.clear()
        with self._connection:
            for each in processes:
                self._ray.kill(each.actor)
            calls = [each.call for each in processes if each.call is not None]
            if calls:  # they fail when their processes have ended
                self._ray.wait(calls, num_returns=len(calls), timeout=_END_S)

    def _begin_jobs(self) -> None:
        """Hands the jobs that wait to processes that are idle."""
        for process in self._processes:
            if self._queue and process.call is None:
                process.do(self._queue.popleft())

    def _heard(self, process: ClusterProcess) -> Answer[R] | None:
        """The answer that the call of a process has come to; None where that has begun or failed
        to begin, or its node is unfit for the job."""
        call, process.call = process.call, None
        job, process.job = process.job, None
        try:
            value = self._ray.get(call)
        except self._ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None)  # what the job or the beginning has raised
            if job is None:
                self._failed_to_begin(process, error)
                return None
            if isinstance(cause, UnfitNodeError):  # that was no attempt at it
                self._queue.appendleft(job)
                self._leave_out(process, str(cause))
                return None
            return Answer(job[0], process.place.node, None, self._failed(process, cause))
        if job is not None:
            return Answer(job[0], process.place.node, value)
        self._failed_starts.pop(process.node_id, None)
        if reason := process.unfitness(self._ray):
            self._leave_out(process, reason)
        return None

    def _failed(self, process: ClusterProcess, cause: object) -> str:
        """Why a job failed; the process goes on where it was the job's own fault."""
        if isinstance(cause, Exception):
            return f"{type(cause).__name__}: {' '.join(str(cause).split())}"
        self._end(process)
        return "the node was lost, or the process that Ray has there"

    def _failed_to_begin(self, process: ClusterProcess, error: Exception) -> None:
        """Ends a process that could not begin; its node is left out where no other could."""
        node_id = process.node_id
        number = self._failed_starts[node_id] = self._failed_starts.get(node_id, 0) + 1
        if reason := process.unfitness(self._ray, error):
            self._leave_out(process, reason)
        elif number >= _STARTS and node_id in self._nodes():
            self._leave_out(process, f"{number} processes, one after another, could not begin")
        else:
            self._end(process)

    def _leave_out(self, process: ClusterProcess, reason: str) -> None:
        """Uses a node no more, but for the jobs that it is at."""
        self._end(process)
        if process.node_id not in self._unfit:
            self._unfit[process.node_id] = f"on node {process.place.node}: {reason}"
            _log.warning("node %s is left out: %s", process.place.node, reason)
        for each in [each for each in self._processes if each.node_id == process.node_id]:
            if each.job is None:
                self._end(each)

    def _end(self, process: ClusterProcess) -> None:
        self._ray.kill(process.actor)
        self._processes.remove(process)

    def _nodes(self) -> dict[str, Mapping[str, Any]]:
        """The nodes that are alive, by Ray's names."""
        return {each["NodeID"]: each for each in self._ray.nodes() if each["Alive"]}

    def _start_processes(self) -> None:
        """Starts a process for whatever CPUs of the cluster have none.

        Raises:
            ClusterError: no node can do these jobs.
        """
        now_s = time.monotonic()
        if now_s < self._looked_s + _LOOK_S:
            return
        self._looked_s = now_s
        nodes = self._nodes()
        for node_id, node in nodes.items():
            if node_id not in self._unfit:
                self._start_on(node_id, node)
        if not self._processes and self._unfit.keys() & nodes.keys():
            reason = next(self._unfit[each] for each in nodes if each in self._unfit)
            raise ClusterError(f"no node of the cluster can be used; {reason}")
        self._note_busy(now_s)

    def _start_on(self, node_id: str, node: Mapping[str, Any]) -> None:
        """Starts as many processes on a node as it lacks."""
        resources = node["Resources"]
        memory_mb = resources.get("memory", 0) / 1_000_000
        count = int(resources.get("CPU", 0) // self._cpus)
        if self._memory_mb:
            count = min(count, int(memory_mb // self._memory_mb))
        has = sum(each.node_id == node_id for each in self._processes)
        for _ in range(has, count):
            place = Place(node["NodeManagerAddress"], int(memory_mb / count))
            self._processes.append(
                started_process(
                    self._ray,
                    node_id,
                    place,
                    self._begin,
                    cpus=self._cpus,
                    memory_mb=self._memory_mb,
                )
            )

    def _note_busy(self, now_s: float) -> None:
        """Says once where no process has begun for a long time."""
        if any(each.has_begun for each in self._processes):
            self._busy_since_s = now_s
        elif self._busy_since_s is not None and now_s - self._busy_since_s > _BUSY_S:
            self._busy_since_s = None
            _log.warning("the cluster has had no free CPU for %.0f s: waiting for one", _BUSY_S)
