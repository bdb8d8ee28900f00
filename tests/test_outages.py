"""Sources that are not there for a while: what a run waits for, says, logs and keeps."""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fakes import numbered, stopped, times_s
from servers import HttpHandler, KillableServer, http, mjpeg_page, password_page
from typer.testing import CliRunner

from models.faces import Image
from stream.cli.app import app
from stream.errors import AbsentSourceError, SourceError
from stream.frames import Frame
from stream.run import run
from stream.settings import Config
from stream.sinks import AnnotatedFrame, Outputs
from stream.sources import open_source
from stream.sources.contract import Source
from stream.summary import Summary
from stream.tracks import Track


def _config(reconnect_s: float | str) -> Config:
    return Config.model_validate({"source": {"reconnect_s": reconnect_s}})


def _pictures() -> Iterator[Image]:
    """Without an end."""
    for number in itertools.count():
        yield numbered(number % 256)


def _lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


class _NoFaces:
    """An annotator that finds nothing."""

    attributes: ClassVar[Mapping[str, Sequence[str]]] = {}

    settle = None

    def annotate(self, frame: Frame, coming: Sequence[Frame] = ()) -> tuple[Track, ...]:
        return ()


class _AtFrame:
    """A watcher that acts at the frame of one number, and ends the run after the last one."""

    name = "watcher"
    output = None

    def __init__(self, number: int, act: Callable[[], object], last: int = 10_000) -> None:
        self._number, self._act, self._last = number, act, last
        self._count = 0

    @property
    def quit_requested(self) -> bool:
        return self._count >= self._last

    def write(self, annotated: AnnotatedFrame) -> None:
        self._count += 1
        if self._count == self._number:
            self._act()

    def close(self, present: Sequence[Any] = (), *, complete: bool) -> None:
        """It has nothing."""


def _run(source: Source, config: Config, outputs: Outputs, watcher: _AtFrame) -> Summary:
    return run(source, config, outputs, [watcher], load=lambda *_: _NoFaces())


@pytest.fixture
def server() -> Iterator[KillableServer]:
    server = http({"/": mjpeg_page(_pictures())})
    yield server
    server.kill()


def test_what_was_recorded_takes_its_name_when_a_source_does_not_come_back(
    server: KillableServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config, uri = _config(1.0), f"http://{server.address}/"
    outputs = Outputs(save=tmp_path / "out.mp4", log=tmp_path / "out.jsonl")
    summary = _run(open_source(uri, config), config, outputs, _AtFrame(10, server.kill))
    (failure,) = summary.failures
    assert failure.startswith(f"{uri} ")
    assert failure.endswith(", and was not back within 1 s")
    assert set(summary.outputs) == {tmp_path / "out.mp4", tmp_path / "out.jsonl"}
    assert len(times_s(tmp_path / "out.mp4")) == summary.frames >= 10
    lines = _lines(tmp_path / "out.jsonl")
    states = [each for each in lines if "state" in each]
    assert [each["state"] for each in states] == ["live", "waiting"]
    assert states[1]["reason"] in failure
    accounts = summary.as_dict()
    (gap,) = accounts["gaps"]
    end = lines[-1]["end"]
    assert end == {
        **{name: accounts[name] for name in end},
        "failures": [],  # what ends a run is known when its files are closed
    }
    assert {"frames", "dropped", "reconnects", "gaps", "damaged_packets", "skipped"} <= end.keys()
    assert (gap["lasted_s"], gap["reason"]) == (None, states[1]["reason"])
    caplog.clear()  # the failure was logged as an error


def test_an_outage_stands_in_log_and_summary(server: KillableServer, tmp_path: Path) -> None:
    config, uri = _config("forever"), f"http://{server.address}/"
    later = threading.Timer(0.2, server.start)

    def go_away() -> None:
        server.kill()
        later.start()

    watcher = _AtFrame(10, go_away, last=30)
    outputs = Outputs(log=tmp_path / "out.jsonl")
    summary = _run(open_source(uri, config), config, outputs, watcher)
    later.join()
    assert (summary.failures, summary.frames) == ([], 30)
    assert ", 1 gap of " in summary.line()
    figures = summary.as_dict()
    assert figures["reconnects"] == 1
    lines = _lines(tmp_path / "out.jsonl")[1:]
    order = [each.get("state", "frame") for each in lines]
    assert [state for state, _ in itertools.groupby(order)] == [
        "live", "frame", "waiting", "back", "frame",
    ]  # fmt: skip
    waiting, back = (each for each in lines if each.get("state") in ("waiting", "back"))
    (gap,) = figures["gaps"]
    assert gap == {
        "since": waiting["at"],
        "lasted_s": back["lasted_s"],
        "reason": waiting["reason"],
    }


def test_a_source_that_is_not_there_yet_is_waited_for(
    server: KillableServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.kill()
    uri = f"http://{server.address}/"
    later = threading.Timer(0.2, server.start)
    later.start()
    source = open_source(uri, _config(60))
    later.join()
    absent, live = caplog.messages
    assert absent.startswith(f"{uri} cannot be read: Connection refused: waiting since ")
    assert live.startswith(f"{uri} is live after ")
    assert [each.state for each in source.info.history.changes_since(0)] == ["waiting", "live"]
    assert next(source.frames()).index == 0
    source.close()


def test_a_source_that_answers_before_it_has_pictures_is_waited_for() -> None:
    requests = itertools.count()

    def page(handler: HttpHandler) -> None:
        if next(requests) < 2:
            handler.send_error(503)
        else:
            mjpeg_page(_pictures())(handler)

    with http({"/": page}) as server:
        source = open_source(f"http://{server.address}/", _config("forever"))
        assert next(source.frames()).index == 0
        source.close()


def test_a_refusal_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    page = password_page("me:right", mjpeg_page(_pictures()))
    with (
        http({"/": page, "/text": lambda handler: handler.send(b"no video" * 1000)}) as server,
        pytest.raises(SourceError, match="401 Unauthorized"),
    ):
        open_source(f"http://me:wrong@{server.address}/", _config("forever"))
    assert server.requests <= 2  # FFmpeg asks once without the password
    assert not caplog.messages


@pytest.mark.parametrize("reconnect_s", ["auto", 0.0])
def test_without_the_wish_to_wait_an_absent_source_is_an_error_at_once(
    reconnect_s: float | str, caplog: pytest.LogCaptureFixture
) -> None:
    server = http({})
    server.kill()
    for uri in (f"http://{server.address}/", "/dev/video987", "/dev/v4l/by-id/usb-none"):
        with pytest.raises(AbsentSourceError):
            open_source(uri, _config(reconnect_s))
    assert not caplog.messages


def test_a_camera_is_waited_for_by_its_path(caplog: pytest.LogCaptureFixture) -> None:
    uri = "/dev/v4l/by-id/usb-none"
    result = CliRunner().invoke(app, ["run", uri, "--no-show", "--set", "source.reconnect_s=0.1"])
    assert result.exit_code == 1
    assert "such device: is it connected?; it has not come within 0.1 s" in result.stderr
    (absent,) = caplog.messages
    assert absent.startswith("/dev/v4l/by-id/usb-none: there is no such device: is it connected?")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_wait_for_a_source_that_never_comes(
    number: int, code: int, tmp_path: Path
) -> None:
    server = http({})
    server.kill()
    words = [f"http://{server.address}/", "--no-show", "--set", "source.reconnect_s=forever"]
    program = subprocess.Popen(
        [sys.executable, "-m", "stream", "run", *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        stderr=subprocess.PIPE,
        text=True,
    )
    with program, stopped(program):
        assert program.stderr is not None
        said = program.stderr.readline()
        program.send_signal(number)
        rest = program.communicate(timeout=60)[1]
    assert ": waiting since 2" in said
    assert (program.returncode, rest) == (code, "")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_a_signal_prints_the_accounts_at_once(tmp_path: Path) -> None:
    server = http({"/": mjpeg_page(_pictures())})
    server.kill()
    words = [f"http://{server.address}/", "--log", "out.jsonl", "--no-show"]
    program = subprocess.Popen(
        [sys.executable, "-m", "stream", "run", *words, "--set", "source.reconnect_s=forever"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        stderr=subprocess.PIPE,
        text=True,
    )
    with program, stopped(program):
        assert program.stderr is not None
        assert ": waiting since " in program.stderr.readline()
        program.send_signal(signal.SIGUSR1)
        assert program.stderr.readline() == "nothing has begun yet\n"
        server.start()
        assert " is live after " in program.stderr.readline()
        frames, deadline_s = 0, time.monotonic() + 60
        while frames == 0 and time.monotonic() < deadline_s:
            program.send_signal(signal.SIGUSR1)
            said = program.stderr.readline()
            frames = json.loads(said)["frames"] if said.startswith("{") else 0
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=60)
    server.kill()
    accounts = json.loads(said)
    assert accounts["gaps"][0]["reason"].endswith("Connection refused")
    assert accounts["fps"] > 0
    assert program.returncode == 130
    assert _lines(tmp_path / "out.jsonl")[-1]["end"]["frames"] >= frames
