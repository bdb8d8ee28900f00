"""Files that were cut short, in any container and place, are named; whole ones are not."""

from pathlib import Path

import av
import numpy as np
import pytest
from fakes import Pulses, encode

from stream.sources import open_source
from stream.sources.file_structure import is_cut

_CLIP = Pulses(seconds=3.0, layout="mono")

_CODECS = {
    ".mp4": ("libx264", "aac"),
    ".mov": ("libx264", "aac"),
    ".mkv": ("libx264", "aac"),
    ".webm": ("libvpx", "libopus"),
    ".avi": ("mpeg4", "mp2"),
    ".flv": ("libx264", "aac"),
    ".wmv": ("wmv2", "wmav2"),
    ".ts": ("libx264", "aac"),
    ".m2ts": ("libx264", "aac"),
    ".vob": ("mpeg2video", "ac3"),
}


def _write(folder: Path, ending: str) -> Path:
    """A clip, whose index stands before its content where it has one."""
    path = folder / f"whole{ending}"
    _CLIP.write(path, *_CODECS[ending])
    if ending not in (".mp4", ".mov"):
        return path
    first = folder / f"first{ending}"
    options = {"movflags": "faststart"}
    with av.open(str(path)) as source, av.open(str(first), "w", options=options) as out:
        tracks = [out.add_stream_from_template(each) for each in source.streams]
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = tracks[packet.stream.index]
                out.mux(packet)
    return first


def _read(path: Path) -> int:
    """How many frames a file gives."""
    source = open_source(str(path))
    try:
        return len(list(source.frames()))
    finally:
        source.close()


@pytest.mark.parametrize("ending", _CODECS)
def test_a_cut_file_is_named_and_a_whole_one_is_not(
    ending: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = _write(tmp_path, ending)
    assert not is_cut(whole)
    assert _read(whole) == _CLIP.frames
    assert not caplog.messages
    data = whole.read_bytes()
    for percent in (33, 61, 88, 99):
        cut = tmp_path / f"cut{ending}"
        cut.write_bytes(data[: len(data) * percent // 100 // 2 * 2 - 1])
        assert 0 < _read(cut) <= _CLIP.frames
        assert caplog.messages[-1].startswith(f"{cut} ended at ")
        assert caplog.messages[-1].endswith(": it is cut short or damaged")
        caplog.clear()


def test_a_transport_stream_that_ends_between_two_packets_of_a_picture(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (5, 64, 96, 3), np.uint8)
    whole = encode(tmp_path / "whole.ts", list(noise), "libx264", "yuv420p")
    data = whole.read_bytes()
    with av.open(str(whole)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    (tmp_path / "cut.ts").write_bytes(data[: (places[3] or 0) + 5 * 188])
    assert is_cut(tmp_path / "cut.ts")
    assert not is_cut(whole)


@pytest.mark.parametrize(
    ("data", "cut"),
    [
        (b"", False),
        (b"RIFF", False),
        (b"RIFF\0\0\0\0AVI ", False),  # its length was left open
        (b"RIFF\x0c\0\0\0AVI ", False),  # some count the eight bytes before as well
        (b"RIFF\x40\0\0\0AVI ", True),
        (b"\x1a\x45\xdf\xa3", False),
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01" + b"\xff" * 7, False),  # left open
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x84abcd", False),
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x85abcd", True),
        (b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\0mdat", False),  # to the end of the file
        (b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x09mdata", False),
        (b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x09mdat", True),
        (b"OggS", True),
        (b"G" * 20, False),
        (bytes(999), False),
    ],
)
def test_any_structure_is_read_to_where_it_breaks_off(
    data: bytes, cut: bool, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(data)
    assert is_cut(tmp_path / "a") is cut


def test_a_file_that_is_gone_is_not_cut(tmp_path: Path) -> None:
    assert not is_cut(tmp_path / "gone.mp4")


@pytest.mark.parametrize(
    "name",
    ["edit_list.mp4", "dropped_frames.avi", "sound_longer.mp4", "late_start_subtitle.mkv"],
)
def test_an_odd_file_that_is_whole_is_not_named(
    name: str, shared_data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert not is_cut(shared_data / "field" / name)
    assert _read(shared_data / "field" / name) > 0
    assert not caplog.messages
