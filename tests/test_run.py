"""The loop: what is written when it ends as planned, early, by an error, or by a signal."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from fakes import (
    FailingSink,
    NumberedSource,
    PacedSource,
    RecordingSink,
    log_lines,
    times_s,
    write_clip,
)

import stream
from models.detection.centerface_detector import CenterFaceDetector
from models.detection.cnn_detector import CnnDetector
from models.detection.names import DetectorName
from models.errors import ModelError
from models.faces import Image
from models.program.locks import locked
from stream.assembly import LoadedModel, _schedule, engine_for
from stream.controls import Controls, RunReport
from stream.errors import ConfigError, SinkError, SourceError
from stream.frames import Frame, SourceInfo, SourceKind
from stream.run import FrameAnnotator, run
from stream.settings import Config
from stream.settings.schema import DetectionSection, EngineSection, LabelSettings
from stream.sinks import AnnotatedFrame, Outputs
from stream.sources.demo import DemoSource
from stream.summary import Summary
from stream.tracks import Track

# The numbered pictures are small, and as such they are searched.
_QUICK = Config(detection=DetectionSection(downscale=1.0))
_WAIT_S = 60.0  # for another process, on a machine that is busy


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("run") / "clip.mp4")


@pytest.fixture
def outputs(tmp_path: Path) -> Outputs:
    return Outputs(save=tmp_path / "out.mp4", log=tmp_path / "out.jsonl")


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _frames_logged(path: Path) -> list[int]:
    return [entry["frame"] for entry in log_lines(path)[1:]]


def test_a_face_is_followed_labelled_recorded_and_logged(outputs: Outputs, tmp_path: Path) -> None:
    source = DemoSource(frame_count=30, size_wh=(640, 360))
    summary = run(source, Config(), outputs)
    assert (summary.frames, summary.failures, summary.interrupted) == (30, [], False)
    assert summary.people == 1
    assert summary.perceived == {"Female, White": 1}
    assert summary.faces == 30
    assert set(summary.outputs) == {outputs.save, outputs.log}
    assert _names(tmp_path) == ["out.jsonl", "out.mp4"]
    assert times_s(tmp_path / "out.mp4") == pytest.approx([index / 25 for index in range(30)])
    header, *entries = log_lines(tmp_path / "out.jsonl")
    assert header["schema"] == "face-stream/2"
    assert [len(entry["faces"]) for entry in entries] == [1] * 30
    assert {entry["faces"][0]["track"] for entry in entries} == {1}


def _captures() -> list[str]:
    """The capture threads that still run."""
    return [thread.name for thread in threading.enumerate() if thread.name == "capture"]


def test_the_same_as_a_library(clip: Path) -> None:
    seen = list(stream.annotate(str(clip)))
    assert [frame.index for frame, _ in seen] == list(range(8))
    assert all(isinstance(frame, Frame) for frame, _ in seen)
    assert {track.track_id for _, tracks in seen for track in tracks} == {1}
    _, (last,) = seen[-1]
    assert isinstance(last, Track)
    assert last.labels["gender"].text == "Female"


def test_a_library_user_who_leaves_early_leaves_no_thread(clip: Path) -> None:
    walk = stream.annotate(str(clip))
    frame, _ = next(walk)
    assert frame.index == 0
    walk.close()
    assert list(walk) == []


def test_a_loop_that_is_left_closes_the_source() -> None:
    source = NumberedSource(200)
    for frame, _ in stream.annotate(source, _QUICK):
        if frame.index == 2:
            break
    assert source.closed_by == ["capture"]
    assert source.given < 10
    assert _captures() == []


def test_a_loop_that_raises_closes_the_source() -> None:
    source = NumberedSource(200)
    with pytest.raises(ZeroDivisionError):
        for frame, _ in stream.annotate(source, _QUICK):
            assert 1 / frame.index
    assert source.closed_by == ["capture"]
    assert _captures() == []


def test_a_model_that_cannot_be_loaded_closes_the_source(tmp_path: Path) -> None:
    source = NumberedSource(200)
    config = Config(engine=EngineSection(model=str(tmp_path)))
    with pytest.raises(ModelError, match="not a model folder"):
        next(stream.annotate(source, config))
    assert source.closed_by == ["capture"]


@pytest.mark.parametrize("name", [str, Path], ids=["text", "path"])
def test_a_source_may_be_named_or_open(name: Callable[[Path], str | Path], clip: Path) -> None:
    by_name = [frame.index for frame, _ in stream.annotate(name(clip), _QUICK)]
    opened = [frame.index for frame, _ in stream.annotate(stream.open_source(str(clip)), _QUICK)]
    assert by_name == opened == list(range(8))


def test_an_open_source_has_its_span() -> None:
    with pytest.raises(ConfigError, match="give it to open_source"):
        next(stream.annotate(NumberedSource(3), span=stream.Span(1.0)))


def test_a_camera_may_be_named_by_its_number() -> None:
    with pytest.raises(SourceError, match="camera 99"):
        next(stream.annotate(99))


def test_a_library_user_is_told_of_a_missing_file() -> None:
    with pytest.raises(SourceError, match="no such file"):
        next(stream.annotate("missing.mp4"))


def test_watchers_see_every_frame(outputs: Outputs) -> None:
    watcher = RecordingSink()
    summary = run(NumberedSource(10), _QUICK, outputs, [watcher])
    assert watcher.indices == list(range(10))
    assert watcher.closed == [True]
    assert summary.people == 0


def test_the_end_asked_for_completes_the_outputs(outputs: Outputs) -> None:
    source = NumberedSource(1000)
    summary = run(source, _QUICK, outputs, [RecordingSink(quit_after=5)])
    assert (summary.frames, summary.failures) == (5, [])
    assert source.closed_by == ["capture"]
    assert _frames_logged(outputs.log) == list(range(5))
    assert len(times_s(outputs.save)) == 5


def test_an_interruption_completes_the_outputs(outputs: Outputs) -> None:
    stopper = FailingSink(fail_at=3, error=KeyboardInterrupt())
    summary = run(NumberedSource(1000), _QUICK, outputs, [stopper])
    assert summary.interrupted
    assert stopper.closed == [True]
    assert summary.failures == []
    assert _frames_logged(outputs.log) == [0, 1, 2]
    assert len(times_s(outputs.save)) == 3


def test_a_reader_that_fails_on_the_way_leaves_what_there_is(
    outputs: Outputs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watcher = RecordingSink()
    summary = run(NumberedSource(20, fail_at=12), _QUICK, outputs, [watcher])
    assert summary.failures == ["the tape is torn"]
    assert summary.frames == 12
    assert summary.outputs == []
    assert "the tape is torn" in caplog.text
    rest = tmp_path / "out.part.mp4"
    assert f"{outputs.save} is not complete: what there is of it is {rest}" in caplog.messages
    caplog.clear()
    assert watcher.closed == [False]
    assert _names(tmp_path) == ["out.part.jsonl", "out.part.mp4"]
    assert len(times_s(tmp_path / "out.part.mp4")) == 12
    assert _frames_logged(tmp_path / "out.part.jsonl") == list(range(12))


def test_a_picture_that_cannot_be_converted_ends_the_run_like_any_other_error(
    outputs: Outputs, caplog: pytest.LogCaptureFixture
) -> None:
    class Spoilt(NumberedSource):
        def frames(self) -> Iterator[Frame]:
            for each in super().frames():
                yield each if each.index < 4 else replace(each, pixels=_spoilt)

    summary = run(Spoilt(20), _QUICK, outputs)
    assert (summary.frames, summary.failures) == (4, ["spoilt"])
    assert "spoilt" in caplog.messages
    caplog.clear()


def _spoilt() -> Image:
    raise SourceError("spoilt")


def test_a_source_that_gives_nothing_leaves_nothing(outputs: Outputs, tmp_path: Path) -> None:
    source = NumberedSource(20, fail_at=0)
    with pytest.raises(SourceError, match="the tape is torn"):
        run(source, _QUICK, outputs)
    assert source.closed_by == ["capture"]
    assert _names(tmp_path) == []


def test_a_source_without_frames(outputs: Outputs, tmp_path: Path) -> None:
    summary = run(NumberedSource(0), _QUICK, outputs)
    assert (summary.frames, summary.fps, summary.failures) == (0, 0.0, [])
    assert _names(tmp_path) == []


def test_a_sink_that_fails_does_not_take_the_others_down(
    outputs: Outputs, caplog: pytest.LogCaptureFixture
) -> None:
    failing, watcher = FailingSink(fail_at=2), RecordingSink()
    summary = run(NumberedSource(6), _QUICK, outputs, [failing, watcher])
    assert summary.failures == ["failing: no paper left"]
    assert "failing failed: no paper left" in caplog.text
    caplog.clear()
    assert failing.closed == [False]
    assert watcher.indices == list(range(6))
    assert _frames_logged(outputs.log) == list(range(6))
    assert len(times_s(outputs.save)) == 6


class _Stopped:
    """Stands in for an annotator that Ctrl-C interrupts in its first frame."""

    attributes: ClassVar = {"gender": ("Female", "Male")}

    settle = None

    def annotate(self, frame: Frame, coming: Sequence[Frame] = ()) -> tuple[Track, ...]:
        raise KeyboardInterrupt


@pytest.mark.parametrize("log", ["out.jsonl", "out.csv", "out.parquet"])
def test_stopped_before_the_first_frame_it_leaves_everything_as_it_was(
    log: str, tmp_path: Path
) -> None:
    outputs = Outputs(
        tmp_path / "out.mp4", tmp_path / log, tmp_path / "faces", tmp_path / "all.png"
    )
    for _ in range(2):
        summary = run(NumberedSource(5), _QUICK, outputs, load=lambda *_: _Stopped())
        assert (summary.interrupted, summary.outputs) == (True, [])
        assert _names(tmp_path) == []
    (tmp_path / "faces").mkdir()
    for path in ("out.mp4", log, "faces/person-0001.jpg", "all.png"):
        (tmp_path / path).write_text("precious")
    before = _names(tmp_path)
    replaced = replace(outputs, overwrite=True)
    run(NumberedSource(5), _QUICK, replaced, load=lambda *_: _Stopped())
    assert _names(tmp_path) == before
    assert _names(tmp_path / "faces") == ["person-0001.jpg"]
    for path in ("out.mp4", log, "faces/person-0001.jpg", "all.png"):
        assert (tmp_path / path).read_text() == "precious"


def test_copies_of_no_picture_leave_no_folder(tmp_path: Path) -> None:
    source = NumberedSource(5, kind="pictures")
    outputs = Outputs(save=tmp_path / "copies")
    run(source, _QUICK, outputs, load=lambda *_: _Stopped())
    assert _names(tmp_path) == []


def test_what_another_run_writes_is_refused_before_capture(
    outputs: Outputs, tmp_path: Path
) -> None:
    source = NumberedSource(5)
    with (
        locked(tmp_path / "out.jsonl"),
        pytest.raises(ConfigError, match="is being written by another run"),
    ):
        run(source, _QUICK, outputs, load=lambda *_: pytest.fail("it was begun"))
    assert _names(tmp_path) == []
    assert source.closed_by == [threading.current_thread().name]


def test_a_mistake_of_ours_is_not_hidden_and_ends_everything(
    outputs: Outputs, tmp_path: Path
) -> None:
    broken = FailingSink(fail_at=4, error=ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        run(NumberedSource(1000), _QUICK, outputs, [broken])
    assert _names(tmp_path) == ["out.part.jsonl", "out.part.mp4"]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (Config(labels=LabelSettings(attributes=("height",))), "the model knows gender"),
        (
            Config(labels=LabelSettings(min_confidence={"gender": 0.5, "hat": 0.5})),
            "labels.min_confidence: the model knows gender, race, age, not 'hat'",
        ),
        (Config(labels=LabelSettings(groups={"race": {"A": ("B",)}})), "names 'B'"),
        (Config(engine=EngineSection(model="nowhere")), "nowhere is not a folder"),
    ],
)
def test_what_cannot_be_had_is_said_before_anything_is_written(
    config: Config, said: str, outputs: Outputs, tmp_path: Path
) -> None:
    source = NumberedSource(5)
    with pytest.raises(Exception, match=said):
        run(source, config, outputs)
    assert source.closed_by == ["capture"]
    assert _names(tmp_path) == []


@pytest.mark.parametrize("kind", ["pictures", "video", "camera"])
@pytest.mark.parametrize(
    ("name", "detector"), [("centerface", CenterFaceDetector), ("cnn", CnnDetector)]
)
def test_every_kind_of_source_is_searched_by_the_detector_of_the_settings(
    kind: SourceKind, name: DetectorName, detector: type
) -> None:
    config = Config(engine=EngineSection(device="cpu"), detection=DetectionSection(detector=name))
    engine = engine_for(config, SourceInfo("x", kind, (320, 180)))
    assert type(engine.detector) is detector


@pytest.mark.parametrize(("kind", "scale"), [("pictures", 1), ("video", 0.5), ("camera", 0.5)])
def test_pictures_are_searched_at_full_scale_and_what_moves_for_faces_worth_a_label(
    kind: SourceKind, scale: float
) -> None:
    config = Config(engine=EngineSection(device="cpu"), detection=DetectionSection(min_face_px=40))
    assert engine_for(config, SourceInfo("x", kind, (320, 180))).scale((320, 180)) == scale


def test_dlib_does_not_run_centerface() -> None:
    config = Config(engine=EngineSection(runtime="dlib"))
    with pytest.raises(ConfigError, match=r"engine.runtime = dlib runs dlib's networks"):
        engine_for(config, SourceInfo("x", "video", (320, 180)))


@pytest.mark.parametrize(
    ("frame_skip", "said"),
    [(0, "1 frames"), (3, "4 frames"), ("auto", "0.4 s")],
)
def test_the_settings_say_how_often_all_of_a_frame_is_searched(
    frame_skip: int | Literal["auto"], said: str
) -> None:
    config = Config(detection=DetectionSection(frame_skip=frame_skip))
    schedule = _schedule(config, SourceInfo("x", "video", (320, 180)))
    assert repr(schedule) == f"Schedule(a search every {said})"


@pytest.mark.parametrize(("kind", "is_rarer"), [("camera", True), ("video", False)])
def test_only_a_live_source_that_cannot_be_kept_up_with_is_searched_more_rarely(
    kind: SourceKind, is_rarer: bool
) -> None:
    schedule = _schedule(Config(), SourceInfo("x", kind, (320, 180)))
    assert schedule.load_shedding_note == ""
    first = next(NumberedSource(1).frames())
    for number in range(100):
        schedule.next_search(replace(first, index=2 * number))  # of two one is lost
    assert ("more rarely" in schedule.load_shedding_note) is is_rarer


def test_an_output_that_exists_stops_the_run(outputs: Outputs, tmp_path: Path) -> None:
    outputs.log.write_text("precious")
    with pytest.raises(ConfigError, match=r"out\.jsonl exists"):
        run(NumberedSource(5), _QUICK, outputs)
    assert _names(tmp_path) == ["out.jsonl"]
    assert outputs.log.read_text() == "precious"


def test_one_output_that_cannot_be_made_leaves_none(outputs: Outputs, tmp_path: Path) -> None:
    (tmp_path / "out.part.mp4").mkdir()
    with pytest.raises(SinkError, match=r"out\.part\.mp4 cannot be made: Is a directory"):
        run(NumberedSource(5), _QUICK, outputs)
    assert _names(tmp_path) == ["out.part.mp4"]


def test_frames_a_live_source_loses_are_counted() -> None:
    source = PacedSource()

    class SlowSink(RecordingSink):
        """Busy with the first frame while three more come."""

        def write(self, annotated: object) -> None:
            super().write(annotated)
            if self.indices == [0]:
                source.wait_for_read()  # that of the first frame is over
                source.give(3)
                source.end()

    slow = SlowSink()
    source.allow()
    summary = run(source, _QUICK, Outputs(), [slow])
    assert slow.indices == [0, 3]
    assert (summary.frames, summary.dropped) == (2, 2)
    assert ", 2 dropped" in summary.line()


@pytest.mark.parametrize("ending", [".mp4", ".webm"])
def test_a_live_recording_lasts_as_long_as_what_it_shows(ending: str, tmp_path: Path) -> None:
    source = PacedSource()
    gaps = [1, 4, 2, 7, 1]  # how many frames come while one is worked on; all but the last are lost

    class Irregular(RecordingSink):
        def write(self, annotated: AnnotatedFrame) -> None:
            super().write(annotated)
            if len(self.indices) <= len(gaps):
                source.give(gaps[len(self.indices) - 1])
            else:
                source.end()

    def load(info: SourceInfo, controls: Controls, report: RunReport) -> FrameAnnotator:
        source.give(3)  # the camera runs while the model is loaded
        return LoadedModel(_QUICK).annotator(info, controls, report)

    path, slow = tmp_path / f"out{ending}", Irregular()
    run(source, _QUICK, Outputs(save=path), [slow], load)
    assert slow.indices == [2, 3, 7, 9, 16, 17]
    expected = [(index - 2) / 25 for index in slow.indices]
    assert times_s(path) == pytest.approx(expected, abs=1e-3)


def test_a_summary_for_people_and_for_machines() -> None:
    summary = Summary(RunReport())
    assert summary.line().startswith("0 people · 0 frames in 0.0 s")
    assert summary.as_dict()["outputs"] == []
    assert repr(summary) == "Summary(0 frames, 0 people)"


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("signals") / "long.mp4", 400, (320, 180))


def _start(
    arguments: list[str], folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    def heed_interrupts() -> None:  # a shell in the background would have them ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    return subprocess.Popen(
        [sys.executable, "-m", "stream", *arguments],
        cwd=folder,
        env=os.environ | dict(environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )


def _wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline_s = time.monotonic() + _WAIT_S
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline_s, "it does not get there"
        time.sleep(0.02)


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.fixture
def running(long_clip: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The program in the middle of a clip, which it searches again in every frame."""
    words = f"run {long_clip} --save out.mp4 --log out.jsonl --no-show --json-summary"
    process = _start([*words.split(), "--set", "detection.frame_skip=0"], tmp_path)
    try:
        _wait_until(lambda: _lines(tmp_path / "out.part.jsonl") >= 6, process)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_complete_files(
    number: signal.Signals, running: subprocess.Popen[str], tmp_path: Path
) -> None:
    running.send_signal(number)
    out, errors = running.communicate(timeout=_WAIT_S)
    assert running.returncode == 128 + number, errors
    assert '"interrupted": true' in out
    assert errors == ""
    assert _names(tmp_path) == ["out.jsonl", "out.mp4"]
    logged = _frames_logged(tmp_path / "out.jsonl")
    assert logged == list(range(len(logged)))
    assert 5 <= len(logged) < 400
    # It may have come after a frame was recorded and before it was logged.
    assert len(times_s(tmp_path / "out.mp4")) - len(logged) in (0, 1)


def test_a_signal_while_the_screen_is_looked_for_leaves_nothing(
    long_clip: Path, tmp_path: Path
) -> None:
    words = f"run {long_clip} --save out.mp4 --log out.jsonl --show"
    process = _start(words.split(), tmp_path, {"DISPLAY": ":9999"})
    threads = Path(f"/proc/{process.pid}/task")

    def has_child() -> bool:
        return any(each.read_text() for each in threads.glob("*/children"))

    try:
        if not any(threads.glob("*/children")):
            pytest.skip("it cannot be seen here when the search for a screen begins")
        _wait_until(lambda: bool(_names(tmp_path)) and has_child(), process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=_WAIT_S)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert _names(tmp_path) == []
