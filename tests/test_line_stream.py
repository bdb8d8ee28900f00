"""Lines to a reader: at once, whole, and without a reader nowhere."""

import array
import fcntl
import os
import signal
import subprocess
import sys
import termios
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from fakes import PATIENCE_S

from stream.errors import SinkError
from stream.sinks.data.line_stream import LineStream, is_standard_output, is_stream

_ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no FIFOs")


@contextmanager
def _read(fifo: Path) -> Iterator[int]:
    """The descriptor of a reader that is there from the beginning, and does not wait for lines."""
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield reader
    finally:
        os.close(reader)


def test_what_is_a_stream_is_told_by_what_is_there(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file").touch()
    for name in ("-", "/dev/stdout", "/dev/fd/1"):
        assert is_standard_output(Path(name)) and is_stream(Path(name))
    for path in (tmp_path / "fifo", Path("/dev/null")):
        assert is_stream(path) and not is_standard_output(path)
    for path in (tmp_path / "file", tmp_path, tmp_path / "missing", Path("x" * 300)):
        assert not is_stream(path)


def test_a_line_can_be_read_as_soon_as_it_is_written(tmp_path: Path) -> None:
    with _read(tmp_path / "fifo") as reader:
        stream = LineStream(tmp_path / "fifo")
        for line in ("one\n", "zwei ö\n"):
            stream.write(line)
            assert os.read(reader, 100) == line.encode()
        assert not stream.reader_left
        stream.close(complete=True, keep=True)
        assert os.read(reader, 100) == b""  # the end
    assert (tmp_path / "fifo").is_fifo()


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    with _read(tmp_path / "fifo"):
        stream = LineStream(tmp_path / "fifo")
        stream.write("one\n")
    assert stream.reader_left
    stream.write("two\n")
    stream.close(complete=True, keep=True)


def test_a_slow_reader_gets_every_line(tmp_path: Path) -> None:
    lines = [f"{number} {'x' * 50_000}\n" for number in range(20)]
    received: list[str] = []

    def read() -> None:
        with (tmp_path / "fifo").open() as file:
            received.extend(file)

    os.mkfifo(tmp_path / "fifo")
    reader = threading.Thread(target=read)
    reader.start()
    stream = LineStream(tmp_path / "fifo")
    for line in lines:
        stream.write(line)
    stream.close(complete=True, keep=True)
    reader.join(PATIENCE_S)
    assert received == lines


def test_a_reader_that_hangs_is_left(tmp_path: Path) -> None:
    with _read(tmp_path / "fifo"):
        stream = LineStream(tmp_path / "fifo", stall_s=1.0)
        with pytest.raises(
            SinkError, match=r"^hangs: what reads .*/fifo has taken nothing for 1 s"
        ):
            stream.write("line\n" * 100_000)
        stream.write("goes nowhere\n")
        stream.close(complete=False, keep=True)


def test_two_writers_do_not_cut_the_lines_of_each_other(tmp_path: Path) -> None:
    """Each writes more at once than a pipe takes in one piece."""
    received: list[str] = []

    def read() -> None:
        with (tmp_path / "fifo").open() as file:
            received.extend(file)

    def write(stream: LineStream, letter: str) -> None:
        for _ in range(20):
            stream.write(f"{letter * 99}\n" * 100)

    os.mkfifo(tmp_path / "fifo")
    reader = threading.Thread(target=read)
    reader.start()
    streams = [LineStream(tmp_path / "fifo") for _ in range(2)]
    writers = [
        threading.Thread(target=write, args=pair) for pair in zip(streams, "ab", strict=True)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(PATIENCE_S)
    for stream in streams:
        stream.close(complete=True, keep=True)
    reader.join(PATIENCE_S)
    assert Counter(received) == {f"{letter * 99}\n": 2000 for letter in "ab"}


def test_a_fifo_that_nothing_reads_is_waited_for_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.mkfifo(tmp_path / "fifo")
    opened: list[int] = []

    def read() -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not caplog.messages and time.monotonic() < deadline_s:
            time.sleep(0.001)
        opened.append(os.open(tmp_path / "fifo", os.O_RDONLY))

    reader = threading.Thread(target=read)
    reader.start()
    stream = LineStream(tmp_path / "fifo")
    reader.join(PATIENCE_S)
    assert caplog.messages == [f"{tmp_path / 'fifo'}: waiting for what reads it"]
    stream.write("one\n")
    assert os.read(opened[0], 100) == b"one\n"
    stream.close(complete=True, keep=True)
    os.close(opened[0])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_device_that_refuses_is_named() -> None:
    stream = LineStream(Path("/dev/full"))
    said = "/dev/full cannot be written: No space left on device"
    with pytest.raises(SinkError, match=said):
        stream.write("one\n")
    with pytest.raises(SinkError, match=said):
        stream.close(complete=True, keep=True)


def test_a_fifo_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="missing cannot be written: No such file or directory"):
        LineStream(tmp_path / "missing")


_WRITER = """
import sys
from pathlib import Path
from models.program import interrupts
from stream.errors import SinkError
from stream.sinks.data.line_stream import LineStream
interrupts.handle_signals("face-stream")
stream = LineStream(Path("-"))
try:
    with interrupts.interruptible():
        for number in range(100):
            stream.write(f"{number:4} {'x' * 8186}\\n")
except KeyboardInterrupt:
    with interrupts.finishing():
        try:
            stream.write("end\\n")
            stream.close(complete=True, keep=True)
        except SinkError as error:
            print(error, file=sys.stderr)
"""
"""Writes more than a pipe holds, in lines of whole pages, and completes it after a signal."""


@contextmanager
def _writer_that_waits() -> Iterator[subprocess.Popen[str]]:
    """A process that waits because its pipe is full, and has got a signal."""
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        filled, deadline_s = array.array("i", [0]), time.monotonic() + 6 * PATIENCE_S
        size = fcntl.fcntl(process.stdout, fcntl.F_GETPIPE_SZ)
        while filled[0] < size and time.monotonic() < deadline_s:
            time.sleep(0.001)
            fcntl.ioctl(process.stdout, termios.FIONREAD, filled)
        process.send_signal(signal.SIGINT)
        yield process


@pytest.mark.skipif(sys.platform != "linux", reason="how full a pipe is cannot be seen")
def test_ctrl_c_cuts_no_line_for_a_reader_that_comes_late() -> None:
    with _writer_that_waits() as process:
        output, errors = process.communicate(timeout=6 * PATIENCE_S)
    *lines, end = output.splitlines()
    assert (end, errors) == ("end", "")
    assert lines == [f"{number:4} {'x' * 8186}" for number in range(len(lines))]
    assert 0 < len(lines) < 100


@pytest.mark.skipif(sys.platform != "linux", reason="how full a pipe is cannot be seen")
def test_ctrl_c_ends_it_though_the_reader_hangs() -> None:
    with _writer_that_waits() as process:
        assert process.wait(timeout=6 * PATIENCE_S) == 0
        assert process.stderr is not None
        with closing(process.stderr) as errors:
            assert errors.read() == "standard output takes no more: its last lines are lost\n"
