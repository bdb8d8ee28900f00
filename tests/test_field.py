"""Odd but valid files, as people report them of other programs: each annotated and recorded."""

from dataclasses import dataclass
from pathlib import Path

import av
import pytest
from fakes import log_lines, times_s

from stream.run import run
from stream.settings import Config
from stream.sinks import Outputs
from stream.sources import open_source


@dataclass(frozen=True)
class _Right:
    """What is right of a file: pictures, rate, whether sound is recorded, and what is said."""

    frames: int
    fps: float
    has_sound: bool
    said: str = ""


_FILES = {
    "exif.mjpeg": _Right(15, 25, has_sound=False),
    "raw_30fps.h264": _Right(90, 30, has_sound=False),
    "unknown_sound_codec.mp4": _Right(90, 30, has_sound=False, said="recorded without sound: "),
    "unknown_first_sound.mp4": _Right(
        90, 30, has_sound=True, said="has 2 sound tracks: number 2 is taken"
    ),
    "second_sound_default.mkv": _Right(
        90, 30, has_sound=True, said="has 2 sound tracks: number 2 is taken"
    ),
    "second_video_default.mkv": _Right(
        90, 30, has_sound=True, said="has 2 video tracks: number 2 is taken"
    ),
}


@pytest.mark.parametrize("name", _FILES)
def test_an_odd_file_is_annotated_recorded_and_logged(
    name: str, shared_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    right = _FILES[name]
    outputs = Outputs(save=tmp_path / "out.mp4", log=tmp_path / "out.jsonl")
    summary = run(open_source(str(shared_data / "field" / name)), Config(), outputs)
    assert (summary.frames, summary.failures, summary.people) == (right.frames, [], 1)
    assert len(caplog.messages) == bool(right.said)
    assert right.said in caplog.text
    assert len(log_lines(tmp_path / "out.jsonl")) == right.frames + 1
    times = times_s(tmp_path / "out.mp4")
    assert len(times) == right.frames
    assert times[-1] - times[0] == pytest.approx((right.frames - 1) / right.fps, abs=2e-3)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert bool(container.streams.audio) is right.has_sound
