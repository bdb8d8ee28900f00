"""The main job on a real clip: annotated, recorded with its sound, logged."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fakes import log_lines, times_s, track_lines
from peak_memory import run_measured

_FRAMES, _FPS = 105, 25
_MAX_MEMORY_MB = 700


@pytest.fixture(scope="module")
def done(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """Where the outputs are, and the summary with the peak of memory."""
    folder = tmp_path_factory.mktemp("end-to-end")
    clip = shared_data / "clips" / "facenet_video.mp4"
    words = ["run", str(clip), "--save", "out.mp4", "--log", "out.jsonl", "--no-show"]
    program = run_measured(["-m", "stream", *words, "--json-summary"], folder)
    assert (program.returncode, program.stderr) == (0, "")
    return folder, {**json.loads(program.stdout), "peak_mb": program.peak_mb}


@pytest.fixture(scope="module")
def clip(shared_data: Path) -> Path:
    return shared_data / "clips" / "facenet_video.mp4"


def test_every_frame_is_recorded_at_its_time(done: tuple[Path, dict[str, Any]], clip: Path) -> None:
    folder, summary = done
    assert summary["frames"] == _FRAMES
    assert sorted(path.name for path in folder.glob("out*")) == ["out.jsonl", "out.mp4"]
    assert times_s(folder / "out.mp4") == pytest.approx(times_s(clip), abs=1e-4)
    with av.open(str(clip)) as before, av.open(str(folder / "out.mp4")) as after:
        assert abs(after.duration - before.duration) / av.time_base <= 1 / _FPS


def test_the_sound_is_there_to_the_byte(done: tuple[Path, dict[str, Any]], clip: Path) -> None:
    packets = []
    for path in (clip, done[0] / "out.mp4"):
        with av.open(str(path)) as container:
            sound = container.demux(container.streams.audio[0])
            packets.append([bytes(packet) for packet in sound if packet.size])
    # What sounds after the last picture is not taken along.
    assert len(packets[1]) >= len(packets[0]) - 3
    assert packets[1] == packets[0][: len(packets[1])]


def test_the_walkers_are_followed_and_labelled(done: tuple[Path, dict[str, Any]]) -> None:
    header, *entries = log_lines(done[0] / "out.jsonl")
    assert (header["schema"], header["size"], header["fps"]) == ("face-stream/2", [1920, 1080], 25)
    assert [entry["frame"] for entry in entries] == list(range(_FRAMES))
    seen: Counter[int] = Counter()
    labelled: Counter[int] = Counter()
    for entry in entries:
        ids = [face["track"] for face in entry["faces"]]
        assert len(ids) == len(set(ids))
        for face in entry["faces"]:
            seen[face["track"]] += face["missed"] == 0
            labelled[face["track"]] += bool(face["labels"])
            for label in face["labels"].values():
                assert sum(label["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert sum(frames >= 10 for frames in seen.values()) >= 4
    assert sum(frames >= 10 for frames in labelled.values()) >= 4
    tracks = track_lines(done[0] / "out.jsonl")
    assert {track["track"]: track["frames"] for track in tracks} == seen
    assert len(seen) == done[1]["people"] == sum(done[1]["perceived"].values())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="others count in other units")
def test_the_memory_it_takes_is_bounded(done: tuple[Path, dict[str, Any]]) -> None:
    assert done[1]["peak_mb"] < _MAX_MEMORY_MB


def test_boxes_are_steady(done: tuple[Path, dict[str, Any]]) -> None:
    _, *entries = log_lines(done[0] / "out.jsonl")
    paths: dict[int, list[list[float]]] = {}
    for entry in entries:
        for face in entry["faces"]:
            paths.setdefault(face["track"], []).append(face["box"])
    jumps = [
        np.abs(np.diff(path, n=2, axis=0)).max(axis=1) / (path[0][2] - path[0][0])
        for path in paths.values()
        if len(path) >= 10
    ]
    assert np.median(np.concatenate(jumps)) < 0.05  # of a face's width, change of speed in a frame
