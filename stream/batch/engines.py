"""The engine that a user asks for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stream.batch.contract import Engine
from stream.errors import ConfigError
from stream.settings import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOrder:
    """Where the inputs of a batch are to be worked off, and what each may take.

    Attributes:
        kind: in processes of this machine, or of a Ray cluster.
        address: `HOST:PORT` of the cluster's head, or `auto`; None where none is given.
        workers: how many processes of this machine; 0 for as many as suit it.
        memory_mb: what each may take, MB; 0 for its share.
        timeout_s: how long an input may take, s; 0 for any time, as long as it advances.
        nice: by how much the processes make way for other programs, 0 to 19.

    Raises:
        ConfigError: something is asked for that the other kind has.
    """

    kind: Literal["local", "ray"] = "local"
    address: str | None = None
    workers: int = 0
    memory_mb: int = 0
    timeout_s: float = 0.0
    nice: int = 0

    def __post_init__(self) -> None:
        if self.kind == "ray" and self.workers:
            raise ConfigError("--workers is for one machine: each CPU of a cluster has its process")
        if self.kind == "local" and self.address is not None:
            raise ConfigError("--address is that of a cluster: give --engine ray too")

    def open(self, config: Config, folder: Path) -> Engine:
        """The engine.

        Args:
            config: the settings.
            folder: what is written into.

        Raises:
            ConfigError: it cannot be had.
            SinkError: nothing can be written into the folder.
        """
        if self.kind == "ray":
            from stream.batch.ray_engine import RayEngine

            return RayEngine(
                config,
                self.address,
                folder,
                memory_mb=self.memory_mb,
                timeout_s=self.timeout_s,
                nice=self.nice,
            )
        from stream.batch.machine import Machine
        from stream.batch.pool_size import pool_size
        from stream.batch.processes import Processes

        size = pool_size(config, Machine.here(), self.workers, self.memory_mb)
        return Processes(config, size, timeout_s=self.timeout_s, nice=self.nice)
