"""The progress bar: it counts by time, and is full at the end."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes import NumberedSource, Pulses
from rich.console import Console

from stream.cli.progress import ProgressBar
from stream.drawing.overlay import Overlay
from stream.frames import Frame, SourceInfo
from stream.sinks import AnnotatedFrame
from stream.sources import open_source


def _shown(info: SourceInfo, frames: Sequence[Frame]) -> str:
    """What the terminal shows until the bar is removed."""
    terminal = io.StringIO()
    bar = ProgressBar(info, Console(file=terminal, force_terminal=True, width=120))
    for frame in frames:
        bar.write(AnnotatedFrame(frame, (), Overlay()))
    bar.close(complete=True)
    return terminal.getvalue()


def _frames_of(path: Path) -> tuple[SourceInfo, list[Frame]]:
    source = open_source(str(path))
    frames = list(source.frames())
    source.close()
    return source.info, frames


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("base.mp4", "90/90"),
        ("edit_list.mp4", "54/54"),
        ("dropped_frames.avi", "90/90"),
        ("sound_longer.mp4", "63/63"),
        ("late_start_subtitle.mkv", "90/90"),
        ("joined.ts", "180/180"),
    ],
)
def test_the_bar_is_full_at_the_end(name: str, full: str, shared_data: Path) -> None:
    assert full in _shown(*_frames_of(shared_data / "field" / name))


def test_the_bar_of_a_run_that_was_left_is_not_full(tmp_path: Path) -> None:
    path = Pulses(seconds=2.0).write(tmp_path / "a.mp4", "libx264", "aac")
    source = open_source(str(path))
    frames = [frame for frame, _ in zip(source.frames(), range(20), strict=False)]
    source.close()
    assert "20/50" in _shown(source.info, frames)


def test_frames_without_a_rate_are_counted() -> None:
    source = NumberedSource(8)
    info = SourceInfo("folder", "pictures", (96, 64), None, 8)
    assert "8/8" in _shown(info, list(source.frames()))
