"""A worker process as the one that started it sees it."""

import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue

from stream.batch.contract import Result, Task
from stream.batch.failures import reason_of
from stream.batch.messages import Died, Message, Ready, Start

_PROGRAM = "from stream.batch.worker_process import main; main()"
"""What Python runs; the classes of messages so have one name on both sides."""

_END_S = 10.0
"""How long the end of a process that was killed is waited for, s: a dead disk may hold it."""


class Process:
    """Starts a worker process, and speaks with it in a thread of its own.

    Args:
        start: what it is told first.
        reports: takes what it says, and at last that it has ended.

    Attributes:
        task: what it is doing; None where nothing.
        busy_s: for how long, s, without the time in which the model was loaded.
        still_s: time in which it has made no progress, s.
    """

    def __init__(self, start: Start, reports: "SimpleQueue[tuple[Process, Message]]") -> None:
        self.task: Task | None = None
        self.busy_s = self.still_s = 0.0
        self._reports = reports
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._reason = ""
        with _signals_blocked():
            self._program = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        self._thread = threading.Thread(target=self._speak, args=(start,), name="worker process")
        self._thread.start()

    def __repr__(self) -> str:
        return f"Process({self.pid}, {'idle' if self.task is None else 'busy'})"

    @property
    def pid(self) -> int:
        """Its number."""
        return self._program.pid

    @property
    def name(self) -> str:
        """Its name, for people."""
        return f"process {self.pid}"

    @property
    def is_idle(self) -> bool:
        """Whether it can take a task."""
        return self.task is None and self._program.poll() is None

    def begin(self, task: Task) -> None:
        """Hands it a task."""
        self.task, self.busy_s, self.still_s = task, 0.0, 0.0
        self._tasks.put(task)

    def kill(self, reason: str = "") -> None:
        """Ends it at once."""
        self._reason = self._reason or reason
        self._tasks.put(None)
        self._program.kill()

    def join(self) -> None:
        """Waits for its end; it was killed."""
        self._thread.join()

    def _speak(self, start: Start) -> None:
        """Tells it what to do and passes on what it says, until it or its last task has ended."""
        orders, said = self._program.stdin, self._program.stdout
        assert orders is not None
        assert said is not None
        try:
            self._send(start)
            while (task := self._tasks.get()) is not None:
                self._send(task)
                message: Message = Ready()
                while not isinstance(message, Result):
                    message = pickle.load(said)  # noqa: S301 - from a process of our own
                    self._reports.put((self, message))
        except (OSError, EOFError, pickle.UnpicklingError):
            pass  # it has died, perhaps in the middle of a message
        except Exception as error:  # noqa: BLE001 - its end must be told, or its task never ends
            self._reason = self._reason or reason_of(error)
        self._program.kill()
        with suppress(subprocess.TimeoutExpired):
            self._program.wait(_END_S)
        said.close()
        with suppress(OSError):  # what it has not read
            orders.close()
        self._reports.put((self, Died(self._reason or _how_it_ended(self._program.returncode))))

    def _send(self, message: object) -> None:
        orders = self._program.stdin
        assert orders is not None
        orders.write(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))
        orders.flush()


def _how_it_ended(code: int | None) -> str:
    """Why a process is no more, by its exit code."""
    if code is None or code >= 0:
        return f"its process ended on its own (exit code {code})"
    number = -code
    if number == getattr(signal, "SIGKILL", None):
        return "its process was killed (signal 9): memory may have run out"
    return f"its process crashed: {signal.strsignal(number) or 'signal'} (signal {number})"


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Signals wait while the body starts a process, which so gets none until it ignores them."""
    if sys.platform == "win32":
        yield
        return
    wait = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, wait)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
