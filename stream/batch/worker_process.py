"""The program of a worker process, which `process.py` starts.

Its standard input brings it tasks, and ends where the process that started it does, however that
ends; its standard output takes what it has to say. Both carry pickles, in memory alone.

It imports what it works with only when it has left the signals to that process and is sure to end
with it.
"""

import ctypes
import logging
import os
import pickle
import queue
import signal
import sys
import threading
import time
from socket import gethostname
from typing import TYPE_CHECKING, BinaryIO, NoReturn

if TYPE_CHECKING:
    from stream.batch.contract import Task
    from stream.batch.messages import Start

_NOT_FOR_THIS = ("SIGINT", "SIGTERM", "SIGUSR1")
"""Signals for the process that started this one: a terminal or a service manager sends both."""

_PARENT_DEATH_SIGNAL = 1
"""The option of Linux's `prctl` by which the system ends a process when its parent ends."""

_ADVANCE_S = 1.0
"""Time between two messages that a task goes on, s; less only costs more."""


def main() -> NoReturn:
    """Does the tasks that come through standard input, until that ends."""
    _leave_signals()
    orders, reports = _own_pipes()
    logging.basicConfig(level=logging.WARNING, handlers=[_Passing(reports)])
    start: Start = pickle.load(orders)  # noqa: S301 - from the process that started this one
    tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
    threading.Thread(target=_read_tasks, args=(orders, tasks), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(start.nice)
    _work(start, tasks, reports)
    while True:
        tasks.get()  # the reading thread ends the process


class _Reports:
    """Sends messages, from any thread."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._sending = threading.Lock()

    def send(self, message: object) -> None:
        """Sends one message."""
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        with self._sending:
            self._pipe.write(data)
            self._pipe.flush()


class _Passing(logging.Handler):
    """Passes warnings on; an error is a failure of the task and stands in its result."""

    def __init__(self, reports: _Reports) -> None:
        super().__init__()
        self._reports = reports

    def emit(self, record: logging.LogRecord) -> None:
        from stream.batch.messages import Warned

        if record.levelno < logging.ERROR:
            self._reports.send(Warned(record.getMessage()))


def _work(start: "Start", tasks: "queue.SimpleQueue[Task]", reports: _Reports) -> None:
    """Does tasks until it turns out that none can be done."""
    import cv2

    from models.errors import ModelError
    from stream.batch.messages import Advanced, Ready, Unfit
    from stream.batch.worker import Worker
    from stream.errors import ConfigError

    advanced_s = 0.0

    def advance() -> None:
        nonlocal advanced_s
        if (now_s := time.monotonic()) - advanced_s >= _ADVANCE_S:
            advanced_s = now_s
            reports.send(Advanced())

    try:
        cv2.setNumThreads(start.config.engine.threads)
        worker = Worker(start.config, f"{gethostname()}/{os.getpid()}")
        reports.send(Ready())
        while True:
            reports.send(worker.work(tasks.get(), advance))
    except (ConfigError, ModelError) as error:
        reports.send(Unfit(error))


def _leave_signals() -> None:
    """Ignores the signals that are not for this process, and lets it end with its parent.

    They were blocked when it was started, so that none came before.
    """
    numbers = [getattr(signal, name) for name in _NOT_FOR_THIS if hasattr(signal, name)]
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
    if sys.platform == "linux":  # also where it is stopped, and could not see its input end
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _own_pipes() -> tuple[BinaryIO, _Reports]:
    """The two pipes, taken from standard input and output: what a library prints goes elsewhere."""
    orders, reports = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return os.fdopen(orders, "rb"), _Reports(os.fdopen(reports, "wb"))


def _read_tasks(orders: BinaryIO, tasks: "queue.SimpleQueue[Task]") -> None:
    """Hands the tasks on, and ends the process at once when none can come any more."""
    try:
        while True:
            tasks.put(pickle.load(orders))  # noqa: S301 - from the process that started this one
    finally:
        os._exit(0)
