"""What hangs: the reader of a source, the encoder, an output, the search; each really hangs."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from fakes import PATIENCE_S, SIZE_WH, NumberedSource, RecordingSink, frame, numbered, times_s

from models.faces import Image
from stream.controls import Controls, RunReport
from stream.drawing.canvas import Canvas
from stream.drawing.overlay import Overlay
from stream.errors import SinkError
from stream.frames import Frame, SourceInfo
from stream.run import run
from stream.service import tell_service_manager
from stream.settings import Config
from stream.settings.schema import RecorderSection
from stream.sinks import AnnotatedFrame, Outputs
from stream.sinks.segments import Placement, Segment, SegmentNames
from stream.sinks.video.manual_recording import ManualRecordings
from stream.sinks.video.recorder import Recorder
from stream.sinks.video.segmented_video import SegmentedVideo
from stream.source_history import SourceHistory
from stream.sources.guarded import GuardedSource
from stream.sources.reconnection import Reconnection
from stream.stalls import TICK_S, StallTimer, awaited, place_of
from stream.tracks import Track

_STALL_S = 3  # a thread of a busy machine may not run for a second

_INFO = SourceInfo("numbers", "camera", SIZE_WH, 25.0)
_QUICK = Config.model_validate({"run": {"stall_s": _STALL_S}})


class _Hanging(NumberedSource):
    """Gives some frames, then hangs until it is let go, whatever it is asked for."""

    def __init__(self, count: int, let_go: threading.Event, history: SourceHistory) -> None:
        super().__init__(count, kind="camera")
        self.info = SourceInfo("numbers", "camera", SIZE_WH, 25.0, count, history=history)
        self._let_go = let_go

    def frames(self) -> Iterator[Frame]:
        yield from super().frames()
        self._let_go.wait()


def test_a_source_whose_reader_hangs_is_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    let_go, history = threading.Event(), SourceHistory()
    sources = [_Hanging(5, let_go, history), NumberedSource(4, kind="camera")]
    reconnection = Reconnection("the camera", 60.0, history)
    guarded = GuardedSource(sources[0], lambda: sources[1], _STALL_S, reconnection)
    frames = list(guarded.frames())
    guarded.close()
    let_go.set()
    assert [each.index for each in frames] == list(range(9))  # numbers and times go on
    assert [each.time_s for each in frames] == sorted(each.time_s for each in frames)
    hangs, back = caplog.messages
    assert hangs.startswith("the camera hangs: the thread 'reader' in run (sources/guarded.py)")
    assert " gives nothing for 3 s: waiting since " in hangs
    assert back.startswith("the camera is back after ")
    assert history.reconnects == 1


def test_a_source_that_is_waited_for_does_not_hang(caplog: pytest.LogCaptureFixture) -> None:
    let_go, history = threading.Event(), SourceHistory()
    source = _Hanging(3, let_go, history)
    history.note_waiting("it was lost")
    guarded = GuardedSource(
        source, lambda: pytest.fail("opened again"), TICK_S, Reconnection("x", 60.0, history)
    )
    threading.Timer(4 * TICK_S, let_go.set).start()
    assert len(list(guarded.frames())) == 3
    guarded.close()
    assert not caplog.messages


def test_a_source_whose_frames_are_not_taken_is_not_read_on() -> None:
    source = NumberedSource(1000, kind="camera")
    guarded = GuardedSource(source, lambda: source, 60.0, Reconnection("x", 0.0))
    frames = guarded.frames()
    assert [next(frames).index for _ in range(10)] == list(range(10))
    guarded.close()
    assert source.given < 20
    assert source.closed_by == ["reader"]


def test_closing_does_not_wait_for_a_reader_that_hangs(caplog: pytest.LogCaptureFixture) -> None:
    let_go = threading.Event()
    source = _Hanging(1, let_go, SourceHistory())
    guarded = GuardedSource(source, lambda: source, 60.0, Reconnection("x", 0.0))
    assert next(guarded.frames()).index == 0
    guarded.close()
    guarded.close()
    assert source.closed_by == []  # only the thread that reads closes it
    assert caplog.messages == ["numbers does not return from a read: it is released when it does"]
    let_go.set()


class _HangingCanvas(Canvas):
    """Its drawing, which is the encoder's work, hangs until it is let go."""

    let_go: threading.Event

    @property
    def picture(self) -> Image:  # type: ignore[override]
        assert self.let_go.wait(60)
        return numbered(0)


class _Undrawable(AnnotatedFrame):
    """A frame with such a canvas."""

    let_go: threading.Event

    @property
    def canvas(self) -> Canvas:
        canvas = _HangingCanvas(lambda: numbered(0))
        canvas.let_go = self.let_go
        return canvas


def _annotated(
    number: int, place: Placement | None = None, let_go: threading.Event | None = None
) -> AnnotatedFrame:
    """A frame; one that is to be let go hangs until it is."""
    kind = AnnotatedFrame if let_go is None else _Undrawable
    annotated = kind(frame(number, fps=10), [], Overlay())
    if place is not None:
        annotated.place = place
    if isinstance(annotated, _Undrawable) and let_go is not None:
        annotated.let_go = let_go
    return annotated


def test_an_encoder_that_hangs_is_given_up(tmp_path: Path) -> None:
    let_go = threading.Event()
    recorder = Recorder(tmp_path / "out.mp4", _INFO, RecorderSection(), stall_s=_STALL_S)
    recorder.write(_annotated(0))
    with pytest.raises(SinkError, match=r"^hangs: the thread 'encoder' in .* nothing for 3 s"):
        recorder.write(_annotated(1000, let_go=let_go))
    recorder.close(complete=False)
    let_go.set()


def test_a_recording_by_a_key_that_hangs_is_given_up(tmp_path: Path) -> None:
    let_go, report, controls = threading.Event(), RunReport(), Controls(record=True)
    settings = RecorderSection()
    recordings = ManualRecordings(tmp_path, _INFO, settings, controls, report, stall_s=_STALL_S)
    recordings.write(_annotated(0))
    with pytest.raises(SinkError, match=r"^hangs: the thread 'encoder' in .* nothing for 3 s"):
        recordings.write(_annotated(1000, let_go=let_go))
    recordings.close(complete=False)
    assert report.recording is None
    assert report.recording_refusal.startswith("not recording: hangs: ")
    let_go.set()


def test_an_encoder_that_hangs_costs_its_segment(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names, report, let_go = SegmentNames.of(tmp_path / "out.mp4"), RunReport(), threading.Event()
    settings, retries = RecorderSection(segment_s=60), list[int]()
    first, second = (Segment(f"2026010{each}-000000+0000", 2000.0 * each, each) for each in (0, 1))
    recorder = Recorder(
        tmp_path / "out.mp4",
        _INFO,
        settings,
        lambda: SegmentedVideo(names, _INFO, settings, report, lambda: retries.append(1)),
        stall_s=_STALL_S,
    )
    recorder.write(_annotated(0, Placement(first, 0.0, is_key=True)))
    recorder.write(_annotated(1000, Placement(first, 0.0), let_go))
    assert len(retries) == 1
    recorder.write(_annotated(1001, Placement(first, 0.0)))  # its file is with the one that hangs
    for number in range(20_000, 20_020):
        place = Placement(second, 2000.0, is_key=number == 20_000)
        recorder.write(_annotated(number, place))
    recorder.close(complete=True)
    let_go.set()
    (failure,) = report.failures
    assert failure.startswith(f"recorder (out-{first.stamp}.mp4): hangs: the thread 'encoder' in ")
    assert len(times_s(names.path(second.stamp))) == 20
    caplog.clear()  # the failure was logged as an error


class _Stuck:
    """An annotator that hangs after so many frames."""

    attributes: ClassVar[Mapping[str, Sequence[str]]] = {}

    def __init__(self, at: int, let_go: threading.Event) -> None:
        self._left, self._let_go = at, let_go

    settle = None

    def annotate(self, frame: Frame, coming: Sequence[Frame] = ()) -> tuple[Track, ...]:
        self._left -= 1  # not by its number: frames of a live source may be lost
        if self._left < 0:
            assert self._let_go.wait(60)
        return ()


class _Paced(NumberedSource):
    """A live source of so many frames that none is lost."""

    def frames(self) -> Iterator[Frame]:
        taken = threading.Event()
        for each in super().frames():
            yield each
            taken.wait(0.05)


def test_an_output_that_hangs_does_not_take_the_others_down(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    let_go = threading.Event()

    class StuckSink(RecordingSink):
        def write(self, annotated: AnnotatedFrame) -> None:
            super().write(annotated)
            if len(self.indices) > 2:
                assert let_go.wait(60)

    outputs = Outputs(log=tmp_path / "out.jsonl")
    never = _Stuck(10_000, let_go)
    summary = run(
        _Paced(50, kind="camera"),
        _QUICK,
        outputs,
        [StuckSink()],
        lambda *_: never,
        on_stall=lambda _: let_go.set(),
    )
    assert "the run hangs: the thread 'MainThread' in write (" in summary.failures[0]
    assert (tmp_path / "out.jsonl").exists()
    caplog.clear()  # the failure was logged as an error


_PROGRAM = """
import sys, threading
from functools import partial
sys.path.insert(0, sys.argv[1])
from test_watchdog import _Paced, _QUICK, _Stuck
from stream.cli.console import exit_hanging, start_logging
from stream.run import run
from stream.sinks import Outputs
from pathlib import Path

start_logging(quiet=False)
stuck = _Stuck(3, threading.Event())
end = partial(exit_hanging, quiet=False, as_json=True)
outputs = Outputs(save=Path("out.mp4"), log=Path("out.jsonl"))
run(_Paced(50, kind="camera"), _QUICK, outputs, [], lambda *_: stuck, on_stall=end)
"""


def test_a_program_whose_search_hangs_ends_with_exit_code_1(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(Path(__file__).parent)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    summary = json.loads(done.stdout)
    assert set(summary["outputs"]) == {"out.mp4", "out.jsonl"}
    assert (
        "face-stream: the run hangs: the thread 'MainThread' in run (stream/run.py)" in done.stderr
    )
    assert len(times_s(tmp_path / "out.mp4")) >= 1
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert lines[-1]["end"]["failures"] == summary["failures"]


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no such sockets")
def test_a_service_manager_hears_that_a_live_run_is_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        heard: list[bytes] = []

        class Listening(RecordingSink):
            def write(self, annotated: AnnotatedFrame) -> None:
                super().write(annotated)
                if len(heard) < 2:
                    heard.append(manager.recv(100))

        outputs, never = Outputs(log=tmp_path / "out.jsonl"), _Stuck(10_000, threading.Event())
        source = _Paced(20, kind="camera")
        run(source, _QUICK, outputs, [Listening()], lambda *_: never, on_stall=lambda _: None)
    assert heard == [b"READY=1", b"WATCHDOG=1"]
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody listens"))
    tell_service_manager("READY=1")


def test_time_in_which_the_program_stood_still_is_no_stall() -> None:
    timer = StallTimer(2 * TICK_S)
    assert [timer.tick(), timer.tick()] == [False, True]
    timer.reset()
    assert not timer.tick()
    assert not StallTimer(0).tick()


def test_where_a_thread_is() -> None:
    let_go = threading.Event()
    source = _Hanging(0, let_go, SourceHistory())
    thread = threading.Thread(target=lambda: list(source.frames()), name="watched")
    thread.start()
    assert place_of(thread).startswith("the thread 'watched'")
    let_go.set()
    thread.join(PATIENCE_S)


def test_a_call_that_does_not_come_back_is_left() -> None:
    ends = threading.Event()
    try:
        with pytest.raises(TimeoutError):
            awaited(ends.wait, TICK_S)
    finally:
        ends.set()
    assert awaited(lambda: 7, 60) == 7
    with pytest.raises(ValueError, match="of its own"):
        awaited(lambda: int("of its own"), 60)
