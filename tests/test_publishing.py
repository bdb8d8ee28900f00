"""Annotated video sent on while it comes, to what receives it here, is killed and comes back."""

import io
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from fakes import PATIENCE_S, SIZE_WH, fan_out, frame, number_of, stopped

from stream.controls import RunReport
from stream.drawing.overlay import Overlay
from stream.errors import SinkError
from stream.frames import Frame, SourceInfo
from stream.settings import Config
from stream.settings.schema import OverlaySection, PublishSection, RecorderSection
from stream.sinks.outputs import Outputs
from stream.sinks.publishing.destinations import VideoDestination, split_saved
from stream.sinks.publishing.opening import opened_publishers

_FFMPEG = shutil.which("ffmpeg")
_needs_ffmpeg = pytest.mark.skipif(_FFMPEG is None, reason="the program ffmpeg is not there")

_LIVE = SourceInfo("door", "stream", SIZE_WH, 25.0)
_FILE = SourceInfo("door.mp4", "video", SIZE_WH, 25.0, 40)
_BARE = OverlaySection(labels=False, legend=False)
_QUICK = RecorderSection(quality=10, preset="ultrafast")

_ENOUGH_BYTES = 15_000
"""How large a file must be that has a second of these pictures, bytes."""

_MOST_FRAMES = 1500
"""Frames that are given at most until something has happened: half a minute."""


def _config(**publish: object) -> Config:
    return Config(overlay=_BARE, recorder=_QUICK, publish=PublishSection(**publish))


class _Run:
    """Frames of a live source that go to one destination, one each hundredth of a second."""

    def __init__(
        self, destination: VideoDestination, info: SourceInfo = _LIVE, config: Config | None = None
    ) -> None:
        config = config or _config()
        self.report = RunReport()
        outputs = Outputs(streams=(destination,))
        self.sinks = list(opened_publishers(config, info, outputs, self.report))
        (self.delivery,) = self.report.deliveries.values()
        self.fan_out = fan_out(self.sinks, Overlay(config.overlay), info, report=self.report)
        self.number = 0
        self._pace = threading.Event()
        self._size_wh, self._random = info.size_wh, np.random.default_rng(5)

    def give(self, count: int = 1) -> None:
        for _ in range(count):
            self.fan_out.write(self._frame(), [])
            self.number += 1

    def _frame(self) -> Frame:
        """Large pictures have noise, so that they stay large when they are encoded."""
        whole = frame(self.number % 256, self._size_wh)
        if self._size_wh == SIZE_WH:
            return whole
        noise = self._random.integers(0, 90, whole.image.shape, dtype=np.uint8)
        return replace(whole, pixels=whole.image // 2 + noise)

    def give_until(self, is_done: Callable[[], bool]) -> None:
        for _ in range(_MOST_FRAMES):
            if is_done():
                return
            self.give()
            self._pace.wait(0.02)
        pytest.fail(f"it has not happened: {self.delivery}")


@contextmanager
def _running(
    destination: VideoDestination, info: SourceInfo = _LIVE, config: Config | None = None
) -> Iterator[_Run]:
    run = _Run(destination, info, config)
    with run.fan_out:
        yield run


def _to(name: str) -> VideoDestination:
    _, (destination,) = split_saved([name])
    return destination


def _numbers(media: object) -> list[int]:
    """The numbers in the pictures of a video, as far as it can be read."""
    with av.open(media) as container:
        return [number_of(each.to_ndarray(format="bgr24")) for each in container.decode(video=0)]


def _free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _receiver(path: Path, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """FFmpeg, which takes one stream and writes it down."""
    assert _FFMPEG is not None
    command = [_FFMPEG, "-loglevel", "error", "-y", "-analyzeduration", "200000"]
    command += [*options, "-c", "copy", "-flush_packets", "1", str(path)]
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with program, stopped(program):
        yield program


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _are_in_order(numbers: Sequence[int]) -> bool:
    return len(numbers) > 5 and list(numbers) == sorted(set(numbers))


@pytest.mark.parametrize("form", ["matroska", "mpegts"])
def test_all_frames_of_a_file_go_to_standard_output(
    form: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with _running(_to("-"), _FILE, _config(pipe=form)) as run:
        run.give(40)
    assert _numbers(io.BytesIO(capfdbinary.readouterr().out)) == list(range(40))
    assert (run.delivery.sent, run.delivery.dropped) == (40, 0)


def test_a_keyframe_comes_each_second_also_of_few_frames(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    with _running(_to("-"), _FILE) as run:
        for run.number in range(0, 200, 10):
            run.give()
    with av.open(io.BytesIO(capfdbinary.readouterr().out)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
    keys = [number for number, packet in enumerate(packets) if packet.is_keyframe]
    assert len(packets) == 20 and keys == list(range(0, 20, 3))  # two are 0.8 s, three 1.2 s


_WRITES = f"""
import sys
from fakes import frame, fan_out
from stream.drawing.overlay import Overlay
from test_publishing import _LIVE, _Run, _to
run = _Run(_to("-"))
with run.fan_out:
    run.give_until(lambda: run.fan_out.quit_requested)
print(run.report.failures, run.number < {_MOST_FRAMES}, file=sys.stderr)
"""


def _program(script: str) -> "subprocess.Popen[bytes]":
    """A script that sees what the tests see."""
    here = Path(__file__).parent
    environment = os.environ | {"PYTHONPATH": f"{here}{os.pathsep}{here.parent}"}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", script], stdout=pipe, stderr=pipe, env=environment
    )


def test_a_reader_of_standard_output_that_leaves_ends_the_run() -> None:
    program = _program(_WRITES)
    with program, stopped(program):
        assert program.stdout is not None and program.stderr is not None
        assert program.stdout.read(100)
        program.stdout.close()
        assert program.stderr.read().decode().splitlines()[-1:] == ["[] True"]


def test_hls_of_a_file_has_all_of_it(tmp_path: Path) -> None:
    playlist = tmp_path / "all.m3u8"
    with _running(_to(str(playlist)), _FILE, _config(hls_segment_s=0.5, hls_segments=1)) as run:
        run.give(100)
    assert _numbers(str(playlist)) == list(range(100))
    assert len(list(tmp_path.glob("all-*.ts"))) > 2


def test_hls_goes_on_where_the_disk_was_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, away = tmp_path / "live", tmp_path / "away"
    folder.mkdir()
    with _running(_to(str(folder / "a.m3u8")), _LIVE, _config(hls_segment_s=0.5)) as run:
        run.give_until(lambda: len(list(folder.glob("*.ts"))) > 1)
        folder.rename(away)
        run.give_until(lambda: run.delivery.outages > 0)
        away.rename(folder)
        sent = run.delivery.sent
        run.give_until(lambda: run.delivery.sent > sent + 30)
    assert run.delivery.dropped > 0
    text = (folder / "a.m3u8").read_text()
    assert "#EXT-X-DISCONTINUITY" in text and text.endswith("#EXT-X-ENDLIST\n")
    assert [message.split(":")[0] for message in caplog.messages] == [
        str(folder / "a.m3u8"),
        f"{folder / 'a.m3u8'} is there again after {run.delivery.outages_s:.1f} s",
    ]


@_needs_ffmpeg
def test_rtmp_goes_on_where_the_server_was_killed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    address = f"rtmp://127.0.0.1:{_free_port()}/live/camera"
    first, second = tmp_path / "first.ts", tmp_path / "second.ts"
    with _running(_to(address)) as run:
        with _receiver(first, "-listen", "1", "-i", address) as server:
            run.give_until(lambda: _size(first) > _ENOUGH_BYTES)
            server.kill()
        gone = run.delivery.outages
        run.give_until(lambda: run.delivery.outages > gone)
        with _receiver(second, "-listen", "1", "-i", address) as server:
            run.give_until(lambda: _size(second) > _ENOUGH_BYTES)
            run.fan_out.__exit__(None, None, None)
            server.wait(PATIENCE_S)
    assert _are_in_order(_numbers(str(second)))
    assert run.delivery.dropped > 0 and not run.report.failures
    said = [message for message in caplog.messages if address in message]
    assert len(said) == 2 * run.delivery.outages  # each once, and once that it is over


@_needs_ffmpeg
def test_rtsp_is_published_to_a_server(tmp_path: Path) -> None:
    address = f"rtsp://127.0.0.1:{_free_port()}/camera"
    out = tmp_path / "got.ts"
    with (
        _receiver(out, "-rtsp_flags", "listen", "-i", address) as server,
        _running(_to(address)) as run,
    ):
        run.give_until(lambda: _size(out) > _ENOUGH_BYTES)
        run.fan_out.__exit__(None, None, None)
        server.wait(PATIENCE_S)
    assert _are_in_order(_numbers(str(out)))


@_needs_ffmpeg
def test_srt_is_sent_encrypted_and_no_list_of_processes_shows_how(tmp_path: Path) -> None:
    secret = "correct-horse-battery"
    address = f"srt://127.0.0.1:{_free_port(socket.SOCK_DGRAM)}?passphrase={secret}&streamid=door"
    out = tmp_path / "got.ts"
    with (
        _receiver(out, "-i", f"{address}&mode=listener") as listener,
        _running(_to(address)) as run,
    ):
        run.give_until(lambda: run.delivery.sent > 30)
        assert secret not in _words_of_children(os.getpid(), but=listener.pid)
        run.give_until(lambda: _size(out) > _ENOUGH_BYTES)
    assert _are_in_order(_numbers(str(out)))
    assert secret not in f"{run.report} {run.fan_out} {run.sinks}"


def _words_of_children(parent: int, but: int) -> str:
    """The command lines of the processes that a process has started; there are some."""
    words = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            line = (folder / "cmdline").read_text()
        except OSError:
            continue  # it has just ended
        if int(fields[1]) == parent and int(folder.name) != but:
            words.append(line)
    assert words
    return " ".join(words)


def test_udp_is_received_by_pyav() -> None:
    address = f"udp://127.0.0.1:{_free_port(socket.SOCK_DGRAM)}"
    seen: list[int] = []

    def receive() -> None:
        with av.open(f"{address}?fifo_size=1000", timeout=PATIENCE_S) as container:
            for each in container.decode(video=0):
                seen.append(number_of(each.to_ndarray(format="bgr24")))
                if len(seen) > 20:
                    return

    reader = threading.Thread(target=receive)
    reader.start()
    with _running(_to(address)) as run:
        run.give_until(lambda: not reader.is_alive())
    reader.join()
    assert len(set(seen)) > 15


def test_a_dead_far_end_slows_nothing_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    run = _Run(_to(f"rtmp://127.0.0.1:{_free_port()}/live/camera"))
    with pytest.raises(SinkError, match="nothing could be sent: Connection refused"):
        run.give_until(lambda: run.delivery.outages > 0)
        run.give(300)
        run.sinks[0].close(complete=True)
    assert (run.delivery.sent, run.delivery.dropped) == (0, run.number)
    (said,) = caplog.messages
    assert "Connection refused; tried again since" in said


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")
@_needs_ffmpeg
def test_a_far_end_that_takes_nothing_gets_the_newest_when_it_goes_on(tmp_path: Path) -> None:
    address, out = f"rtmp://127.0.0.1:{_free_port()}/live/camera", tmp_path / "got.ts"
    large = SourceInfo("door", "stream", (320, 192), 25.0)
    with (
        _receiver(out, "-listen", "1", "-i", address) as server,
        _running(_to(address), large) as run,
    ):
        run.give_until(lambda: run.delivery.sent > 20)
        server.send_signal(signal.SIGSTOP)
        dropped = run.delivery.dropped
        run.give_until(lambda: run.delivery.dropped > dropped + 60)
        server.send_signal(signal.SIGCONT)
        sent = run.delivery.sent
        run.give_until(lambda: run.delivery.sent > sent + 20)
        run.fan_out.__exit__(None, None, None)
        server.wait(PATIENCE_S)
    numbers = _numbers(str(out))
    assert max(b - a for a, b in itertools.pairwise(numbers)) > 30


def test_a_far_end_that_never_answers_ends_with_the_run() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        run = _Run(_to(f"rtmp://127.0.0.1:{port}/live/camera"))
        run.give(50)
        with pytest.raises(SinkError, match="nothing could be sent"):
            run.sinks[0].close(complete=True)
    assert "relay_process" not in _all_words_of_children(os.getpid())


def _all_words_of_children(parent: int) -> str:
    try:
        return _words_of_children(parent, but=0)
    except AssertionError:
        return ""
