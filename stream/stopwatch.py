"""How long the stages of a run take, each in the thread that does it.

The stages are marked where they are, by `with stage("search"): ...`, or by `@stage("search")` above
a method. Where nobody measures, a mark costs less than a microsecond.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager
from dataclasses import dataclass
from types import TracebackType

_running: "Stopwatch | None" = None


@dataclass(frozen=True, slots=True)
class Lap:
    """What one stage took, all its rounds together, without the stages within it.

    Attributes:
        rounds: how often it was done.
        wall_s: by the clock.
        cpu_s: that its own thread was on a core; helpers of a codec or the engine are not in it.
    """

    rounds: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0

    def __add__(self, other: "Lap") -> "Lap":
        wall_s, cpu_s = self.wall_s + other.wall_s, self.cpu_s + other.cpu_s
        return Lap(self.rounds + other.rounds, wall_s, cpu_s)


class Stopwatch:
    """Adds up the stages of all threads; see `measuring`.

    Args:
        wall_s: the clock.
        cpu_s: how long the calling thread has been on a core.
    """

    def __init__(
        self,
        wall_s: Callable[[], float] = time.perf_counter,
        cpu_s: Callable[[], float] = time.thread_time,
    ) -> None:
        self._wall_s = wall_s
        self._cpu_s = cpu_s
        self._lock = threading.Lock()
        self._laps: dict[tuple[str, str], Lap] = {}
        self._open = _OpenStages()

    def __repr__(self) -> str:
        return f"Stopwatch({len(self._laps)} laps)"

    @property
    def laps(self) -> dict[tuple[str, str], Lap]:
        """By the names of the thread and the stage, those that have ended."""
        with self._lock:
            return dict(self._laps)

    def enter(self, name: str) -> None:
        """This thread begins a stage."""
        self._open.stack.append(_OpenStage(name, self._wall_s(), self._cpu_s()))

    def leave(self) -> None:
        """This thread ends the stage it began last."""
        if not self._open.stack:
            return  # it began before anybody measured
        ended = self._open.stack.pop()
        wall_s, cpu_s = self._wall_s() - ended.wall_s, self._cpu_s() - ended.cpu_s
        lap = Lap(1, wall_s - ended.inner_wall_s, cpu_s - ended.inner_cpu_s)
        key = threading.current_thread().name, ended.name
        with self._lock:
            self._laps[key] = self._laps.get(key, Lap()) + lap
        if self._open.stack:
            around = self._open.stack[-1]
            around.inner_wall_s += wall_s
            around.inner_cpu_s += cpu_s


class stage(ContextDecorator):
    """Marks a stage; in a `with`, or as a decorator of what is one."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        if _running is not None:
            _running.enter(self._name)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if _running is not None:
            _running.leave()


@contextmanager
def measuring() -> Iterator[Stopwatch]:
    """Measures what the program does meanwhile; one at a time."""
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
    """When a stage began, and what those within it took."""

    name: str
    wall_s: float
    cpu_s: float
    inner_wall_s: float = 0.0
    inner_cpu_s: float = 0.0


class _OpenStages(threading.local):
    """Those each thread is in, the innermost last."""

    def __init__(self) -> None:
        self.stack: list[_OpenStage] = []
