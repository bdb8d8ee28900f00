"""The worker processes of one machine: real ones, which are killed, stopped and kept waiting."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path, PosixPath

import numpy as np
import pytest
from fakes import stopped, write_clip

from models.errors import ModelError
from stream.batch.contract import Result, Task
from stream.batch.machine import counts_memory
from stream.batch.pool_size import PoolSize
from stream.batch.processes import Processes
from stream.settings import Config
from stream.settings.schema import EngineSection
from stream.several.listing import NamedSource
from stream.sinks import Outputs
from stream.sinks.pictures.picture_file import write_picture

_PATIENCE_S = 120.0
"""A worker begins in a second; on a machine that is busy with other things, in half a minute."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are sent signals here")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("processes") / "clip.mp4", 8)


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Path]:
    """A pipe that is open and never gives anything."""
    path = tmp_path / "waiting.mp4"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)
    yield path
    os.close(descriptor)


def _task(key: int, source: Path, outputs: Outputs | None = None) -> Task:
    named = NamedSource(str(source), "file")
    return Task(key=key, source=named, outputs=outputs or Outputs())


def _results(engine: Processes, count: int) -> list[Result]:
    until_s, results = time.monotonic() + _PATIENCE_S, list[Result]()
    while len(results) < count:
        assert time.monotonic() < until_s, f"{count} results were to come, {len(results)} came"
        results += engine.finished(0.5)
    return sorted(results, key=lambda each: each.key)


def _children(pid: int) -> list[int]:
    """The processes that another has started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _workers(pid: int | None = None) -> list[int]:
    lines = {
        each: Path(f"/proc/{each}/cmdline").read_bytes() for each in _children(pid or os.getpid())
    }
    return [each for each, line in lines.items() if b"worker_process" in line]


def _wait_until_open(pid: int, path: Path) -> None:
    """Waits until a process has a file open, and so is in the middle of a task."""
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        assert time.monotonic() < until_s
        links = [os.path.realpath(each) for each in Path(f"/proc/{pid}/fd").iterdir()]
        if str(path) in links:
            return
        time.sleep(0.05)


def test_tasks_are_done_and_a_process_is_used_again(clip: Path, tmp_path: Path) -> None:
    engine = Processes(Config(), PoolSize(1, 1))
    try:
        assert engine.capacity == 1
        log = tmp_path / "clip.jsonl"
        engine.submit(_task(1, clip, Outputs(log=log)))
        (one,) = _results(engine, 1)
        (pid,) = _workers()
        engine.submit(_task(2, tmp_path / "none.mp4"))
        (two,) = _results(engine, 1)
        assert _workers() == [pid]
    finally:
        engine.close()
    assert (one.key, one.error, one.summary["frames"], len(one.people)) == (1, "", 8, 1)
    assert one.worker == two.worker
    assert log.exists()
    assert "no such file" in two.error
    assert _workers() == []
    engine.close()


def test_a_task_that_cannot_be_handed_over_has_failed(clip: Path) -> None:
    class Local(PosixPath):
        """No other process knows this class."""

    engine = Processes(Config(), PoolSize(1, 1))
    try:
        engine.submit(_task(1, clip, Outputs(log=Local("clip.jsonl"))))
        (one,) = _results(engine, 1)
        engine.submit(_task(2, clip))
        (two,) = _results(engine, 1)
    finally:
        engine.close()
    assert "a fault of this program" in one.error
    assert "Local" in one.error
    assert not two.error


def test_one_that_crashes_is_named_and_another_takes_its_place(clip: Path, waiting: Path) -> None:
    engine = Processes(Config(), PoolSize(2, 1))
    try:
        engine.submit(_task(1, waiting))
        (pid,) = _workers()
        engine.submit(_task(2, clip))
        _wait_until_open(pid, waiting)
        os.kill(pid, signal.SIGINT)  # of a terminal, which reaches all processes: not for this one
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGSEGV)
        one, two = _results(engine, 2)
        assert one.error == "its process crashed: Segmentation fault (signal 11)"
        assert two.error == ""
        engine.submit(_task(3, clip))
        engine.submit(_task(4, clip))
        assert [each.error for each in _results(engine, 2)] == ["", ""]
        assert pid not in _workers()
    finally:
        engine.close()


@pytest.mark.parametrize("is_stopped", [False, True])
def test_one_that_takes_too_long_is_ended(waiting: Path, is_stopped: bool) -> None:
    engine = Processes(Config(), PoolSize(1, 1), timeout_s=2.0)
    try:
        engine.submit(_task(1, waiting))
        (pid,) = _workers()
        if is_stopped:
            _wait_until_open(pid, waiting)
            os.kill(pid, signal.SIGSTOP)
        (result,) = _results(engine, 1)
        assert result.error == "it takes longer than the 2 s that it may (--timeout)"
        assert _workers() == []
    finally:
        engine.close()


@pytest.mark.skipif(not counts_memory(), reason="memory is counted on Linux only")
def test_one_that_takes_too_much_memory_is_ended(clip: Path, tmp_path: Path) -> None:
    picture = tmp_path / "large.png"
    write_picture(picture, np.zeros((12_000, 12_000, 3), np.uint8))
    engine = Processes(Config(), PoolSize(1, 1, memory_mb=600))
    try:
        engine.submit(_task(1, picture))
        engine.submit(_task(2, clip))
        large, small = _results(engine, 2)
    finally:
        engine.close()
    assert large.error == "it takes more than the 600 MB that it may (--memory-mb)"
    assert small.error == ""


def test_settings_with_which_nothing_can_be_done_are_an_error(clip: Path, tmp_path: Path) -> None:
    engine = Processes(Config(engine=EngineSection(model=str(tmp_path))), PoolSize(1, 1))
    try:
        engine.submit(_task(1, clip))
        with pytest.raises(ModelError):
            _results(engine, 1)
    finally:
        engine.close()


_PARENT = """
import sys
from fakes import *
from test_processes import _task
from stream.batch.pool_size import PoolSize
from stream.batch.processes import Processes
from stream.settings import Config
engine = Processes(Config(), PoolSize(2, 1))
for key, path in enumerate(sys.argv[1:]):
    engine.submit(_task(key, Path(path)))
engine.finished(600)
"""


def test_workers_end_with_the_process_that_started_them_however_that_ends(waiting: Path) -> None:
    """One of them is stopped, and so cannot see that its input ends."""
    command = [sys.executable, "-c", _PARENT, str(waiting), str(waiting)]
    program = subprocess.Popen(command, cwd=Path(__file__).parent)
    with stopped(program):
        until_s = time.monotonic() + _PATIENCE_S
        while len(pids := _workers(program.pid)) < 2:
            assert time.monotonic() < until_s
            time.sleep(0.05)
        for pid in pids:
            _wait_until_open(pid, waiting)
        os.kill(pids[0], signal.SIGSTOP)
        program.kill()
        program.wait()
        while left := [pid for pid in pids if _is_alive(pid)]:
            assert time.monotonic() < until_s, f"{left} are left behind"
            time.sleep(0.05)


def _is_alive(pid: int) -> bool:
    """Whether a process goes on; one that has ended may wait for what is to hear of it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"
