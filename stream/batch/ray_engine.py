"""The engine of a cluster: one worker process for each CPU of all nodes that a Ray cluster has.

On a node an actor of Ray has an engine of one process, so that an input is held to its time and its
memory there as it is on one machine, and what ends a worker is told apart in the same words.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from secrets import token_hex

from models.cluster.connection import AUTO, ClusterError
from models.cluster.jobs import Cluster
from models.cluster.process import Place, UnfitNodeError
from models.errors import ModelError
from stream.batch.contract import Result, Task
from stream.batch.pool_size import LEAST_LIMIT_MB, NEED_MB, PoolSize
from stream.batch.processes import Processes
from stream.errors import ConfigError, SinkError
from stream.settings import Config
from stream.several.listing import NamedSource

MARK = ".cluster"
"""Name of the file by which a node tells that it sees the folder of the batch, not one of its own
that is called so."""

_WAIT_S = 1.0
"""Time between two looks of an actor at its process, s."""

_log = logging.getLogger(__name__)


class RayEngine:
    """Runs each task in a worker process on some node; nodes may join and die.

    Args:
        config: the settings.
        address: `HOST:PORT` of the cluster's head, or `auto`; None for the latter.
        folder: what is written into; every node sees it at this path.
        memory_mb: what a process may take, MB; 0 for its share of the node.
        timeout_s: how long a task may take, s; 0 for any time, as long as it advances.
        nice: by how much the processes make way for other programs, 0 to 19.

    Raises:
        ConfigError: there is no such cluster, or Ray is missing.
        SinkError: nothing can be written into the folder.
    """

    def __init__(
        self,
        config: Config,
        address: str | None,
        folder: Path,
        *,
        memory_mb: int = 0,
        timeout_s: float = 0.0,
        nice: int = 0,
    ) -> None:
        folder = folder.absolute()
        threads = config.engine.threads or 1
        begin = partial(
            _begin,
            _with_absolute_paths(config),
            PoolSize(1, threads, memory_mb),
            timeout_s,
            nice,
            folder,
            _mark(folder),
        )
        try:
            self._cluster = Cluster[Task, _Outcome](
                address or AUTO, begin, cpus=threads, memory_mb=memory_mb or NEED_MB
            )
        except ClusterError as error:
            raise ConfigError(str(error)) from None

    def __repr__(self) -> str:
        return f"RayEngine({self._cluster})"

    @property
    def capacity(self) -> int:
        """How many tasks run at the same time now, 1 or more."""
        return self._cluster.capacity

    def submit(self, task: Task) -> None:
        """Takes a task, which begins once a process of the cluster is idle."""
        self._cluster.submit(task.key, _absolute(task))

    def finished(self, timeout_s: float) -> Sequence[Result]:
        """The results that have come, after waiting for the first for so long at most.

        Raises:
            ConfigError: no node of the cluster can be used.
        """
        try:
            answers = self._cluster.finished(timeout_s)
        except ClusterError as error:
            raise ConfigError(str(error)) from None
        results = []
        for each in answers:
            result, warnings = each.value or (Result(key=each.key, worker="", error=each.error), ())
            for line in warnings:
                _log.warning("%s", line)
            if result.error:
                result = replace(result, error=f"{result.error} (on node {each.node})")
            results.append(result)
        return results

    def close(self) -> None:
        """Ends all processes and leaves the cluster; may be called twice."""
        self._cluster.close()


_Outcome = tuple[Result, Sequence[str]]
"""What comes of a task on a node: its result, and the warnings that were logged."""


def _begin(
    config: Config,
    size: PoolSize,
    timeout_s: float,
    nice: int,
    folder: Path,
    mark: str,
    place: Place,
) -> Callable[[Task], _Outcome]:
    """Makes what runs tasks on a node.

    Raises:
        UnfitNodeError: the node does not see the folder of the batch.
    """
    try:
        seen = (folder / MARK).read_text(encoding="ascii")
    except (OSError, ValueError):
        seen = ""
    if seen != mark:
        raise UnfitNodeError(f"it does not see {folder}: let it be the same folder on all nodes")
    size = replace(size, memory_mb=size.memory_mb or max(place.memory_mb, LEAST_LIMIT_MB))
    processes = Processes(config, size, timeout_s=timeout_s, nice=nice)
    return partial(_run, processes)


def _run(processes: Processes, task: Task) -> _Outcome:
    """Runs a task in the process of an actor.

    Raises:
        UnfitNodeError: nothing can be annotated on this node.
    """
    with _kept_warnings() as warnings:
        processes.submit(task)
        results: Sequence[Result] = ()
        try:
            while not results:
                results = processes.finished(_WAIT_S)
        except (ConfigError, ModelError) as error:
            raise UnfitNodeError(str(error)) from None
    return results[0], warnings


@contextmanager
def _kept_warnings() -> Iterator[list[str]]:
    """Keeps what is logged for the user, while the body runs."""
    kept: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: kept.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("stream")
    logger.addHandler(handler)
    try:
        yield kept
    finally:
        logger.removeHandler(handler)


def _mark(folder: Path) -> str:
    """What the file `MARK` of a folder holds; it is made where there is none.

    Raises:
        SinkError: it cannot be made.
    """
    path = folder / MARK
    try:
        if path.exists():
            return path.read_text(encoding="ascii")
        path.write_text(mark := token_hex(8), encoding="ascii")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SinkError(f"{path} cannot be written: {reason}") from error
    return mark


def _with_absolute_paths(config: Config) -> Config:
    """The settings as they are understood in any folder."""
    if not config.engine.model:
        return config
    engine = config.engine.model_copy(update={"model": os.path.abspath(config.engine.model)})
    return config.model_copy(update={"engine": engine})


def _absolute(task: Task) -> Task:
    """A task as it is understood in any folder."""
    outputs = task.outputs
    names = ("save", "log", "snapshots", "sheet", "subtitles")
    named = {name: getattr(outputs, name) for name in names}
    absolute = {name: path.absolute() for name, path in named.items() if path is not None}
    return replace(task, source=_absolute_source(task.source), outputs=replace(outputs, **absolute))


def _absolute_source(source: NamedSource) -> NamedSource:
    if source.is_live:
        return source
    return replace(
        source,
        uri=os.path.abspath(source.uri),
        root=None if source.root is None else source.root.absolute(),
        pictures=tuple(path.absolute() for path in source.pictures),
        shown=str(source),
    )
