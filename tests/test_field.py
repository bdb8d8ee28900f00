"""Odd but valid files, as people report them of other programs: each annotated and recorded."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from fakes import log_lines, times_s

from stream.frames import Frame
from stream.run import run
from stream.settings import Config
from stream.short_forms import annotate
from stream.sinks import Outputs
from stream.sources import Span, open_source
from stream.sources.pictures import read_picture
from stream.sources.video import VideoSource
from stream.tracks import Track


@dataclass(frozen=True)
class _Right:
    """What is right of a file: pictures, rate, whether sound is recorded, and what is said.

    Where pictures are left out, `lasts_s` says from when to when they go, s; `sound_s` says how
    long the sound is, where that is not as long as the pictures.
    """

    frames: int
    fps: float
    has_sound: bool
    said: str = ""
    lasts_s: float | None = None
    sound_s: float | None = None


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
    "joined.ts": _Right(180, 30, has_sound=True, sound_s=6.02),
    "joined.vob": _Right(
        154, 25, has_sound=True, said="AC-3, which may change on the way", lasts_s=6.126
    ),
    "edit_list.mp4": _Right(54, 30, has_sound=True),
    "dropped_frames.avi": _Right(63, 30, has_sound=False, lasts_s=2.967),
    "sound_longer.mp4": _Right(62, 30, has_sound=True, lasts_s=2.067, sound_s=6.0),
    "late_start_subtitle.mkv": _Right(90, 30, has_sound=True),
    "hdr_pq.mp4": _Right(30, 30, has_sound=False),
    "hdr_hlg.mp4": _Right(30, 30, has_sound=False),
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
    lasts_s = right.lasts_s or (right.frames - 1) / right.fps
    assert times[-1] - times[0] == pytest.approx(lasts_s, abs=2e-3)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert bool(container.streams.audio) is right.has_sound
        for sound in container.streams.audio:
            sound_s = float((sound.duration or 0) * (sound.time_base or 0))
            assert sound_s == pytest.approx(right.sound_s or lasts_s + 1 / right.fps, abs=0.05)


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_what_an_edit_list_cuts_off_is_not_recorded(
    ending: str, shared_data: Path, tmp_path: Path
) -> None:
    source = open_source(str(shared_data / "field" / "edit_list.mp4"))
    run(source, Config(), Outputs(save=tmp_path / f"out{ending}"))
    with av.open(str(tmp_path / f"out{ending}")) as container:
        firsts = [next(container.decode(track)).time or 0.0 for track in container.streams]
        assert firsts == pytest.approx([0.0, 0.0], abs=0.03)
    with av.open(str(tmp_path / f"out{ending}")) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        assert len(packets) == 79  # 1.8 s; more would be what the edit list cuts off


def test_sound_that_outlasts_the_pictures_is_copied_to_its_end(
    shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "field" / "sound_longer.mp4"
    run(open_source(str(path)), Config(), Outputs(save=tmp_path / "out.mp4"))
    assert _sound(tmp_path / "out.mp4") == _sound(path)
    run(open_source(str(path), span=Span(0, 1)), Config(), Outputs(save=tmp_path / "part.mp4"))
    assert len(_sound(tmp_path / "part.mp4")) < 48


def _sound(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def _annotated(path: Path, frames: int) -> Iterator[tuple[Frame, Track]]:
    """The first frames of a video, each with its face."""
    for frame, tracks in itertools.islice(annotate(path), frames):
        (track,) = tracks
        yield frame, track


@pytest.mark.parametrize("name", ["hdr_pq.mp4", "hdr_hlg.mp4"])
def test_hdr_looks_like_the_original_to_people_and_to_the_network(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    folder = shared_data / "field"
    run(open_source(str(folder / name)), Config(), Outputs(save=tmp_path / "out.mp4"))
    original, hdr = (list(_annotated(folder / each, 30)) for each in ("base.mp4", name))
    recorded, differences = VideoSource(tmp_path / "out.mp4"), []
    for (right, face), (shown, _), drawn in zip(original, hdr, recorded.frames(), strict=True):
        left, top, right_edge, bottom = np.rint(face.box_xyxy).astype(int)
        inside = np.s_[top + 8 : bottom - 8, left + 8 : right_edge - 8]
        pictures = np.stack([shown.image[inside], drawn.image[inside]]).astype(int)
        differences.append(np.abs(pictures - right.image[inside]).mean(axis=(1, 2, 3)))
    recorded.close()
    assert (np.mean(differences, axis=0) < 6).all()
    expected, found = (each[-1][1].labels["race"] for each in (original, hdr))
    assert found.text == expected.text
    assert found.confidence == pytest.approx(expected.confidence, abs=0.05)


def test_a_face_that_is_wholly_transparent_is_not_found(shared_data: Path, tmp_path: Path) -> None:
    source = open_source(str(shared_data / "field" / "transparent.png"))
    summary = run(source, Config(), Outputs(save=tmp_path / "out"))
    assert (summary.frames, summary.people) == (1, 0)
    assert (read_picture(tmp_path / "out" / "transparent.png") == 128).all()
