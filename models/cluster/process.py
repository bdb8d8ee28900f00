"""A process on a node of a Ray cluster: an actor of Ray, and how this machine sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from types import ModuleType
from typing import Any, TypeAlias

_DISTRIBUTION = "face-stream"
"""What is installed on every node, in the same version."""

_INLINE = {
    "RAY_max_direct_call_object_size": str(1 << 30),
    "RAY_task_rpc_inlined_bytes_limit": str(1 << 30),
}
"""Variables by which an answer of up to a gigabyte is a part of the reply."""


class UnfitNodeError(Exception):
    """A node that can do no job of this kind, as one on which the model is missing; it says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process is.

    Attributes:
        node: the address of its node.
        memory_mb: its share of the node's memory, MB.
    """

    node: str
    memory_mb: int


Begin: TypeAlias = Callable[[Place], Callable[[Any], Any]]
"""Makes what does the jobs, once in each process."""


class _Actor:
    """What runs on a node."""

    def version(self) -> str:
        """The version of this program there."""
        return version(_DISTRIBUTION)

    def begin(self, begin: Begin, place: Place) -> None:
        """Makes what does the jobs."""
        self._do = begin(place)

    def do(self, job: Any) -> Any:
        """Does a job."""
        return self._do(job)


@dataclass(slots=True, eq=False)
class ClusterProcess:
    """A process on a node, as this machine sees it.

    Attributes:
        node_id: Ray's name of its node.
        place: where it is.
        actor: the handle.
        version: the call that asks for its version.
        call: what it is asked to do; None where it is idle.
        job: what it does, behind its key; None where it does nothing.
    """

    node_id: str
    place: Place
    actor: Any
    version: Any
    call: Any
    job: tuple[int, Any] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether it does jobs."""
        return self.call is None or self.job is not None

    def do(self, job: tuple[int, Any]) -> None:
        """Begins a job, which has a key."""
        self.job, self.call = job, self.actor.do.remote(job[1])

    def unfitness(self, ray: ModuleType, error: Exception | None = None) -> str:
        """Why its node can be used no more, now that it has begun or could not; else empty.

        Args:
            ray: Ray.
            error: the reason for which it could not begin.
        """
        ours, cause = version(_DISTRIBUTION), getattr(error, "cause", None)
        try:
            theirs = ray.get(self.version, timeout=0)
        except ray.exceptions.RayError:
            theirs = ours
        if theirs != ours:
            return f"it has {_DISTRIBUTION} {theirs}, this machine {ours}: install the same"
        if "No module named" in str(error):
            return f"{_DISTRIBUTION} is not installed there"
        return " ".join(str(cause).split()) if isinstance(cause, Exception) else ""


def started_process(
    ray: ModuleType, node_id: str, place: Place, begin: Begin, *, cpus: int, memory_mb: int
) -> ClusterProcess:
    """Asks for a process on a node; it begins when that has so many CPUs and so much memory."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    actor = (
        ray.remote(_Actor)
        .options(
            num_cpus=cpus,
            memory=memory_mb * 1_000_000 or None,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False),
            runtime_env={"env_vars": _INLINE},
        )
        .remote()
    )
    asked = actor.version.remote()
    return ClusterProcess(node_id, place, actor, asked, actor.begin.remote(begin, place))
