"""What can be written as what, and how one setting of quality reads to each encoder."""

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from fakes import SIZE_WH, number_of, numbered, times_s

from stream.errors import ConfigError
from stream.frames import SourceInfo
from stream.settings.schema import CodecName, Preset, RecorderSection
from stream.sinks.video.codecs import CODECS, CONTAINERS, codec_for
from stream.sinks.video.video_file import VideoFile
from stream.sources.video import VideoSource

_INFO = SourceInfo("numbers", "video", SIZE_WH, 25.0)
_ALL = [(ending, name) for ending, kind in CONTAINERS.items() for name in kind.codecs]
_PRESETS: tuple[Preset, ...] = ("ultrafast", "veryfast", "slow")


def _record(path: Path, settings: RecorderSection, count: int = 30) -> None:
    with VideoFile(path, _INFO, settings) as video_file:
        for number in range(count):
            video_file.add(numbered(number), number / 25)


@pytest.mark.parametrize(("ending", "name"), _ALL)
def test_every_codec_in_every_container_that_holds_it(
    ending: str, name: CodecName, tmp_path: Path
) -> None:
    path = tmp_path / f"out{ending}"
    _record(path, RecorderSection(codec=name, quality=10))
    assert times_s(path) == pytest.approx([number / 25 for number in range(30)], abs=1e-3)
    video = VideoSource(path)
    try:
        assert [number_of(each.image) for each in video.frames()] == [*range(30)]
    finally:
        video.close()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.codec.canonical_name == name
        assert stream.codec_context.codec_tag == "hvc1" or name != "hevc" or ending == ".mkv"
        keys = [each.pts * each.time_base for each in container.demux(stream) if each.is_keyframe]
    assert keys[0] == 0
    assert all(later - earlier <= 1.001 for earlier, later in pairwise([*keys, times_s(path)[-1]]))


@pytest.mark.parametrize(
    ("ending", "encoder"),
    [(".mp4", "libx264"), (".MOV", "libx264"), (".mkv", "libx264"), (".webm", "libvpx-vp9")],
)
def test_auto_is_what_most_players_know(ending: str, encoder: str) -> None:
    assert codec_for(Path(f"out{ending}"), "auto").encoder == encoder


@pytest.mark.parametrize(("ending", "name"), [(".webm", "h264"), (".mov", "vp9"), (".mov", "av1")])
def test_what_a_container_cannot_hold_is_refused(ending: str, name: CodecName) -> None:
    with pytest.raises(ConfigError, match=rf"{ending} cannot hold it; it holds"):
        codec_for(Path(f"out{ending}"), name)


def test_an_encoder_that_is_missing_is_named_with_what_is_there() -> None:
    without = {**CODECS, "h264": replace(CODECS["h264"], encoder="libnone")}
    with pytest.raises(
        ConfigError, match=r"has no libnone, which writes H\.264; choose hevc or vp9"
    ):
        codec_for(Path("out.mp4"), "auto", without)
    nothing = {name: replace(each, encoder="libnone") for name, each in CODECS.items()}
    with pytest.raises(ConfigError, match="install av"):
        codec_for(Path("out.webm"), "vp9", nothing)


@pytest.mark.parametrize("name", CODECS)
def test_quality_stays_on_every_scale(name: CodecName) -> None:
    codec = CODECS[name]
    factors = [int(codec.settings(quality, "veryfast")["crf"]) for quality in range(52)]
    assert factors == sorted(factors)
    assert min(factors) >= 0
    assert max(factors) == codec.worst


@pytest.mark.parametrize("name", CODECS)
def test_a_better_quality_is_nearer_and_larger(name: CodecName, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    errors, sizes = [], []
    for quality in (12, 23, 40):
        path = tmp_path / f"{quality}.mkv"
        with VideoFile(path, _INFO, RecorderSection(codec=name, quality=quality)) as video_file:
            video_file.add(noise, 0.0)
        video = VideoSource(path)
        (back,) = (each.image for each in video.frames())
        video.close()
        errors.append(float(np.abs(back.astype(int) - noise).mean()))
        sizes.append(path.stat().st_size)
    assert errors == sorted(errors)
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("preset", _PRESETS)
@pytest.mark.parametrize("name", CODECS)
def test_every_preset_means_something_to_every_encoder(
    name: CodecName, preset: Preset, tmp_path: Path
) -> None:
    _record(tmp_path / "out.mkv", RecorderSection(codec=name, preset=preset), count=3)
    assert len(times_s(tmp_path / "out.mkv")) == 3


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="threads have no policy here")
@pytest.mark.parametrize("name", CODECS)
def test_no_thread_comes_before_those_of_other_programs(name: CodecName, tmp_path: Path) -> None:
    """SVT-AV1 would make them real-time ones where root runs it."""
    before = os.sched_getscheduler(0)
    with VideoFile(tmp_path / "out.mp4", _INFO, RecorderSection(codec=name)) as video_file:
        video_file.add(numbered(0), 0.0)
        threads = [int(each) for each in os.listdir("/proc/self/task")]
        assert {os.sched_getscheduler(thread) for thread in threads} == {before}
    assert os.sched_getscheduler(0) == before
