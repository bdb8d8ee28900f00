"""Signals: exit codes and no traceback from the first line on, and what a second one does."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.program.interrupts import exit_code

_ROOT = Path(__file__).parents[1]
_WAIT_S = 60

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="which signals a process handles cannot be seen"
)

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts Python with some words, and returns as soon as it handles signals."""
    started: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        deadline_s = time.monotonic() + _WAIT_S
        while process.poll() is None and not _handles(process.pid, signal.SIGTERM):
            assert time.monotonic() < deadline_s
            time.sleep(0.001)
        return process

    yield begin
    for each in started:
        each.kill()
        each.communicate()


def _handles(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler of its own for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (number - 1) & 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("program", ["stream", "training"])
@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.2])
def test_imports_are_ended_without_a_traceback(
    program: str, number: signal.Signals, delay_s: float, start: Start
) -> None:
    process = start("-m", program, "--help")
    time.sleep(delay_s)  # whatever is imported then
    process.send_signal(number)
    output, errors = process.communicate(timeout=_WAIT_S)
    assert process.returncode == 128 + number or output  # or it had come to its end
    assert errors == ""


_WORK = """
import sys, time
from pathlib import Path
from models.program import interrupts
interrupts.handle_signals("face-stream")
interrupts.unfinished.update(map(Path, sys.argv[1:]))
try:
    with interrupts.interruptible():
        print("working", flush=True)
        time.sleep(60)
except KeyboardInterrupt:
    with interrupts.finishing():
        print("finishing", flush=True)
        time.sleep(60)
"""


def _said(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == f"{line}\n"


def test_a_second_signal_ends_at_once_and_names_what_is_left(start: Start, tmp_path: Path) -> None:
    left, complete = tmp_path / "out.part.mp4", tmp_path / "gone.part.jsonl"
    left.touch()
    process = start("-c", _WORK, str(left), str(complete))
    _said(process, "working")
    process.send_signal(signal.SIGTERM)
    _said(process, "finishing")
    time.sleep(0.3)  # one that comes sooner is the same
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=_WAIT_S)
    assert process.returncode == 143
    assert errors == f"face-stream: stopped at once: {left} left unfinished\n"


_FINISHING = """
import time
from models.program import interrupts
interrupts.handle_signals("face-stream")
with interrupts.interruptible(), interrupts.finishing():
    print("finishing", flush=True)
    input()
print("complete", interrupts.exit_code(0), flush=True)
"""


def test_a_first_signal_does_not_interrupt_the_end(start: Start) -> None:
    process = start("-c", _FINISHING)
    _said(process, "finishing")
    process.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    assert process.communicate("\n", timeout=_WAIT_S) == ("complete 143\n", "")
    assert process.returncode == 0


_UNDIVIDED = """
import os, signal
from models.program import interrupts
interrupts.handle_signals("face-stream")
done = []
try:
    with interrupts.interruptible():
        with interrupts.undivided():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("step")
        done.append("more")
except KeyboardInterrupt:
    print(*done, interrupts.exit_code(), flush=True)
"""


def test_a_step_that_belongs_together_is_interrupted_only_when_it_is_done(start: Start) -> None:
    assert start("-c", _UNDIVIDED).communicate(timeout=_WAIT_S) == ("step 143\n", "")


_TELLING = """
import os, signal, sys, threading
from models.program import interrupts
interrupts.handle_signals("face-stream")

def tell():
    os.kill(os.getpid(), signal.SIGUSR1)

def in_part(name, then):
    with interrupts.telling(lambda: name):
        then()

def in_thread():
    part = threading.Thread(target=in_part, args=("a part in a thread", lambda: None))
    part.start()
    part.join()
    tell()

tell()
with interrupts.telling(lambda: "all"):
    in_part("a part", tell)
    in_thread()
tell()
os.close(2)
tell()  # nothing reads it any more
print("goes on", flush=True)
"""


def test_accounts_are_those_of_all_of_the_run_and_telling_them_ends_nothing(start: Start) -> None:
    said, told = start("-c", _TELLING).communicate(timeout=_WAIT_S)
    assert said == "goes on\n"
    assert told.splitlines() == ["nothing has begun yet", "all", "all", "nothing has begun yet"]


_IGNORING = """
import os, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as the shell does for what it starts with `&`
from models.program import interrupts
interrupts.handle_signals("face-stream")
with interrupts.interruptible():
    os.kill(os.getpid(), signal.SIGINT)
print("goes on", interrupts.exit_code(0), flush=True)
"""


def test_a_signal_that_is_ignored_from_the_start_stays_ignored(start: Start) -> None:
    assert start("-c", _IGNORING).communicate(timeout=_WAIT_S) == ("goes on 0\n", "")


def test_without_a_signal_the_exit_code_is_that_of_ctrl_c() -> None:
    assert (exit_code(), exit_code(0)) == (130, 0)


_IMPORT = """
import os, signal
from models.program import interrupts
from models.program.system_libraries import import_errors_in_one_line
interrupts.handle_signals("face-stream")
with import_errors_in_one_line("face-stream", "install it again"), interrupts.interruptible():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt as error:
        raise ImportError("initialization failed") from error
"""


def test_a_signal_that_an_extension_turns_into_a_failed_import(start: Start) -> None:
    process = start("-c", _IMPORT)
    assert process.communicate(timeout=_WAIT_S) == ("", "")
    assert process.returncode == 143


_SLOW_IMPORT = """
import sys
from contextlib import nullcontext
from models.program import interrupts
interrupts.handle_signals("face-stream")
try:
    with interrupts.claiming() if sys.argv[2] == "claimed" else nullcontext():
        with interrupts.interruptible():
            sys.path.insert(0, sys.argv[1])
            import slow
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(interrupts.exit_code())
"""


@pytest.mark.parametrize("claimed", ["claimed", "nothing"])
def test_an_import_is_ended_at_once_where_nothing_can_be_lost(
    claimed: str, start: Start, tmp_path: Path
) -> None:
    """An exception in the middle of an import makes some extensions end by `std::terminate`."""
    lines = "import time\nprint('importing', flush=True)\ntime.sleep(60)\n"
    (tmp_path / "slow.py").write_text(lines)
    process = start("-c", _SLOW_IMPORT, str(tmp_path), claimed)
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGTERM)
    said, errors = process.communicate(timeout=_WAIT_S)
    assert process.returncode == 128 + signal.SIGTERM
    assert (said, errors) == ("interrupted\n" if claimed == "claimed" else "", "")
