"""Measures how long the stages of a run take, each in the thread that runs it.

A stage is marked where it is, by `with stage("search"): ...`, or by `@stage("search")` above a
method. While nothing is measured, a mark costs less than a microsecond.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager
from dataclasses import dataclass

_running: "Stopwatch | None" = None
"""The stopwatch that measures at present."""


@dataclass(frozen=True, slots=True)
class StageTiming:
    """The time that one stage took, all its calls together, without the stages within it.

    Attributes:
        calls: how often the stage was run.
        wall_s: elapsed time.
        cpu_s: time that its thread was on a core; threads of a codec or the engine do not count.
    """

    calls: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0

    def __add__(self, other: "StageTiming") -> "StageTiming":
        wall_s, cpu_s = self.wall_s + other.wall_s, self.cpu_s + other.cpu_s
        return StageTiming(self.calls + other.calls, wall_s, cpu_s)


class Stopwatch:
    """Adds up the stages of all threads; see `measuring`.

    Args:
        wall_s: the clock.
        cpu_s: the time that the calling thread has been on a core.
    """

    def __init__(
        self,
        wall_s: Callable[[], float] = time.perf_counter,
        cpu_s: Callable[[], float] = time.thread_time,
    ) -> None:
        self._wall_s = wall_s
        self._cpu_s = cpu_s
        self._lock = threading.Lock()
        self._timings: dict[tuple[str, str], StageTiming] = {}
        self._open = _OpenStages()

    def __repr__(self) -> str:
        return f"Stopwatch({len(self._timings)} timings)"

    @property
    def timings(self) -> dict[tuple[str, str], StageTiming]:
        """The timings of stages that have ended, by the names of the thread and the stage."""
        with self._lock:
            return dict(self._timings)

    def enter(self, name: str) -> None:
        """Begins a stage in this thread."""
        self._open.stack.append(_OpenStage(name, self._wall_s(), self._cpu_s()))

    def leave(self) -> None:
        """Ends the stage that this thread began last."""
        if not self._open.stack:
            return  # the stage began before the measurement
        ended = self._open.stack.pop()
        wall_s, cpu_s = self._wall_s() - ended.wall_s, self._cpu_s() - ended.cpu_s
        timing = StageTiming(1, wall_s - ended.inner_wall_s, cpu_s - ended.inner_cpu_s)
        key = threading.current_thread().name, ended.name
        with self._lock:
            self._timings[key] = self._timings.get(key, StageTiming()) + timing
        if self._open.stack:
            outer = self._open.stack[-1]
            outer.inner_wall_s += wall_s
            outer.inner_cpu_s += cpu_s


class stage(ContextDecorator):
    """Marks a stage; used in a `with`, or as a decorator."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        if _running is not None:
            _running.enter(self._name)

    def __exit__(self, *_: object) -> None:
        if _running is not None:
            _running.leave()


@contextmanager
def measuring() -> Iterator[Stopwatch]:
    """Measures the stages that begin and end within it; only one such measurement may go on.

    Raises:
        RuntimeError: another goes on already.
    """
    global _running
    if _running is not None:
        raise RuntimeError("something is being measured already")
    _running = Stopwatch()
    try:
        yield _running
    finally:
        _running = None


@dataclass(slots=True)
class _OpenStage:
    """When a stage began, and the time that the stages within it took."""

    name: str
    wall_s: float
    cpu_s: float
    inner_wall_s: float = 0.0
    inner_cpu_s: float = 0.0


class _OpenStages(threading.local):
    """The stages that each thread is in, the innermost last."""

    def __init__(self) -> None:
        self.stack: list[_OpenStage] = []
