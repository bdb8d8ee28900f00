"""Video files: whatever is in them, whatever is wrong with them, and parts of them."""

import os
import struct
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from fakes import (
    CORNERS,
    RED,
    SIZE_WH,
    HastyReconnection,
    TamperedContainer,
    encode,
    number_of,
    numbered,
    times_s,
    write_numbers,
)

from models.faces import Image
from stream.errors import SourceError
from stream.sources import WHOLE, Span, open_source
from stream.sources.video import VideoSource


def _with_matrix(path: Path, a: int, b: int, c: int, d: int) -> None:
    """Says in an MP4's track header how its pictures are to be shown (ISO 14496-12, 8.3.2)."""
    data = path.read_bytes()
    start = data.index(b"tkhd") + 4 + 40
    matrix = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data[:start] + matrix + data[start + len(matrix) :])


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((1, 0, 0, 1), lambda image: image),
        ((0, 1, -1, 0), lambda image: cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE)),
        ((-1, 0, 0, -1), lambda image: cv2.rotate(image, cv2.ROTATE_180)),
        ((0, -1, 1, 0), lambda image: cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE)),
        ((-1, 0, 0, 1), lambda image: cv2.flip(image, 1)),
        ((1, 0, 0, -1), lambda image: cv2.flip(image, 0)),
        ((0, 1, 1, 0), cv2.transpose),
    ],
    ids=["upright", "90", "180", "270", "mirrored", "flipped", "transposed"],
)
def test_a_video_is_turned_as_it_is_to_be_shown(
    matrix: tuple[int, int, int, int], shown: Callable[[Image], Image], tmp_path: Path
) -> None:
    # What ffmpeg makes of these matrices, to the pixel, was compared once.
    encode(tmp_path / "a.mp4", [CORNERS], "libx264", "yuv420p")
    _with_matrix(tmp_path / "a.mp4", *matrix)
    source = open_source(str(tmp_path / "a.mp4"))
    frame = next(source.frames())
    image, expected = frame.image, shown(CORNERS)
    assert (frame.coded is None) is (matrix != (1, 0, 0, 1))  # else it would be recorded so
    assert source.info.size_wh == expected.shape[1::-1]
    assert image.flags.c_contiguous
    assert np.abs(image.astype(int) - expected).mean() < 12
    source.close()


@pytest.mark.parametrize(
    "name",
    [
        *("é 日本.mp4", "a b.mp4", "100%.mp4", "%d.mp4", "-x.mp4", "C.MP4", "12", "http:x.mp4"),
        *("concat:a.mp4|b.mp4", "c[1].mp4", "what?.mp4", "all*.mp4", "'q\".mp4", "caf\udce9.mp4"),
    ],
)
def test_any_name_will_do(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_numbers(Path("plain.mp4"), 3).rename(name)
    source = open_source(name)
    assert source.info.uri == name
    assert [number_of(frame.image) for frame in source.frames()] == [0, 1, 2]
    source.close()


def _sound_only(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        silence = av.AudioFrame.from_ndarray(
            np.zeros((1, 4800), np.int16), format="s16", layout="mono"
        )
        silence.sample_rate = 48_000
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: path.write_text("not a video"), "is not a video that can be read: Invalid"),
        (lambda path: path.touch(), "is not a video that can be read"),
        (lambda path: path.write_bytes(os.urandom(5000)), "is not a video that can be read"),
        (_sound_only, "has no pictures in it, only sound or data"),
    ],
    ids=["text", "empty", "noise", "sound"],
)
def test_what_is_no_video(write: Callable[[Path], object], said: str, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write(path)
    with pytest.raises(SourceError, match=said) as caught:
        open_source(str(path))
    assert "\n" not in str(caught.value)
    path.unlink()  # nothing holds it


@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_a_video_cut_short_gives_what_there_is_and_is_named(
    ending: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = tmp_path / f"whole.{ending}"
    index_first = {"movflags": "faststart"} if ending == "mp4" else {}
    with av.open(str(whole), "w", container_options=index_first) as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "10", "bf": "0"})
        stream.width, stream.height = SIZE_WH
        stream.pix_fmt = "yuv420p"
        for number in range(200):
            picture = av.VideoFrame.from_ndarray(numbered(number), format="bgr24")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    with av.open(str(whole)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    left = 120
    cut_through = packets[left]  # in its middle: what stands around packets is not counted in them
    cut = tmp_path / f"cut.{ending}"
    cut.write_bytes(whole.read_bytes()[: (cut_through.pos or 0) + cut_through.size // 2])
    source = open_source(str(cut))
    numbers = [number_of(frame.image) for frame in source.frames()]
    source.close()
    assert numbers == list(range(left))
    last_s = (left - 1) / 25
    said = f"ended at {last_s + 0.04:.2f} of 8.00 s: it is cut short or damaged"
    assert caplog.messages == [f"{cut} {said}"]


def test_a_video_whose_index_is_missing_is_said_to_be_unreadable(tmp_path: Path) -> None:
    encode(tmp_path / "a.mp4", [RED] * 5, "libx264", "yuv420p")
    data = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "a.mp4").write_bytes(data[: data.index(b"moov") - 4])
    with pytest.raises(SourceError, match="is not a video that can be read"):
        open_source(str(tmp_path / "a.mp4"))


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "wide.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2, 1)
        for number in range(3):
            whole = av.VideoFrame.from_ndarray(numbered(number), format="bgr24")
            whole.pts, whole.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(whole))
        container.mux(stream.encode(None))
    source = open_source(str(tmp_path / "wide.mp4"))
    frames = list(source.frames())
    source.close()
    assert source.info.size_wh == (192, 64)
    assert all(each.coded is None for each in frames)  # else it would be recorded narrow
    assert [number_of(each.image) for each in frames] == [0, 1, 2]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc")
def test_decoding_starts_no_threads_on_the_way(shared_data: Path) -> None:
    source = open_source(str(shared_data / "clips" / "hamilton.mp4"))
    counts = [len(list(Path("/proc/self/task").iterdir())) for _ in source.frames()]
    source.close()
    assert len(counts) == 275
    assert max(counts[5:]) <= counts[5]


def _damage(path: Path, first: int, last: int) -> Path:
    """Wipes out the packets from one to before another."""
    with av.open(str(path)) as container:
        packets = [packet.pos for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    data[packets[first] : packets[last]] = bytes(packets[last] - packets[first])
    path.write_bytes(data)
    return path


def test_what_is_damaged_on_the_way_is_left_out_and_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _damage(write_numbers(tmp_path / "a.mp4", 100), 60, 70)
    source = open_source(str(path))
    frames = list(source.frames())
    source.close()
    numbers = [number_of(frame.image) for frame in frames]
    assert numbers[:60] == list(range(60))
    assert numbers[-20:] == list(range(80, 100))  # from the next keyframe on
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert [round(frame.time_s * 25) for frame in frames[-20:]] == list(range(80, 100))
    (said,) = caplog.messages
    assert said.startswith(f"{path} is damaged: packets left out: 10, pictures spoilt: ")


@pytest.mark.parametrize(
    ("name", "left_out", "spoilt"),
    [("hamilton.mp4", 0, 5), ("facenet_video.mp4", 0, 5), ("fixtures/no_duration.webm", 5, 0)],
)
def test_a_real_clip_with_flipped_bits_is_read_to_its_end(
    name: str,
    left_out: int,
    spoilt: int,
    shared_data: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / Path(name).name
    data = bytearray((shared_data / "clips" / name).read_bytes())
    with av.open(str(shared_data / "clips" / name)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    first = len(packets) // 3
    for packet in packets[first : first + 5]:
        for place in range((packet.pos or 0) + 30, (packet.pos or 0) + packet.size, 7):
            data[place] ^= 0x55
    path.write_bytes(data)
    times, whole = times_s(path), times_s(shared_data / "clips" / name)
    assert len(whole) == len(packets)
    del whole[first : first + left_out]
    assert times == whole
    (said,) = caplog.messages
    start, count = said.rsplit(" ", 1)
    assert start == f"{path} is damaged: packets left out: {left_out}, pictures spoilt:"
    # Threads that decode a picture beside a spoilt one do not always tell of it.
    assert bool(spoilt) <= int(count) <= spoilt


def test_a_video_of_which_nothing_can_be_decoded_is_an_error(tmp_path: Path) -> None:
    path = _damage(write_numbers(tmp_path / "a.mp4", 30), 0, 29)
    data = path.read_bytes()
    path.write_bytes(data[:-10])
    with pytest.raises(SourceError, match=r"holds not one frame|is not a video"):
        open_source(str(path))


_DAMAGE = av.error.InvalidDataError(1094995529, "Invalid data found when processing input")
_LOSS = av.error.ConnectionResetError(104, "Connection reset by peer", "http://me:pw@host/x")


def _keyframes(folder: Path, count: int) -> Path:
    """Numbered pictures, each a keyframe."""
    pictures = [numbered(number) for number in range(count)]
    return encode(folder / "keys.mkv", pictures, "mjpeg", "yuvj420p")


def _reopened(
    containers: list[TamperedContainer],
    *,
    span: Span = WHOLE,
    reconnection: HastyReconnection | None = None,
) -> VideoSource:
    """A video of the first container, which is opened again as the next ones."""
    first, *rest = containers

    def reopen() -> TamperedContainer:
        assert containers[-len(rest) - 1].closed == 0, "closed before there is another"
        return rest.pop(0)

    return VideoSource("x", span, container=first, reopen=reopen, reconnection=reconnection)


def test_a_demuxer_that_always_fails_is_an_error(tmp_path: Path) -> None:
    container = TamperedContainer(_keyframes(tmp_path, 30), [(10, _DAMAGE)] * 1000)
    source, numbers = VideoSource("x", container=container), []
    with pytest.raises(SourceError, match=r"^x cannot be read any further: Invalid data found"):
        for each in source.frames():
            numbers.append(number_of(each.image))
    assert numbers == list(range(10))
    source.close()


def test_one_that_fails_before_its_first_picture_is_closed(tmp_path: Path) -> None:
    container = TamperedContainer(_keyframes(tmp_path, 30), [(0, _LOSS)])
    with pytest.raises(SourceError, match="cannot be read any further") as caught:
        VideoSource("x", container=container, reconnection=HastyReconnection())
    assert "pw" not in str(caught.value)
    assert container.closed == 1


def test_damage_is_counted_over_all_connections(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _keyframes(tmp_path, 30)
    containers = [
        TamperedContainer(path, [(2, _DAMAGE), (2, _DAMAGE), (10, _LOSS)]),
        TamperedContainer(path, [(3, _DAMAGE), (4, _LOSS)]),
        TamperedContainer(path, [(5, _DAMAGE)]),
    ]
    source = _reopened(containers, reconnection=HastyReconnection())
    frames = list(source.frames())
    assert [number_of(frame.image) for frame in frames] == list(range(30))
    assert [frame.index for frame in frames] == list(range(30))
    assert [each.closed for each in containers] == [1, 1, 0]
    assert caplog.messages[-1] == "x is damaged: packets left out: 4, pictures spoilt: 0"
    lost, _ = caplog.messages[:2]
    assert lost.startswith("the tape was lost: Connection reset by peer: waiting since ")
    source.close()
    assert [each.closed for each in containers] == [1, 1, 1]


def test_a_video_that_is_lost_behind_its_part_is_not_looked_for(tmp_path: Path) -> None:
    container = TamperedContainer(_keyframes(tmp_path, 30), [(10, _LOSS)])
    reconnection = HastyReconnection()
    source = _reopened([container], span=Span(0.0, 0.37), reconnection=reconnection)
    assert [number_of(frame.image) for frame in source.frames()] == list(range(10))
    assert reconnection.pauses_s == []
    source.close()


def test_a_video_whose_wait_is_interrupted_ends(tmp_path: Path) -> None:
    container = TamperedContainer(_keyframes(tmp_path, 30), [(10, _LOSS)])
    source = _reopened([container], reconnection=HastyReconnection(interrupt_at=1))
    assert [number_of(frame.image) for frame in source.frames()] == list(range(10))
    source.close()


def test_a_video_that_ends_before_its_time_is_looked_for_again(tmp_path: Path) -> None:
    path = _keyframes(tmp_path, 100)
    (tmp_path / "half.mkv").write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    containers = [TamperedContainer(tmp_path / "half.mkv"), TamperedContainer(path)]
    source = _reopened(containers, reconnection=HastyReconnection())
    assert [number_of(frame.image) for frame in source.frames()] == list(range(100))
    assert [each.closed for each in containers] == [1, 0]
    source.close()


def test_frames_that_lead_in_to_a_span_are_marked(tmp_path: Path) -> None:
    video = write_numbers(tmp_path / "film.mp4", 100)
    source = VideoSource(video, Span(2.0, 2.2, lead_in_s=0.2))
    frames = list(source.frames())
    source.close()
    marks = [(number_of(frame.image), frame.index, frame.is_lead_in) for frame in frames]
    assert marks == [(number, number, number < 50) for number in range(45, 55)]
    assert source.info.start_s == 2.0


def test_time_counts_from_the_start_of_the_file(tmp_path: Path) -> None:
    pictures = [numbered(number) for number in range(50)]
    source = open_source(str(encode(tmp_path / "a.ts", pictures, "libx264", "yuv420p")))
    with av.open(str(tmp_path / "a.ts")) as container:
        assert container.start_time > 0
    times = [frame.time_s for frame in source.frames()]
    assert times == pytest.approx([index / 25 for index in range(50)], abs=1e-4)
    source.close()


@pytest.mark.parametrize(
    ("name", "count", "size_wh", "fps", "has_audio"),
    [
        ("facenet_video.mp4", 105, (1920, 1080), 25.0, True),
        ("hamilton.mp4", 275, (640, 360), 29.97, True),
        ("lp_d13.mp4", 352, (720, 1280), 30.0, False),
        ("siv_face-demographics-walking.gif", 35, (480, 270), 12.5, False),
        ("siv_head-pose-face-detection-female-and-male.gif", 56, (480, 270), 12.5, False),
        ("fixtures/no_duration.webm", 74, (1280, 720), 14.985, True),
    ],
)
def test_real_clips(
    name: str,
    count: int,
    size_wh: tuple[int, int],
    fps: float,
    has_audio: bool,
    shared_data: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = open_source(str(shared_data / "clips" / name))
    info = source.info
    assert (info.size_wh, info.has_audio) == (size_wh, has_audio)
    assert info.fps == pytest.approx(fps, abs=0.01)
    assert info.frame_count in (count, None)
    times = [frame.time_s for frame in source.frames()]
    assert len(times) == count
    assert all(later > earlier for earlier, later in pairwise(times))
    assert not caplog.messages
    source.close()


@pytest.mark.parametrize(
    ("ending", "codec", "pix_fmt"),
    [
        *(("mkv", "ffv1", "gray"), ("mkv", "ffv1", "gray16le"), ("mkv", "ffv1", "bgra")),
        *(("mkv", "libx264", "yuv420p10le"), ("mp4", "libx265", "yuv420p10le")),
        *(("mov", "prores_ks", "yuv422p10le"), ("avi", "mpeg4", "yuv420p")),
        ("mpg", "mpeg2video", "yuv420p"),
    ],
)
def test_any_codec_and_depth(ending: str, codec: str, pix_fmt: str, tmp_path: Path) -> None:
    pictures = [numbered(number) for number in range(12)]
    source = open_source(str(encode(tmp_path / f"a.{ending}", pictures, codec, pix_fmt)))
    frames = list(source.frames())
    source.close()
    assert [number_of(frame.image) for frame in frames] == list(range(12))
    assert all(frame.image.dtype == np.uint8 and frame.image.ndim == 3 for frame in frames)
    assert np.abs(frames[0].image.astype(int) - numbered(0)).mean() < 6


def test_sides_may_be_odd(tmp_path: Path) -> None:
    pictures = [numbered(number, (97, 65)) for number in range(5)]
    source = open_source(str(encode(tmp_path / "a.mkv", pictures, "ffv1", "bgr0")))
    assert source.info.size_wh == (97, 65)
    assert [number_of(frame.image) for frame in source.frames()] == [0, 1, 2, 3, 4]
    source.close()


def _write_at(path: Path, times: list[int], codec: str = "libx264") -> Path:
    """Numbered pictures at these times, in milliseconds, whatever they are; each a keyframe."""
    with av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as container:
        stream = container.add_stream(codec, rate=25, options={"g": "1", "bf": "0"})
        stream.width, stream.height = SIZE_WH
        stream.pix_fmt, stream.codec_context.time_base = "yuv420p", Fraction(1, 1000)
        for number, time_ms in enumerate(times):
            picture = av.VideoFrame.from_ndarray(numbered(number), format="bgr24")
            picture.pts, picture.time_base = time_ms, Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def test_a_rate_that_varies_is_kept(tmp_path: Path) -> None:
    times = [0, 10, 300, 310, 1000, 5000, 5040]
    source = open_source(str(_write_at(tmp_path / "a.mkv", times)))
    assert [frame.time_s * 1000 for frame in source.frames()] == pytest.approx(times, abs=1)
    source.close()


def test_recordings_that_were_joined(tmp_path: Path) -> None:
    pictures = [numbered(number) for number in range(50)]
    data = encode(tmp_path / "a.ts", pictures, "libx264", "yuv420p").read_bytes()
    (tmp_path / "joined.ts").write_bytes(data + data)
    source = open_source(str(tmp_path / "joined.ts"))
    frames = list(source.frames())
    source.close()
    assert [number_of(frame.image) for frame in frames] == [*range(50), *range(50)]
    steps = [later.time_s - earlier.time_s for earlier, later in pairwise(frames)]
    assert steps == pytest.approx([0.04] * 99, abs=1e-3)


# --- parts ---

_PARTS = {
    "mp4": lambda path, all_: encode(path / "a.mp4", all_, "libx264", "yuv420p"),
    "ts": lambda path, all_: encode(path / "a.ts", all_, "libx264", "yuv420p"),
    "webm": lambda path, all_: encode(path / "a.webm", all_, "libvpx-vp9", "yuv420p"),
    "avi": lambda path, all_: encode(path / "a.avi", all_, "mpeg4", "yuv420p"),
    "gif": lambda path, all_: encode(path / "a.gif", all_, "gif", "rgb8"),
    "h264": lambda path, all_: encode(path / "a.h264", all_, "libx264", "yuv420p"),
}


@pytest.mark.parametrize("ending", _PARTS)
def test_a_part_is_exact_to_the_frame(ending: str, tmp_path: Path) -> None:
    path = _PARTS[ending](tmp_path, [numbered(number) for number in range(100)])
    for first, last in ((0, 10), (1, 2), (37, 61), (50, 75), (99, 100)):
        source = VideoSource(path, Span(first / 25, last / 25))
        frames = list(source.frames())
        source.close()
        assert [number_of(frame.image) for frame in frames] == list(range(first, last))
        assert [frame.index for frame in frames] == list(range(last - first))
        times = [number / 25 for number in range(first, last)]
        assert [frame.time_s for frame in frames] == pytest.approx(times, abs=1e-3)
        assert source.info.start_s == pytest.approx(times[0], abs=1e-3)


@pytest.mark.parametrize(
    ("seek_error_s", "seeks", "opened"), [(0.0, 1, 1), (0.5, 2, 1), (20.0, 2, 2)]
)
def test_a_seek_may_land_behind_its_target(
    seek_error_s: float, seeks: int, opened: int, tmp_path: Path
) -> None:
    """Then it is tried ten seconds before, and then the video is read from its beginning."""
    path = _keyframes(tmp_path, 150)
    first, again = (TamperedContainer(path, seek_error_s=seek_error_s) for _ in range(2))
    source = _reopened([first, again], span=Span(4.0, 4.4))
    frames = list(source.frames())
    assert [number_of(frame.image) for frame in frames] == list(range(100, 110))
    assert [frame.index for frame in frames] == list(range(10))
    assert [frame.time_s for frame in frames] == pytest.approx(
        [number / 25 for number in range(100, 110)], abs=1e-3
    )
    assert (first.seeks, again.seeks) == (seeks, 0)
    assert (first.closed, again.packets > 0) == ((0, False) if opened == 1 else (1, True))
    source.close()
    again.close()


def test_parts_make_up_the_whole_of_a_real_clip(shared_data: Path) -> None:
    path = shared_data / "clips" / "hamilton.mp4"
    cuts = [0.0, 1.0, 3.003, 3.0366667, 7.77, None]
    times = []
    for start_s, end_s in pairwise(cuts):
        source = VideoSource(path, Span(start_s or 0.0, end_s))
        times += [frame.time_s for frame in source.frames()]
        source.close()
    whole = VideoSource(path)
    assert times == pytest.approx([frame.time_s for frame in whole.frames()], abs=1e-9)
    whole.close()


def test_a_part_says_how_long_it_is(tmp_path: Path) -> None:
    path = write_numbers(tmp_path / "a.mp4", 100)
    for span, count in ((Span(1), 75), (Span(1, 2), 25), (Span(0, 2), 50), (Span(3, 99), 25)):
        source = VideoSource(path, span)
        assert source.info.frame_count == count == len(list(source.frames()))
        source.close()


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".avi"])
def test_the_frame_that_is_on_the_screen_at_a_time_is_gone_to(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{ending}"
    write_numbers(tmp_path / "a.mp4", 100)
    if ending != ".mp4":
        pictures = [numbered(number) for number in range(100)]
        codec = "mjpeg" if ending == ".avi" else "libx264"
        encode(path, pictures, codec, "yuvj420p" if ending == ".avi" else "yuv420p")
    source = VideoSource(path)
    assert source.info.seekable
    read = source.frames()
    assert [next(read).index for _ in range(3)] == [0, 1, 2]
    for time_s, number in ((2.0, 50), (1.999, 49), (2.039, 50), (0.0, 0), (3.96, 99), (1.0, 25)):
        first, *rest = source.frames_from(time_s)
        assert (first.index, number_of(first.image)) == (number, number)
        assert first.time_s == pytest.approx(number / 25, abs=1e-3)
        assert [each.index for each in rest] == list(range(number + 1, 100))
    source.close()


def test_beyond_the_end_the_last_frame_is_gone_to(tmp_path: Path) -> None:
    source = VideoSource(write_numbers(tmp_path / "a.mp4", 30))
    (last,) = source.frames_from(99.0)
    assert number_of(last.image) == 29
    source.close()


def test_a_part_is_not_left_by_going_to_another_place(tmp_path: Path) -> None:
    source = VideoSource(write_numbers(tmp_path / "a.mp4", 100), Span(1.0, 2.0))
    for time_s, first in ((0.0, 25), (1.0, 25), (1.5, 37), (1.96, 49)):
        numbers = [number_of(each.image) for each in source.frames_from(time_s)]
        assert numbers == list(range(first, 50))
    assert list(source.frames_from(3.0)) == []
    source.close()


def test_where_the_rate_varies_the_frame_before_is_found_too(tmp_path: Path) -> None:
    source = VideoSource(_write_at(tmp_path / "a.mp4", [0, 1, 2, 50, 51]))
    times = [each.time_s for each in source.frames()]
    before = next(iter(source.frames_from(times[3] - 1e-3)))
    assert before.time_s == times[2]
    source.close()


def test_what_is_damaged_is_named_once_however_often_it_is_gone_through(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_numbers(tmp_path / "a.mp4", 100)
    path.write_bytes(path.read_bytes()[:-200])
    source = VideoSource(path)
    list(source.frames())
    said = len(caplog.messages)
    for _ in range(2):
        list(source.frames_from(0.0))
    assert len(caplog.messages) == said
    source.close()


def test_places_of_a_real_clip_are_exact(shared_data: Path) -> None:
    source = VideoSource(shared_data / "clips" / "hamilton.mp4")
    whole = [(each.time_s, each.image) for each in source.frames()]
    for index in (200, 1, 137, 274):
        time_s, image = whole[index]
        found = next(iter(source.frames_from(time_s)))
        assert found.time_s == time_s
        assert np.array_equal(found.image, image)
    source.close()


def test_a_part_behind_the_end_is_an_error(tmp_path: Path) -> None:
    path = write_numbers(tmp_path / "a.mp4", 100)
    with pytest.raises(SourceError, match=r"ends at 4\.00 s: --start 4 lies behind that"):
        VideoSource(path, Span(4.0))


def test_a_part_between_two_frames_is_an_error(tmp_path: Path) -> None:
    path = write_numbers(tmp_path / "a.mp4", 20)
    with pytest.raises(SourceError, match=r"has no frame between 0\.41 and 0\.43 s"):
        VideoSource(path, Span(0.41, 0.43))


def test_a_part_before_the_first_frame_is_an_error(shared_data: Path) -> None:
    clip = shared_data / "clips" / "hamilton.mp4"  # whose pictures begin at 0.85 s
    with pytest.raises(SourceError, match=r"has no frame between 0 and 0\.5 s"):
        VideoSource(clip, Span(0.0, 0.5))
