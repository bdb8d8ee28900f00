"""Recordings begun and ended on the way."""

from datetime import datetime
from pathlib import Path

import av
import pytest
from fakes import SIZE_WH, fan_out, frame, times_s

from stream.controls import Controls, RunReport
from stream.drawing.overlay import Overlay
from stream.frames import SourceInfo, SourceKind
from stream.settings.schema import RecorderSection
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.paths import dated_paths
from stream.sinks.video.manual_recording import ManualRecordings
from stream.sinks.video.recorder import Recorder

_SETTINGS = RecorderSection()


def _info(kind: SourceKind = "video") -> SourceInfo:
    return SourceInfo("numbers", kind, SIZE_WH, 25.0)


def _recorded(
    folder: Path, wanted: str, *, complete: bool = True, kind: SourceKind = "video"
) -> RunReport:
    """What is reported of a frame for each character, of which `x` is to be recorded."""
    controls, report = Controls(), RunReport()
    recordings = ManualRecordings(folder, _info(kind), _SETTINGS, controls, report)
    for number, each in enumerate(wanted):
        controls.record = each == "x"
        recordings.write(AnnotatedFrame(frame(number), [], Overlay()))
        assert (report.recording is not None) == controls.record
    recordings.close(complete=complete)
    assert repr(recordings) == "ManualRecordings(None)"
    return report


@pytest.mark.parametrize("kind", ["video", "camera"])
def test_each_recording_is_a_file_of_its_own_that_begins_at_its_beginning(
    kind: SourceKind, tmp_path: Path
) -> None:
    report = _recorded(tmp_path, "..xxxx...xx.", kind=kind)
    first, second = report.outputs
    assert sorted(tmp_path.iterdir()) == sorted([first, second])
    assert first.name.startswith("recording-") and first.suffix == ".mp4"
    assert times_s(first) == pytest.approx([index / 25 for index in range(4)])
    assert times_s(second) == pytest.approx([0.0, 0.04])
    assert [_first_time_s(each) for each in (first, second)] == [0, 0]
    assert report.notice == f"saved {second}"


def _first_time_s(path: Path) -> float | None:
    """As the file has it: a source of ours would begin at nought whatever it says."""
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).time


def test_each_moment_has_names_that_nobody_has(tmp_path: Path) -> None:
    now = datetime(2026, 11, 24, 3, 15, 7)
    names = []
    for taken in ("recording-20261124-031507.mp4", "recording-20261124-031507-2.part.mp4", "other"):
        path = next(dated_paths(tmp_path, "recording", ".mp4", now))
        names.append(path.name)
        (tmp_path / taken).touch()
    assert names == [f"recording-20261124-031507{each}.mp4" for each in ("", "-2", "-3")]


def test_what_is_being_recorded_at_the_end_is_complete(tmp_path: Path) -> None:
    report = _recorded(tmp_path, ".xxx")
    (recording,) = report.outputs
    assert len(times_s(recording)) == 3
    assert report.recording is None


def test_what_is_not_complete_keeps_its_partial_name(tmp_path: Path) -> None:
    report = _recorded(tmp_path, "xx", complete=False)
    assert report.outputs == []
    (left,) = tmp_path.iterdir()
    assert left.name.endswith(".part.mp4")


def test_nothing_asked_for_leaves_nothing(tmp_path: Path) -> None:
    assert _recorded(tmp_path, "...").outputs == []
    assert list(tmp_path.iterdir()) == []


def test_a_recording_that_cannot_be_made_is_named_once_and_not_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    controls, report = Controls(record=True), RunReport()
    missing = tmp_path / "missing"
    recordings = ManualRecordings(missing, _info(), _SETTINGS, controls, report)
    with fan_out([recordings], Overlay(), _info(), controls, report) as sinks:
        for number in range(3):
            sinks.write(frame(number), [])
    (failure,) = report.failures
    assert failure.startswith("recording: ") and "No such file or directory" in failure
    assert report.recording is None
    assert report.recording_refusal.startswith("not recording: ")
    assert "cannot be made" in report.recording_refusal
    caplog.clear()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_recording_that_fails_is_marked_no_longer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "out.mp4"
    (tmp_path / "out.part.mp4").symlink_to("/dev/full")
    report = RunReport(recording=path)
    recorder = Recorder(path, _info(), _SETTINGS)
    with fan_out([recorder], Overlay(), _info(), report=report) as sinks:
        for number in range(200):
            sinks.write(frame(number), [])
        assert report.recording is None
    assert len(report.failures) == 1
    caplog.clear()
