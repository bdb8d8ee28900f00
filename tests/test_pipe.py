"""Video through a pipe: encoded or raw, from a FIFO or on standard input."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from fakes import SIZE_WH, encode, fifo, log_lines, number_of, numbered, write_clip

from stream.errors import ConfigError, SourceError
from stream.settings.schema import RawVideo, SourceSection
from stream.sources import Span, open_source
from stream.sources.capture import Capture
from stream.sources.pipe import PipeSource

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs here")


def test_raw_frames(tmp_path: Path) -> None:
    data = b"".join(numbered(number).tobytes() for number in range(10))
    raw = RawVideo(size=SIZE_WH, pixel_format="bgr24", fps=10.0)
    with fifo(tmp_path / "pipe", data + b"half a frame") as path:
        source = PipeSource(str(path), SourceSection(raw=raw))
        frames = list(source.frames())
        source.close()
    assert (source.info.size_wh, source.info.fps) == (SIZE_WH, 10.0)
    assert [number_of(frame.image) for frame in frames] == list(range(10))
    assert [frame.time_s for frame in frames] == pytest.approx([i / 10 for i in range(10)])
    assert (frames[3].image == numbered(3)).all()


def test_raw_frames_of_no_rate_are_25_a_second(tmp_path: Path) -> None:
    data = b"".join(numbered(number).tobytes() for number in range(10))
    with fifo(tmp_path / "pipe", data) as path:
        source = PipeSource(str(path), SourceSection(raw=RawVideo(size=SIZE_WH)))
        frames = list(source.frames())
        source.close()
    assert source.info.fps == 25
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(10)])


def test_what_raw_frames_cannot_be(tmp_path: Path) -> None:
    raw = RawVideo(size=SIZE_WH, pixel_format="colourful")
    with fifo(tmp_path / "pipe", bytes(10_000)) as path, pytest.raises(ConfigError) as caught:
        PipeSource(str(path), SourceSection(raw=raw))
    assert str(caught.value) == "source.raw: there is no pixel format 'colourful'"


def test_a_part_of_what_comes_through_a_pipe(tmp_path: Path) -> None:
    pictures = [numbered(number) for number in range(50)]
    data = encode(tmp_path / "a.mkv", pictures, "libx264", "yuv420p").read_bytes()
    with fifo(tmp_path / "pipe", data) as path:
        source = open_source(str(path), span=Span(0.4, 0.8))
        assert [number_of(frame.image) for frame in source.frames()] == list(range(10, 20))
        assert source.info.start_s == pytest.approx(0.4, abs=1e-3)
        assert source.info.reopen is None
        source.close()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "pipe is empty: nothing was written into it"),
        (b"not a video, but text", "pipe is not a video that can be read: Invalid data"),
    ],
)
def test_what_is_no_video(data: bytes, said: str, tmp_path: Path) -> None:
    with fifo(tmp_path / "pipe", data) as path, pytest.raises(SourceError, match=said):
        open_source(str(path))


def test_an_mp4_whose_index_is_last_cannot_come_through_a_pipe(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (20, 480, 640, 3), dtype=np.uint8)
    data = encode(tmp_path / "a.mp4", list(noise), "libx264", "yuv420p").read_bytes()
    with fifo(tmp_path / "pipe", data) as path, pytest.raises(SourceError) as caught:
        open_source(str(path))
    assert "must begin with its index" in str(caught.value)


def test_the_wait_for_a_writer_can_be_left(tmp_path: Path) -> None:
    pictures = [numbered(number) for number in range(50)]
    data = encode(tmp_path / "a.ts", pictures, "mpeg2video", "yuv420p").read_bytes()
    hold = threading.Event()
    with fifo(tmp_path / "pipe", data, hold) as path:
        raw = RawVideo(size=SIZE_WH, pixel_format="gray")
        source = PipeSource(str(path), SourceSection(raw=raw))
        with Capture(source) as capture:
            assert next(iter(capture)).index == 0
        assert not [each for each in threading.enumerate() if each.name == "capture"]
        hold.set()


def _run(data: bytes | None, *arguments: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "stream", "run", "-", "--no-show", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        check=False,
        timeout=120,
        **({"stdin": subprocess.DEVNULL} if data is None else {"input": data}),
    )


def test_a_clip_on_standard_input_is_annotated(tmp_path: Path) -> None:
    data = write_clip(tmp_path / "a.mkv", 8).read_bytes()
    done = _run(data, "--log", "out.jsonl", "--save", "out.mp4", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    header, *entries = log_lines(tmp_path / "out.jsonl")
    assert header["source"] == "standard input"
    assert [entry["frame"] for entry in entries if "frame" in entry] == list(range(8))
    assert (tmp_path / "out.mp4").exists()


def test_nothing_on_standard_input_is_one_line(tmp_path: Path) -> None:
    done = _run(None, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.decode() == (
        "face-stream: standard input is empty: nothing was written into it\n"
    )


def test_a_file_on_standard_input_may_have_its_index_at_the_end(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", 8)
    with clip.open("rb") as data:
        done = subprocess.run(
            [sys.executable, "-m", "stream", "run", "-", "--no-show", "--json-summary"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
            stdin=data,
            capture_output=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    assert b'"frames": 8' in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_signal_ends_the_wait_for_a_silent_pipe(
    share: float, number: signal.Signals, tmp_path: Path
) -> None:
    data = write_clip(tmp_path / "clip.mkv", 60).read_bytes()
    words = ["run", "-", "--no-show", "--save", "out.mp4", "--log", "out.jsonl", "--quiet"]
    run = subprocess.Popen(
        [sys.executable, "-m", "stream", *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert run.stdin is not None
        run.stdin.write(data[: int(len(data) * share)])
        run.stdin.flush()
        log = tmp_path / "out.part.jsonl"
        for _ in range(2000):
            if run.poll() is not None or (log.exists() and log.read_bytes().count(b"\n") > 5):
                break
            if not share and len(os.listdir(f"/proc/{run.pid}/task")) > 1:  # it waits in a thread
                break
            time.sleep(0.01)
        run.send_signal(number)
        run.wait(60)  # without closing the pipe
        assert run.stderr is not None
        assert run.stderr.read() == b""
    finally:
        run.kill()
        run.wait()
        for pipe in (run.stdin, run.stderr):
            pipe.close()
    assert run.returncode == 128 + number
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["clip.mkv", *(["out.jsonl", "out.mp4"] if share else [])]
