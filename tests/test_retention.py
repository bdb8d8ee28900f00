"""Old segments: what is deleted, in which order, and what never is."""

from datetime import datetime, timedelta
from pathlib import Path

from fakes import person

from stream.controls import RunReport
from stream.settings.schema import RecorderSection
from stream.sinks.paths import STAMP_FORMAT
from stream.sinks.retention import Retention
from stream.sinks.segments import SegmentNames


def _stamp(days_ago: float) -> str:
    return f"{datetime.now().astimezone() - timedelta(days=days_ago):{STAMP_FORMAT}}"


def _write(folder: Path, *names: str, size: int = 400_000) -> None:
    for name in names:
        (folder / name).write_bytes(bytes(size))


def _retention(folder: Path, **settings: float) -> tuple[Retention, RunReport]:
    report = RunReport()
    names = [
        SegmentNames.of(folder / "door.mp4"),
        SegmentNames.of(folder / "door.csv"),
        SegmentNames.of(folder / "door.csv", ".tracks.csv"),
    ]
    section = RecorderSection.model_validate({"segment_s": 60, **settings})
    return Retention(names, section, report), report


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_is_too_old_goes_with_its_logs(tmp_path: Path) -> None:
    old, new = _stamp(8), _stamp(6)
    for stamp in (old, new):
        _write(tmp_path, *(f"door-{stamp}{end}" for end in (".mp4", ".csv", ".tracks.csv")))
    retention, report = _retention(tmp_path, keep_days=7)
    retention.close([person()], complete=True)
    assert _names(tmp_path) == {f"door-{new}{end}" for end in (".mp4", ".csv", ".tracks.csv")}
    assert (report.segments.deleted, report.segments.deleted_bytes) == (1, 1_200_000)


def test_of_what_is_too_much_the_oldest_goes_until_it_is_not(tmp_path: Path) -> None:
    stamps = [_stamp(days) for days in (1, 4, 2, 3)]  # the order of a folder is any
    _write(tmp_path, *(f"door-{stamp}.mp4" for stamp in stamps))
    _write(tmp_path, f"door-{_stamp(0)}.part.mp4")  # what is being written takes room too
    retention, report = _retention(tmp_path, keep_gb=0.0013)
    retention.prune("")
    assert {f"door-{_stamp(days)}.mp4" for days in (2, 1)} <= _names(tmp_path)
    assert len(_names(tmp_path)) == 3
    assert (report.segments.deleted, report.failures) == (2, [])


def test_nothing_else_is_deleted(tmp_path: Path) -> None:
    old, written = _stamp(90), _stamp(80)
    others = [
        "door.mp4",
        "door-holiday.mp4",
        f"door-{old}.mkv",
        f"door-{old}.part.mp4",  # what a killed run could save
        f"back-door-{old}.mp4",
        f"doors-{old}.mp4",
        "door-20269999-000000+0000.mp4",
        f"door-{written}.mp4",
    ]
    _write(tmp_path, *others)
    (tmp_path / f"door-{_stamp(70)}.mp4").mkdir()
    (tmp_path / "elsewhere.mp4").write_text("precious")
    (tmp_path / f"door-{_stamp(60)}.mp4").symlink_to("elsewhere.mp4")
    (tmp_path / "deeper").mkdir()
    _write(tmp_path / "deeper", f"door-{old}.mp4")
    before = _names(tmp_path)
    _write(tmp_path, f"door-{old}.mp4")
    retention, report = _retention(tmp_path, keep_days=1, keep_gb=1e-6)
    retention.prune(written)
    assert _names(tmp_path) == before
    assert (tmp_path / "elsewhere.mp4").read_text() == "precious"
    assert _names(tmp_path / "deeper") == {f"door-{old}.mp4"}
    assert report.segments.deleted == 1


def test_without_limits_everything_is_kept(tmp_path: Path) -> None:
    _write(tmp_path, f"door-{_stamp(9000)}.mp4")
    retention, report = _retention(tmp_path)
    retention.prune("")
    assert (len(_names(tmp_path)), report.segments.deleted) == (1, 0)
