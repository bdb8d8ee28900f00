"""Recordings that were joined: one clock for pictures and sound, over every seam."""

from itertools import pairwise
from pathlib import Path

import pytest
from fakes import Pulses, pulses_s

from stream.settings.schema import RecorderSection
from stream.sinks.video.video_file import VideoFile
from stream.sources import WHOLE, Span, open_source

_IN_STEP_S = 0.04  # what is off by no more is not noticed

_PLAIN = Pulses()
_LARGER = Pulses(size_wh=(192, 128))
_FASTER = Pulses(fps=30)
_OTHER_SOUND = Pulses(hz=44_100, layout="mono")
_SILENT = Pulses(layout=None)
_SHORT = Pulses(seconds=0.8)

_CODECS = {
    ".ts": ("libx264", "aac"),
    ".m2ts": ("libx264", "aac"),
    ".mpg": ("mpeg2video", "mp2"),
    ".vob": ("mpeg2video", "ac3"),
    ".mkv": ("libx264", "aac"),
}


def _join(path: Path, parts: list[Pulses], starts_s: tuple[float, ...] = ()) -> Path:
    """Writes clips one after the other into a file, as `cat` does."""
    starts_s = starts_s or (0.0,) * len(parts)
    data = b""
    for number, (part, start_s) in enumerate(zip(parts, starts_s, strict=True)):
        clip = path.with_name(f"part{number}{path.suffix}")
        data += part.write(clip, *_CODECS[path.suffix], start_s).read_bytes()
    path.write_bytes(data)
    return path


def _record(path: Path, out: Path, span: Span = WHOLE) -> list[float]:
    """Records a file, and returns the times of its frames."""
    source, times = open_source(str(path), span=span), []
    with VideoFile(out, source.info, RecorderSection(preset="ultrafast")) as video_file:
        for frame in source.frames():
            times.append(frame.time_s)
            video_file.add(frame.image, frame.time_s)
    source.close()
    return times


@pytest.mark.parametrize(
    ("ending", "parts"),
    [
        (".ts", [_PLAIN, _PLAIN, _PLAIN]),
        (".ts", [_PLAIN, _LARGER]),
        (".ts", [_PLAIN, _FASTER, _PLAIN]),
        (".ts", [_PLAIN, _OTHER_SOUND, _PLAIN]),
        (".ts", [_PLAIN, _SILENT, _PLAIN]),
        (".ts", [_SHORT, _SHORT, _SHORT]),
        (".m2ts", [_PLAIN, _PLAIN]),
        (".mpg", [_PLAIN, _PLAIN]),
        (".vob", [_PLAIN, _PLAIN, _PLAIN]),
        (".vob", [_PLAIN, _SILENT, _OTHER_SOUND]),
        (".mkv", [_PLAIN, _PLAIN]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_sound_stays_in_step_over_every_seam(
    ending: str, parts: list[Pulses], tmp_path: Path
) -> None:
    times = _record(_join(tmp_path / f"joined{ending}", parts), tmp_path / "out.mp4")
    # A decoder may drop a picture of MPEG-2 where the size or the rate changes.
    assert sum(part.frames for part in parts) - len(times) in (0, *range(1, len(parts)))
    seconds = sum(part.seconds for part in parts)
    assert times[-1] - times[0] == pytest.approx(seconds, abs=0.04 * len(parts))
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert 0.03 < min(steps) <= max(steps) < 0.13
    lights, tones = pulses_s(tmp_path / "out.mp4")
    assert len(lights) == sum(len(range(5, part.frames, 10)) for part in parts)
    assert len(tones) == sum(len(range(5, part.frames, 10)) for part in parts if part.layout)
    for tone_s in tones:
        assert min(abs(tone_s - light_s) for light_s in lights) < _IN_STEP_S


@pytest.mark.parametrize(
    "starts_s", [(0.0, 5000.0), (5000.0, 0.0), (0.0, 5000.0, 0.0)], ids=["on", "back", "both"]
)
def test_the_next_clock_may_be_hours_off(starts_s: tuple[float, ...], tmp_path: Path) -> None:
    parts = [_PLAIN] * len(starts_s)
    times = _record(_join(tmp_path / "joined.ts", parts, starts_s), tmp_path / "out.mp4")
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert steps == pytest.approx([0.04] * (len(times) - 1), abs=0.04)
    lights, tones = pulses_s(tmp_path / "out.mp4")
    assert len(tones) == len(lights) == 4 * len(parts)
    assert tones == pytest.approx(lights, abs=_IN_STEP_S)


@pytest.mark.parametrize("ending", [".ts", ".vob"])
def test_a_part_of_a_joined_file_is_exact(ending: str, tmp_path: Path) -> None:
    joined = _join(tmp_path / f"joined{ending}", [_PLAIN, _PLAIN, _PLAIN])
    source = open_source(str(joined))
    whole = [frame.time_s for frame in source.frames()]
    source.close()
    for start_s, end_s in ((0.5, 1.0), (1.3, 3.2), (3.4, 9.0)):
        times = _record(joined, tmp_path / "out.mp4", Span(start_s, end_s))
        assert times == pytest.approx([each for each in whole if start_s <= each < end_s], abs=1e-3)
        lights, tones = pulses_s(tmp_path / "out.mp4")
        assert lights
        for light_s in lights:
            assert min(abs(tone_s - light_s) for tone_s in tones) < _IN_STEP_S
