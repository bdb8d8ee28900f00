"""Live sources side by side: each goes its own way, whatever becomes of the others."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from fakes import log_lines, numbered, times_s
from servers import KillableServer, http, mjpeg_page

from models.errors import ModelError
from models.faces import Image
from stream.errors import SinkError
from stream.frames import Frame
from stream.settings import Config
from stream.settings.schema import EngineSection, RunSection, SourceSection
from stream.several.listing import NamedSource, list_sources
from stream.several.member import Member
from stream.several.naming import name_outputs
from stream.several.shared_model import SharedModel
from stream.several.side_by_side import run_side_by_side
from stream.several.totals import Totals
from stream.sinks import Outputs
from stream.sources import WHOLE
from stream.sources.demo import portrait
from stream.tracks import Track

_WAIT_S = 60.0
_OUT = Path("out")
_CONFIG = Config(source=SourceSection(reconnect_s=0.0, timeout_s=5.0))
_FRAMES = 3  # of each source, from which on all of them are known to work


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def face() -> Iterator[KillableServer]:
    """A camera that shows a face."""
    with http({"/face": mjpeg_page(cycle([portrait()]))}) as server:
        yield server


@pytest.fixture
def stripes() -> Iterator[KillableServer]:
    """A camera that shows nobody."""
    with http(
        {"/stripes": mjpeg_page(numbered(each % 256) for each in cycle(range(256)))}
    ) as server:
        yield server


class Viewer:
    """A screen whose user presses a key when something has come about.

    Args:
        presses: what is waited for, and the key that is pressed then, one after the other.
    """

    def __init__(self, *presses: tuple[Callable[[], bool], str]) -> None:
        self.shown: list[Image] = []
        self.is_open = True
        self.closed = False
        self._presses = list(presses)
        self._until_s = time.monotonic() + _WAIT_S

    def show(self, picture: Image) -> None:
        self.shown.append(picture)

    def key(self, wait_ms: int) -> str:
        assert time.monotonic() < self._until_s, "it does not come about"
        threading.Event().wait(wait_ms / 1000)  # as a screen waits for a key
        if self._presses and self._presses[0][0]():
            return self._presses.pop(0)[1]
        return ""

    def fill(self, *, full: bool) -> None:
        """It has no size of its own."""

    def close(self) -> None:
        self.closed = True


def _log(name: str) -> Path:
    """The log of a source, while it is written or after."""
    (found,) = [each for each in _OUT.glob("*.jsonl") if name in each.name]
    return found


def _frames(name: str) -> int:
    """How many frames are in the log of a source so far."""
    try:
        text = _log(name).read_text(encoding="utf-8")
    except (ValueError, FileNotFoundError):  # it is not there yet, or takes its final name
        return 0
    return text.count('"frame":')


def _has_both() -> bool:
    return min(_frames("face"), _frames("stripes")) >= _FRAMES


def _run(addresses: list[str], screen: Any, config: Config = _CONFIG) -> Totals:
    sources = list_sources(addresses)
    outputs = name_outputs(Outputs(log=_OUT), sources, config)
    return run_side_by_side(sources, outputs, config, screen=screen)


def _tracks(path: Path) -> set[int]:
    return {each["track"] for line in log_lines(path)[1:] for each in line["faces"]}


def test_each_keeps_its_tracks_and_its_log_and_one_that_is_not_there_stops_no_other(
    face: KillableServer, stripes: KillableServer, caplog: pytest.LogCaptureFixture
) -> None:
    screen = Viewer((_has_both, "q"))
    base = f"http://{face.address}"
    addresses = [f"{base}/face", f"{base}/missing", f"http://{stripes.address}/stripes"]
    totals = _run(addresses, screen)
    assert [str(source) for source, _ in totals.summaries] == addresses
    assert [bool(summary.frames) for _, summary in totals.summaries] == [True, False, True]
    assert totals.failures == caplog.messages
    assert "/missing cannot be read" in totals.failures[0]
    caplog.clear()
    assert not totals.interrupted
    assert _tracks(_log("face.jsonl")) == {1}
    assert _tracks(_log("stripes.jsonl")) == set()
    indices = [line["frame"] for line in log_lines(_log("face.jsonl"))[1:]]
    assert indices == sorted(set(indices))
    assert not list(_OUT.glob("*.part.*"))
    assert screen.closed
    assert len(np.unique([picture.shape for picture in screen.shown], axis=0)) == 1


def test_one_that_is_lost_is_named_and_the_others_go_on(
    face: KillableServer, stripes: KillableServer, caplog: pytest.LogCaptureFixture
) -> None:
    lost = f"http://{stripes.address}/stripes"
    frames_before: list[int] = []

    def is_cut_off() -> bool:
        if _has_both():
            stripes.kill()
            return True
        return False

    def is_named() -> bool:
        frames_before.append(_frames("face"))
        return f"{lost} was lost" in caplog.text

    def goes_on() -> bool:
        return _frames("face") > frames_before[-1]

    screen = Viewer((is_cut_off, "x"), (is_named, "x"), (goes_on, "q"))
    totals = _run([f"http://{face.address}/face", lost], screen)
    (_, first), (_, second) = totals.summaries
    assert (first.failures, totals.failed) == ([], 1)
    assert f"{lost} was lost" in second.failures[0]
    caplog.clear()
    assert _log("face").name.endswith("face.jsonl")
    assert _log("stripes").name.endswith("stripes.jsonl")
    assert not list(_OUT.glob("*.part.*"))


class _Hanging:
    attributes: ClassVar[Mapping[str, Sequence[str]]] = {}

    def __init__(self, let_go: threading.Event) -> None:
        self._frames, self._let_go = 0, let_go

    settle = None

    def annotate(self, frame: Frame, coming: Sequence[Frame] = ()) -> tuple[Track, ...]:
        self._frames += 1
        if self._frames == _FRAMES:
            assert self._let_go.wait(_WAIT_S)
        return ()


def test_one_that_hangs_is_left_and_what_it_has_is_complete(
    stripes: KillableServer, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    let_go, uri = threading.Event(), f"http://{stripes.address}/stripes"
    config = _CONFIG.model_copy(update={"run": RunSection(stall_s=3)})
    outputs = Outputs(log=folder / "out.jsonl")
    model = SharedModel(lambda *_: _Hanging(let_go))
    member = Member(NamedSource(uri, "address"), outputs, config, WHOLE, model)
    member.thread.start()
    assert member.done.wait(_WAIT_S)
    assert (member.is_left, member.summary.outputs) == (True, [folder / "out.jsonl"])
    (failure,) = member.summary.failures
    assert failure.startswith(f"the run hangs: the thread 'source {uri}' in ")
    assert len(log_lines(folder / "out.jsonl")[1:]) == _FRAMES - 1
    let_go.set()
    member.thread.join()
    caplog.clear()


def test_keys_record_each_into_a_file_of_its_own(
    face: KillableServer, stripes: KillableServer
) -> None:
    def are_recorded() -> bool:
        return len(list(Path().glob("recording-*.part.mp4"))) == 2

    screen = Viewer((_has_both, "r"), (are_recorded, "r"), (lambda: not are_recorded(), "q"))
    totals = _run([f"http://{each.address}/{name}" for each, name in _both(face, stripes)], screen)
    recordings = sorted(Path().glob("recording-*.mp4"))
    assert [len(times_s(path)) > 0 for path in recordings] == [True, True]
    assert {path.name.split("-")[3] for path in recordings} == {"face", "stripes"}
    assert totals.failures == []


def _both(face: KillableServer, stripes: KillableServer) -> list[tuple[KillableServer, str]]:
    return [(face, "face"), (stripes, "stripes")]


def test_a_screen_that_is_gone_is_named_and_the_logs_go_on(
    face: KillableServer, stripes: KillableServer, caplog: pytest.LogCaptureFixture
) -> None:
    class Gone(Viewer):
        def show(self, picture: Image) -> None:
            if len(self.shown) == 2:
                raise SinkError("the screen is gone")
            super().show(picture)

    sources = list_sources([f"http://{each.address}/{name}" for each, name in _both(face, stripes)])
    outputs = name_outputs(Outputs(log=_OUT), sources, _CONFIG)
    ended = threading.Thread(target=_end_when, args=([face, stripes],))
    ended.start()
    try:
        totals = run_side_by_side(sources, outputs, _CONFIG, screen=Gone())
    finally:
        ended.join()
    assert totals.failures[0] == "window: the screen is gone"
    assert all(summary.frames >= _FRAMES for _, summary in totals.summaries)
    caplog.clear()


def _end_when(servers: list[KillableServer]) -> None:
    """Ends the cameras once both have been seen."""
    until_s = time.monotonic() + _WAIT_S
    while not _has_both() and time.monotonic() < until_s:
        time.sleep(0.02)
    for each in servers:
        each.kill()


def test_where_a_window_is_all_there_is_its_loss_ends_all(
    face: KillableServer, stripes: KillableServer, caplog: pytest.LogCaptureFixture
) -> None:
    class Gone(Viewer):
        def show(self, picture: Image) -> None:
            raise SinkError("the screen is gone")

    sources = list_sources([f"http://{each.address}/{name}" for each, name in _both(face, stripes)])
    totals = run_side_by_side(sources, [Outputs(), Outputs()], _CONFIG, screen=Gone())
    assert totals.failures == ["window: the screen is gone"]
    assert "nothing is left to be written or shown: stopped" in caplog.messages
    caplog.clear()


def test_the_loss_of_a_window_does_not_end_what_events_are_read_of(
    face: KillableServer, stripes: KillableServer, caplog: pytest.LogCaptureFixture
) -> None:
    class Gone(Viewer):
        def show(self, picture: Image) -> None:
            face.kill()  # so that the sources have an end
            stripes.kill()
            raise SinkError("the screen is gone")

    sources = list_sources([f"http://{each.address}/{name}" for each, name in _both(face, stripes)])
    outputs = [Outputs(events=True), Outputs(events=True)]
    totals = run_side_by_side(sources, outputs, _CONFIG, screen=Gone())
    assert "nothing is left" not in caplog.text
    assert "window: the screen is gone" in totals.failures
    caplog.clear()


def test_a_model_that_cannot_be_loaded_is_said_once(folder: Path) -> None:
    config = Config(engine=EngineSection(model=str(folder)))
    with pytest.raises(ModelError, match="not a model folder"):
        _run(["http://127.0.0.1:9/a", "http://127.0.0.1:9/b"], None, config)
    assert not _OUT.exists()


def test_a_signal_prints_the_accounts_of_all_and_another_completes_all(
    face: KillableServer, stripes: KillableServer
) -> None:
    addresses = [f"http://{each.address}/{name}" for each, name in _both(face, stripes)]
    words = ["run", *addresses, "--no-show", "--save", "out", "--log", "out"]
    run = subprocess.Popen(
        [sys.executable, "-m", "stream", *words], stderr=subprocess.PIPE, text=True
    )
    try:
        until_s = time.monotonic() + _WAIT_S
        while not _has_both():
            assert run.poll() is None, run.communicate()
            assert time.monotonic() < until_s, "the sources do not begin"
            time.sleep(0.05)
        os.kill(run.pid, signal.SIGUSR1)
        assert run.stderr is not None
        accounts = json.loads(run.stderr.readline())
        os.kill(run.pid, signal.SIGTERM)
        _, stderr = run.communicate(timeout=_WAIT_S)
    finally:
        run.kill()
        run.communicate()
    assert run.returncode == 128 + signal.SIGTERM
    assert not list(_OUT.glob("*.part.*"))
    for _, name in _both(face, stripes):
        (video,) = [each for each in _OUT.glob("*.mp4") if name in each.name]
        assert len(times_s(video)) == len(log_lines(_log(f"{name}.jsonl"))) - 1 >= _FRAMES
    assert stderr.splitlines()[-1].startswith("2 sources: ")
    assert [each["source"] for each in accounts["sources"]] == addresses
    assert min(each["frames"] for each in accounts["sources"]) >= _FRAMES
    assert accounts["frames"] == sum(each["frames"] for each in accounts["sources"])


def test_what_reads_the_events_of_all_leaves_and_none_is_waited_for(face: KillableServer) -> None:
    absent = "http://127.0.0.1:9/none"
    words = ["run", f"http://{face.address}/face", absent, "--no-show", "--events"]
    run = subprocess.Popen(
        [sys.executable, "-m", "stream", *words, "--set", "source.reconnect_s=forever"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with run:
        try:
            assert run.stdout is not None and run.stderr is not None
            assert b"appeared" in run.stdout.readline()
            run.stdout.close()
            run.stderr.read()
            assert run.wait(timeout=_WAIT_S) == 0
        finally:
            run.kill()
