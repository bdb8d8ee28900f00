"""The benchmark of speed: its clips, camera, probes and baselines, and one small run of it all."""

import json
import subprocess
import sys
import threading
import time
from functools import partial
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes import encode, frame, times_s, write_clip
from rich.console import Console

from models.engine import DetectionSettings, load_engine
from models.faces import Image
from stream.benchmarks.speed import clips
from stream.benchmarks.speed.baselines import every_frame_loop, faster_loop, transcode_s
from stream.benchmarks.speed.benchmark import SpeedPlan
from stream.benchmarks.speed.camera import SimulatedCamera
from stream.benchmarks.speed.clips import SyntheticSource
from stream.benchmarks.speed.live import measure_soak
from stream.benchmarks.speed.pictures import (
    measure_pictures,
    measure_search,
    pictures_of,
    write_pictures,
)
from stream.benchmarks.speed.probes import TimeLimit
from stream.benchmarks.speed.ratios import (
    cost_of_a_face,
    rate_of_a_crowd,
    ratio_of_full_search,
    ratios_to_face_recognition,
)
from stream.benchmarks.speed.report import (
    LiveFigures,
    PictureFigures,
    Ratio,
    SearchFigures,
    SpeedReport,
)
from stream.benchmarks.speed.tables import bottleneck, render
from stream.benchmarks.speed.timed_run import LOOP, STAGES, THREADS, TimedRun, timed_run
from stream.cli.bench import speed_report
from stream.drawing.overlay import Overlay
from stream.errors import ConfigError, SourceError
from stream.settings import Config
from stream.settings.schema import DetectionSection, RecorderSection
from stream.sinks import AnnotatedFrame
from stream.sources.capture import Capture
from stream.stopwatch import StageTiming

_FRAMES = 12
"""Length of the clips, frames."""

_COARSE = Config(detection=DetectionSection(downscale=4.0))
"""Settings of a quick search."""


@pytest.fixture(scope="module")
def portrait_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One face of about 90 px."""
    return write_clip(tmp_path_factory.mktemp("bench") / "clip.mp4", _FRAMES, (640, 360))


_SEARCH = SearchFigures((1920, 1080), 40.0, 4, 50.0, 99.5)
_PICTURES = PictureFigures("[blue]", 8, 12.5, 4.0)


def _timed(stages_ms: dict[str, float], frame_ms: float = 10.0, steady_ms: float = 9.0) -> TimedRun:
    timings = {
        (LOOP, name): StageTiming(1, each / 1000, each / 2000) for name, each in stages_ms.items()
    }
    return TimedRun((1280, 720), {0: 1}, frame_ms / 1000, steady_ms, 12.0, timings)


def test_a_synthetic_clip_has_its_faces_each_wide_enough() -> None:
    engine = load_engine(DetectionSettings(downscale=1))
    (frame,) = SyntheticSource(16, (1280, 720), 1).frames()
    boxes = engine.find(frame.image).boxes_xyxy
    assert len(boxes) == 16
    assert (boxes[:, 2] - boxes[:, 0]).min() > 60


def test_faces_move_and_differ_and_the_end_meets_the_beginning() -> None:
    images = [frame.image for frame in SyntheticSource(2, (320, 180), 30).frames()]
    steps = [cv2.absdiff(one, other).mean() for one, other in pairwise(images)]
    assert min(steps) > 0
    assert cv2.absdiff(images[-1], images[0]).mean() < 1.5 * max(steps)
    left, right = images[0][:, :160], images[0][:, 160:]
    assert cv2.absdiff(left, right[:, ::-1].copy()).mean() > 5


@pytest.mark.parametrize(("faces", "size_wh"), [(1, (64, 36)), (7, (320, 180)), (16, (360, 640))])
def test_faces_fit_any_frame(faces: int, size_wh: tuple[int, int], tmp_path: Path) -> None:
    path = clips.write_clip(SyntheticSource(faces, size_wh, 3), tmp_path / "clip.mp4")
    assert len(times_s(path)) == 3


def test_a_camera_gives_frames_when_they_are_due(portrait_clip: Path) -> None:
    with Capture(SimulatedCamera(portrait_clip, 60.0)) as capture:
        assert (capture.info.kind, capture.info.size_wh) == ("camera", (640, 360))
        frames = []
        for frame in capture:
            assert time.monotonic() >= frame.captured_s  # never before
            frames.append(frame)
            if frame.index > 2 * _FRAMES:  # it plays the clip over and over
                break
    for frame in frames:
        assert frame.captured_s - frames[0].captured_s == pytest.approx(
            (frame.index - frames[0].index) / 60
        )


def test_a_camera_can_be_left_at_any_time(
    portrait_clip: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Capture(SimulatedCamera(portrait_clip, 0.01)) as capture:
        assert next(iter(capture)).index == 0
    # The next frame is due in 100 s, but closing does not wait for it.
    assert not [each for each in threading.enumerate() if each.name == "capture"]
    assert not caplog.messages


def test_every_stage_of_a_run_is_timed(portrait_clip: Path, tmp_path: Path) -> None:
    run = timed_run(portrait_clip, Config(), tmp_path / "out.mp4")
    assert len(times_s(tmp_path / "out.mp4")) == run.frames == _FRAMES
    assert run.mean_faces == pytest.approx(1, abs=0.2)
    assert {thread: set(run.stages(thread)) for thread in THREADS} == {
        "reading": {"decode", "convert"},
        "looking": set(STAGES) - {"decode", "encode"},
        "writing": {"encode"},
    }
    assert all(timing.calls and timing.wall_s > 0 for timing in run.timings.values())
    assert [run.timings[LOOP, name].calls for name in ("draw", "track")] == 2 * [_FRAMES]
    # A frame whose faces are matched by their templates is not converted.
    assert run.timings[LOOP, "convert"].calls < _FRAMES
    assert run.timings["writing", "encode"].calls == _FRAMES + 1  # and the end


def test_time_in_no_stage_is_the_rest_of_a_frame() -> None:
    run = _timed({"search": 3.0, "draw": 2.5}, frame_ms=10.0)
    assert run.stages(LOOP) == ["search", "draw"]
    assert run.stage_ms(LOOP, "search") == pytest.approx(3.0)
    assert run.cpu_ms(LOOP, "search") == pytest.approx(1.5)
    assert run.rest_ms(LOOP) == pytest.approx(4.5)
    assert run.rest_ms("writing") == pytest.approx(10.0)


def test_a_stage_is_charged_to_the_thread_that_does_it(astronaut: Image, tmp_path: Path) -> None:
    picture = cv2.resize(astronaut, (320, 180)).astype(np.uint8)
    clip = encode(tmp_path / "in.mp4", 8 * [picture], "libx264", "yuv422p")
    run = timed_run(clip, Config(), tmp_path / "out.mp4")
    assert run.stages("reading") == ["decode", "convert"]
    assert run.stages("writing") == ["draw", "encode"]
    assert "convert" not in run.stages(LOOP)


def test_frames_are_passed_on_untouched(portrait_clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    assert transcode_s(portrait_clip, out, RecorderSection(quality=1), 8) > 0
    assert times_s(out) == pytest.approx(times_s(portrait_clip)[:8], abs=1e-3)
    one, other = (cv2.VideoCapture(str(path)).read()[1] for path in (portrait_clip, out))
    assert cv2.absdiff(one, other).mean() < 1


def test_loops_do_the_frames_they_are_given(portrait_clip: Path, tmp_path: Path) -> None:
    plain = every_frame_loop(portrait_clip, tmp_path / "plain.mp4", [2, 6])
    assert list(plain.faces) == [2, 6]
    assert min(plain.faces.values()) >= 1  # HOG sees faces in the background, too
    faster = faster_loop(portrait_clip, tmp_path / "faster.mp4", [2, 6])
    assert list(faster.faces) == [2, 3, 6, 7]
    assert faster.faces[2] == faster.faces[3]  # what was found is drawn again
    assert faster.frame_s > 0 < plain.frame_s
    assert [len(times_s(tmp_path / f"{name}.mp4")) for name in ("plain", "faster")] == [2, 4]


def test_a_run_beside_the_loops_of_face_recognition(portrait_clip: Path, tmp_path: Path) -> None:
    said: list[str] = []
    run = partial(timed_run, portrait_clip, Config(), tmp_path / "out.mp4")
    plain, faster = ratios_to_face_recognition(
        portrait_clip, run, tmp_path / "baseline.mp4", 2, said.append
    )
    assert len(said) == 2
    assert plain.ours == faster.ours
    assert plain.note.startswith("in 2 frames 2 faces found, there ")
    assert faster.note.startswith("in 4 frames 4 faces found, there ")


def test_a_loop_without_a_clip(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"OpenCV reads no frame of .*missing\.mp4"):
        every_frame_loop(tmp_path / "missing.mp4", tmp_path / "out.mp4", [0])


def test_the_search_of_a_frame_beside_dlibs(portrait_clip: Path) -> None:
    said: list[str] = []
    ratio = ratio_of_full_search(portrait_clip, _COARSE, 1, said.append)
    assert said == ["dlib on a frame of 640×360"]
    assert (ratio.kind, ratio.ours > 0, ratio.theirs > 0) == ("time", True, True)


def test_ratios_of_rates_times_and_shares() -> None:
    assert Ratio("", "", "", 50.0, 100.0, "rate").ratio == 0.5
    assert Ratio("", "", "", 50.0, 100.0, "time").ratio == 2
    assert Ratio("", "", "", 1.0, 10.0, "share").ratio == 0.1
    crowds = {1: _timed({}, steady_ms=10), 3: _timed({}, steady_ms=12), 5: _timed({}, steady_ms=14)}
    whole, annotation = cost_of_a_face(crowds, {1: 1000 / 5, 3: 1000 / 5.5, 5: 1000 / 6})
    assert whole.ours == pytest.approx(1)
    assert whole.ratio == pytest.approx(0.1)
    assert annotation.ours == pytest.approx(0.75)
    assert annotation.theirs == 10


def test_the_rate_of_a_crowd_is_that_of_the_most_faces_beside_the_fewest() -> None:
    crowds = {4: _timed({}, frame_ms=15), 1: _timed({}, frame_ms=10), 16: _timed({}, frame_ms=20)}
    ratio = rate_of_a_crowd(crowds)
    assert ratio.ratio == pytest.approx(0.5)
    assert (ratio.what, ratio.beside) == (
        "annotated recording, 720p, 16 faces",
        "the same, 1 face",
    )


@pytest.mark.parametrize("size_wh", [(640, 360), (1600, 900)], ids=str)
def test_a_whole_frame_is_searched_for_faces_of_40_px(size_wh: tuple[int, int]) -> None:
    """Also where the settings search for others, and where `auto` would search more coarsely."""
    (frame,) = SyntheticSource(2, size_wh, 1).frames()
    small = np.zeros_like(frame.image)
    part = cv2.resize(frame.image, None, fx=0.85, fy=0.85)  # its narrower face has over 40 px
    small[: part.shape[0], : part.shape[1]] = part
    found = measure_search(small, _COARSE, 1)
    assert (found.size_wh, found.faces) == (size_wh, 2)
    assert found.smallest_px == pytest.approx(40)
    assert found.ms > 0 < found.cpu_ms


def test_pictures_are_annotated_and_those_that_cannot_be_read_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = write_pictures(tmp_path / "pictures", (1, 3), [(320, 180), (400, 224)])
    assert [path.name for path in paths] == [
        "1-faces-180p.jpg",
        "3-faces-180p.jpg",
        "1-faces-224p.jpg",
        "3-faces-224p.jpg",
    ]
    (tmp_path / "pictures" / "0.jpg").write_bytes(b"no picture")
    (tmp_path / "pictures" / "notes.txt").write_text("no picture")
    taken = pictures_of(tmp_path / "pictures")
    assert len(taken) == 5
    found = measure_pictures("some", taken, Config(), 2)
    assert (found.name, found.pictures, found.faces) == ("some", 4, 2)
    assert found.per_s > 0
    assert len(caplog.messages) == 1  # it is said once


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(SourceError, match="no pictures there"):
            pictures_of(folder)


@pytest.mark.parametrize(
    ("frame_ms", "encoder_ms", "held_up"),
    [(0.1, 0.2, "its own work"), (6.0, 1.0, "reading"), (1.0, 6.0, "encoding")],
)
def test_what_the_loop_waits_for(frame_ms: float, encoder_ms: float, held_up: str) -> None:
    run = _timed({"wait for a frame": frame_ms, "wait for the encoder": encoder_ms})
    assert f"{held_up} holds the run up" in bottleneck(run)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read on Linux only")
def test_memory_in_the_long_run(portrait_clip: Path) -> None:
    found = measure_soak(portrait_clip, _COARSE, settled_s=0.5, seconds=1.0)
    assert found is not None
    assert found.settled_mb > 50
    assert abs(found.deviation_mb) < found.settled_mb


def test_a_report_without_memory() -> None:
    run = _timed({})
    live = LiveFigures((640, 360), 30.0, 1.0, False, 10.0, 300, 299, 20.0, 30.0)
    report = SpeedReport(
        *(2, 1, "[red].mp4", run, None, (run,), {4: run}, (), _SEARCH, _PICTURES, (live,), None)
    )
    console = Console(width=100, markup=False, file=(written := StringIO()))
    console.print(render(report))
    assert "Memory can be measured on Linux only." in written.getvalue()
    assert "[red].mp4, 1280×720, 1 face" in written.getvalue()
    assert "search of all of 1920×1080 for faces from 40 px on" in written.getvalue()
    for figure in ("99.5", "8 pictures annotated, [blue]", "4.00", "250.0"):
        assert figure in written.getvalue()
    assert report.as_dict()["memory"] is None


def test_a_time_limit_starts_with_the_first_frame() -> None:
    given = AnnotatedFrame(frame(0), [], Overlay())
    for seconds, is_over in ((0.0, True), (float("inf"), False)):
        limit = TimeLimit(seconds)
        assert not limit.quit_requested
        limit.write(given)
        assert limit.quit_requested is is_over


def test_all_of_it_on_small_clips(tmp_path: Path) -> None:
    plan = SpeedPlan(
        sizes_wh=((320, 180), (400, 224), (640, 360)),
        crowds=(1, 2),
        several=2,
        frames=_FRAMES,
        repeats=1,
        live_s=0.5,
        live_warm_up_s=0.2,
        soak_s=0.6,
        soak_settled_s=0.3,
    )
    figures, tables = speed_report(None, Config(), plan, tmp_path / "cost.png")
    report: dict[str, Any] = json.loads(json.dumps(figures))
    assert report["clip"]["size"] == [640, 360]
    assert report["clip"]["faces"] == pytest.approx(2, abs=0.5)
    assert [each["size"] for each in report["sizes"]] == [[320, 180], [400, 224], [640, 360]]
    assert [each["wanted"] for each in report["crowds"]] == [1, 2]
    assert [each["frames"] for each in report["crowds"]] == 2 * [_FRAMES]
    shares = [each["share"] for each in report["clip"]["threads"]["looking"].values()]
    assert sum(shares) == pytest.approx(1)
    names = [each["name"] for each in report["ratios"]]
    assert names == [
        *("transcoding", "transcoding_clip", "crowd", "one_more_face", "one_more_annotation"),
    ]
    assert all(each["ours"] > 0 and each["theirs"] > 0 for each in report["ratios"][:2])
    assert report["search"]["size_wh"] == [640, 360]
    assert report["search"]["ms"] > 0 and report["search"]["cpu_ms"] > 0
    assert (report["pictures"]["name"], report["pictures"]["pictures"]) == ("made on the spot", 4)
    assert report["pictures"]["per_s"] > 0
    assert [each["recording"] for each in report["live"]] == [False, True]
    for each in report["live"]:
        assert 0 < each["shown"] <= each["offered"]
        assert 0 < each["p50_ms"] <= each["p95_ms"]
    if Path("/proc/self/statm").exists():
        assert 0 < report["memory"]["warm_mb"] <= report["memory"]["peak_mb"]
        assert report["soak"]["settled_mb"] > 0
    Console(width=120, file=(written := StringIO())).print(tables)
    for text in ("decode and encode alone", "wait for the encoder", "400×224", "latency p50"):
        assert text in written.getvalue()
    assert cv2.imread(str(tmp_path / "cost.png")).shape == (660, 1500, 3)


def test_a_plot_without_matplotlib_is_refused_at_once(tmp_path: Path) -> None:
    without = "import sys; sys.modules['matplotlib'] = None; from stream.cli.app import app; app()"
    done = subprocess.run(
        [sys.executable, "-c", without, "bench", "--plot", "cost.png"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("face-stream: --plot needs matplotlib: install it, or start with")
    assert done.stderr.count("\n") == 1


def test_a_clip_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("not a video at all")
    with pytest.raises(SourceError, match=r"text\.mp4 is not a video"):
        speed_report(tmp_path / "text.mp4", Config(), SpeedPlan(frames=2, repeats=1))
    with pytest.raises(ConfigError, match=r"should end in \.png"):
        speed_report(None, Config(), SpeedPlan(), tmp_path / "cost.jpg")
