"""How many worker processes a machine takes, and what each may use."""

from dataclasses import dataclass

from models.networks.runtime import uses_gpu
from stream.batch.machine import Machine, counts_memory
from stream.errors import ConfigError
from stream.settings import Config

_THREADS = 1
"""Threads of a worker for inference, where the settings do not say."""

NEED_MB = 800
"""Memory that a worker is expected to take, MB: one of pictures of 10 megapixels does, one of
videos in full HD a third of that. More starts fewer where memory is scarce."""

LEAST_LIMIT_MB = 2000
"""Memory that each worker may take at least where no limit is given, MB: a picture of 60 megapixels
takes 1100. More ends fewer workers, and leaves more to the system where memory runs out."""


@dataclass(frozen=True, slots=True)
class PoolSize:
    """The worker processes of one machine.

    Attributes:
        processes: how many, 1 or more.
        threads: of each for inference, 1 or more.
        memory_mb: what each may take, MB; 0 for any.
    """

    processes: int
    threads: int
    memory_mb: int = 0

    def applied(self, config: Config) -> Config:
        """The settings that a worker has."""
        engine = config.engine.model_copy(update={"threads": self.threads})
        return config.model_copy(update={"engine": engine})


def pool_size(config: Config, machine: Machine, workers: int = 0, memory_mb: int = 0) -> PoolSize:
    """The worker processes that suit a machine.

    Args:
        config: how many threads each has, if `engine.threads` says so.
        machine: what may be used of it.
        workers: how many processes; 0 for as many as the cores and the memory suffice for.
        memory_mb: what each may take; 0 for an equal share of what is free, but not too little.

    Raises:
        ConfigError: the memory of processes is not counted on this system.
    """
    if memory_mb and not counts_memory():
        raise ConfigError("--memory-mb: only Linux tells how much memory a process takes")
    threads = config.engine.threads or _THREADS
    processes = workers or _fitting(machine, threads, memory_mb or NEED_MB, config)
    if not config.engine.threads:  # what a division leaves is no core without work
        threads = max(threads, machine.cores // processes)
    limit_mb = memory_mb
    if not memory_mb and machine.memory_mb is not None and counts_memory():
        limit_mb = max(machine.memory_mb // processes, LEAST_LIMIT_MB)
    return PoolSize(processes, threads, limit_mb)


def _fitting(machine: Machine, threads: int, need_mb: int, config: Config) -> int:
    """How many processes the cores, the memory and a GPU suffice for, 1 or more."""
    if uses_gpu(config.engine.device):
        return 1
    by_cores = machine.cores // threads
    by_memory = by_cores if machine.memory_mb is None else machine.memory_mb // need_mb
    return max(1, min(by_cores, by_memory))
