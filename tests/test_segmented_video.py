"""Videos and logs in segments, or of what is near faces: every frame in one file, over failures."""

import json
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import av
import pytest
from fakes import SIZE_WH, Pulses, frame, number_of, numbered, pulses_s, track
from servers import http, mjpeg_page

from stream.controls import RunReport
from stream.errors import ConfigError
from stream.frames import SourceInfo
from stream.settings import Config
from stream.sinks import Outputs, claim_outputs, open_sinks
from stream.sinks.paths import final_path
from stream.sources.video import VideoSource

_LIVE = SourceInfo("numbers", "camera", SIZE_WH, 10.0)
_VIDEO = SourceInfo("numbers", "video", SIZE_WH, 10.0)
_WAIT_S = 60.0  # for another process, on a machine that is busy


def _config(**recorder: Any) -> Config:
    return Config.model_validate({"recorder": recorder})


def _write(
    outputs: Outputs,
    config: Config,
    count: int,
    faces: Container[int] = (),
    info: SourceInfo = _LIVE,
    each: Callable[[int], None] = lambda _: None,
) -> RunReport:
    """Writes numbered frames at ten a second, a face in some of them."""
    report = RunReport()
    with (
        claim_outputs(outputs, info, config),
        open_sinks(config, info, outputs, report=report) as sinks,
    ):
        for number in range(count):
            each(number)
            sinks.write(frame(number, fps=10), [track()] if number in faces else [])
    return report


def _numbers(path: Path) -> list[int]:
    source = VideoSource(path)
    try:
        return [number_of(each.image) for each in source.frames()]
    finally:
        source.close()


def _logged(path: Path) -> list[int]:
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [line["frame"] for line in lines if "frame" in line]


def _files(folder: Path, ending: str) -> list[Path]:
    """In the order in which they were begun: of one second the first has no number."""

    def order(path: Path) -> tuple[str, int]:
        stamp = path.name.partition("-")[2].partition(".")[0]
        date, number = re.fullmatch(r"(\d+-\d+[+-]\d{4})(?:-(\d+))?", stamp).groups("1")
        return date, int(number)

    return sorted(folder.glob(f"*-*{ending}"), key=order)


def _whole(folder: Path) -> list[Path]:
    """The videos that are complete."""
    return [path for path in _files(folder, ".mp4") if ".part" not in path.name]


@pytest.mark.parametrize(
    ("ending", "codec"),
    [(".mp4", "h264"), (".mp4", "hevc"), (".mkv", "av1"), (".webm", "vp9"), (".mov", "h264")],
)
@pytest.mark.parametrize("info", [_LIVE, _VIDEO], ids=["live", "video"])
def test_each_frame_is_in_one_segment_and_its_log_follows(
    ending: str, codec: str, info: SourceInfo, tmp_path: Path
) -> None:
    outputs = Outputs(save=tmp_path / f"door{ending}", log=tmp_path / "faces.jsonl")
    report = _write(outputs, _config(segment_s=2, codec=codec), 50, info=info)
    assert (report.failures, report.segments.complete) == ([], 3)
    videos, logs = _files(tmp_path, ending), _files(tmp_path, ".jsonl")
    expected = [list(range(20)), list(range(20, 40)), list(range(40, 50))]
    assert [_numbers(video) for video in videos] == expected
    assert [_logged(log) for log in logs] == expected
    assert [video.stem.removeprefix("door") for video in videos] == [
        log.stem.removeprefix("faces") for log in logs
    ]
    assert len(list(tmp_path.iterdir())) == 6  # no lock and no partial file is left
    with av.open(str(videos[1])) as container:
        first = next(container.decode(video=0))
        assert first.time == 0
        assert "it begins at 2.000000 s" in " ".join(container.metadata.values())


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_tables_follow_too_and_have_the_people_of_their_segment(
    ending: str, tmp_path: Path
) -> None:
    outputs = Outputs(log=tmp_path / f"faces{ending}")
    _write(outputs, _config(segment_s=2), 30, faces=range(30))
    names = [path.name.partition("-")[2].partition(".")[2] for path in _files(tmp_path, ending)]
    assert sorted(names) == sorted([ending[1:], f"tracks{ending}"] * 2)
    if ending == ".csv":
        for table in _files(tmp_path, ".tracks.csv"):
            assert len(table.read_text().splitlines()) == 2  # who is present at its end


@pytest.mark.parametrize(("ending", "sound"), [(".mp4", "aac"), (".mkv", "aac"), (".webm", "aac")])
def test_sound_follows(
    ending: str, sound: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip = Pulses(seconds=6.0).write(tmp_path / "clip.mp4", "libx264", sound)
    config = _config(segment_s=2)
    outputs = Outputs(save=tmp_path / f"door{ending}")
    source = VideoSource(clip)
    with (
        claim_outputs(outputs, source.info, config),
        open_sinks(config, source.info, outputs) as sinks,
    ):
        for each in source.frames():
            sinks.write(each, [])
        source.close()
    videos = _files(tmp_path, ending)
    assert len(videos) == 3
    for number, video in enumerate(videos):
        lights, tones = pulses_s(video)
        assert len(lights) == len(tones) == 5
        assert tones == pytest.approx(lights, abs=0.05)
        with av.open(str(video)) as container:
            (heard,) = container.streams.audio
            if heard.duration is not None and number < 2:  # none holds the sound of the next
                assert float(heard.duration * heard.time_base) == pytest.approx(2.0, abs=0.1)
    assert len(caplog.messages) <= 1  # what there is to say is said of the first segment alone


def test_what_is_near_a_face_is_in_the_files_and_nothing_else(tmp_path: Path) -> None:
    outputs = Outputs(save=tmp_path / "door.mp4", log=tmp_path / "door.jsonl")
    config = _config(segment_s=60, only_with_faces=True, before_s=2, after_s=1)
    _write(outputs, config, 160, faces=[*range(50, 60), 120])
    expected = [list(range(30, 70)), list(range(100, 131))]
    assert [_numbers(video) for video in _files(tmp_path, ".mp4")] == expected
    assert [_logged(log) for log in _files(tmp_path, ".jsonl")] == expected


def test_a_log_has_the_frames_of_its_video_over_an_outage(tmp_path: Path) -> None:
    outputs = Outputs(save=tmp_path / "door.mp4", log=tmp_path / "door.jsonl")
    config = _config(segment_s=60, only_with_faces=True, before_s=2, after_s=1)
    there = [*range(18), *range(60, 90)]
    report = RunReport()
    with (
        claim_outputs(outputs, _LIVE, config),
        open_sinks(config, _LIVE, outputs, report=report) as sinks,
    ):
        for number in there:
            sinks.write(frame(number, fps=10), [track()] if number == 75 else [])
    (video,), (log,) = _files(tmp_path, ".mp4"), _files(tmp_path, ".jsonl")
    expected = [number for number in there if 10 <= number <= 85]
    assert _numbers(video) == _logged(log) == expected


def test_without_segments_all_that_is_near_faces_is_in_one_file(tmp_path: Path) -> None:
    outputs = Outputs(save=tmp_path / "door.mp4", log=tmp_path / "door.jsonl")
    config = _config(only_with_faces=True, before_s=1, after_s=1)
    report = _write(outputs, config, 90, faces=[20, 60])
    assert set(report.outputs) == {tmp_path / "door.mp4", tmp_path / "door.jsonl"}
    assert _numbers(tmp_path / "door.mp4") == [*range(10, 31), *range(41, 71)]
    assert _logged(tmp_path / "door.jsonl") == list(range(90))  # the log has everything
    source = VideoSource(tmp_path / "door.mp4")
    times = [round(each.time_s * 10) for each in source.frames()]
    source.close()
    assert times == [*range(21), *range(31, 61)]  # the pause stays, so that log and video agree


def test_where_no_face_comes_there_is_no_file(tmp_path: Path) -> None:
    outputs = Outputs(save=tmp_path / "door.mp4")
    for settings in ({"segment_s": 60}, {}):
        report = _write(outputs, _config(only_with_faces=True, **settings), 40)
        assert (report.failures, list(tmp_path.iterdir())) == ([], [])


@contextmanager
def _no_file_larger_than(size: int) -> Iterator[Callable[[], None]]:
    """While this lasts the system writes no larger file; what it gives ends that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_refuses_costs_one_segment_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outputs = Outputs(save=tmp_path / "door.mp4", log=tmp_path / "door.jsonl")
    with _no_file_larger_than(5000) as end_of_refusal:
        report = _write(
            outputs,
            _config(segment_s=60),
            300,
            each=lambda number: end_of_refusal() if number == 60 else None,
        )
    video, *_ = report.failures
    assert video.startswith("recorder (door-")
    assert "File too large; what was written stands in door-" in video
    (part,) = tmp_path.glob("*.part.mp4")
    (whole,) = _whole(tmp_path)
    saved, later = _numbers(part), _numbers(whole)
    assert saved == list(range(len(saved)))
    assert later == list(range(later[0], 256))[: len(later)] + list(range(300 - 256))
    assert 100 <= later[0] <= 200  # some ten seconds after the failure
    assert final_path(part) is not None
    caplog.clear()  # the failure was logged as an error


def test_a_disk_that_refuses_the_only_file_ends_the_recording(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outputs = Outputs(save=tmp_path / "door.mp4")
    with _no_file_larger_than(5000):
        report = _write(outputs, _config(only_with_faces=True), 100, faces=range(100))
    (failure,) = report.failures
    assert failure == (
        "recorder (door.mp4): File too large; what was written stands in door.part.mp4"
    )
    assert len(_numbers(tmp_path / "door.part.mp4")) > 0
    caplog.clear()  # the failure was logged as an error


def test_a_kill_costs_one_segment_at_most_its_last_second(tmp_path: Path) -> None:
    pictures = (numbered(number % 256) for number in count())
    with http({"/": mjpeg_page(pictures)}) as server:
        words = f"run http://{server.address}/ --save door.mp4 --log door.jsonl --no-show"
        program = subprocess.Popen(
            [sys.executable, "-m", "stream", *words.split(), "--set", "recorder.segment_s=1"],
            cwd=tmp_path,
            env={"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": "/usr/bin:/bin"},
        )
        try:
            deadline_s = time.monotonic() + _WAIT_S
            while len(_whole(tmp_path)) < 3 and time.monotonic() < deadline_s:
                time.sleep(0.02)
        finally:
            program.send_signal(signal.SIGKILL)
            program.wait(_WAIT_S)
    whole = _whole(tmp_path)
    assert len(whole) >= 3
    for video in whole[:-1]:  # the log of the last one may have been about to take its name
        assert len(_numbers(video)) == len(_logged(video.with_suffix(".jsonl")))
    for video in {*_files(tmp_path, ".mp4")} - {*whole[:-1]}:
        (log,) = tmp_path.glob(f"{video.name.partition('.')[0]}.*jsonl")
        assert len(_numbers(video)) >= len(_logged(log)) - 26


def test_what_is_held_back_is_bounded_in_time(tmp_path: Path) -> None:
    from stream.sinks.segments import Placement, SegmentNames
    from stream.sinks.video.segmented_video import SegmentedVideo

    names = SegmentNames.of(tmp_path / "door.mp4")
    config = _config(segment_s=60, only_with_faces=True, before_s=2).recorder
    with SegmentedVideo(names, _LIVE, config, RunReport(), lambda: None) as video:
        held = []
        for number in range(200):
            each = frame(number, fps=10)
            since_s = max(number // 10 - 2, 0)
            place = Placement(None, since_s, is_key=number % 10 == 0)
            video.add_drawn(_Plain(each.image), None, each.time_s, place)
            held.append(int(repr(video).partition(", ")[2].split()[0]))
    assert max(held) <= 31
    assert held[-1] > 20


class _Plain:
    """A canvas that nothing is drawn on."""

    def __init__(self, picture: Any) -> None:
        self.picture = picture


@pytest.mark.parametrize("limit", [{"keep_gb": 1.0}, {"keep_days": 1.0}])
def test_only_segments_are_deleted(limit: dict[str, float], tmp_path: Path) -> None:
    outputs = Outputs(save=tmp_path / "door.mp4")
    with (
        pytest.raises(ConfigError, match=r"delete segments: set recorder\.segment_s"),
        claim_outputs(outputs, _LIVE, _config(**limit)),
    ):
        pass


def test_a_name_that_a_segment_would_make_too_long_is_refused_before_it_runs(
    tmp_path: Path,
) -> None:
    outputs = Outputs(save=tmp_path / f"{'x' * 225}.mp4")
    with (
        pytest.raises(ConfigError, match="file name too long; choose another name"),
        claim_outputs(outputs, _LIVE, _config(segment_s=60)),
    ):
        pass


def test_old_segments_go_while_it_runs(tmp_path: Path) -> None:
    old = tmp_path / "door-20200101-000000+0000.mp4"
    old.write_bytes(bytes(1000))
    report = _write(Outputs(save=tmp_path / "door.mp4"), _config(segment_s=1, keep_days=30), 25)
    assert not old.exists()
    assert (report.segments.complete, report.segments.deleted) == (3, 1)


def test_a_name_that_exists_or_was_left_by_a_killed_run_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "door.mp4").write_text("precious")
    (tmp_path / "door-20200101-000000+0000.part.mp4").write_text("saved")
    report = _write(Outputs(save=tmp_path / "door.mp4"), _config(segment_s=1), 5)
    assert (report.failures, report.segments.complete) == ([], 1)
    assert (tmp_path / "door.mp4").read_text() == "precious"
