"""Every source by one contract, then what is particular to cameras, videos and pictures."""

import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from fakes import SIZE_WH, FakeCapture, number_of, numbered, write_numbers

from models.faces import Image
from stream.demo import DemoSource
from stream.errors import SourceError
from stream.frames import SourceInfo
from stream.sources import Source, open_source
from stream.sources.camera import CameraInfo, CameraSource, list_cameras
from stream.sources.pictures import natural_order

_COUNT = 12
_RED = np.full((64, 96, 3), (0, 0, 255), dtype=np.uint8)

Pictures = list[Image]


def _encode(path: Path, pictures: Pictures, codec: str, pix_fmt: str) -> Source:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pix_fmt
        for index, picture in enumerate(pictures):
            whole = av.VideoFrame.from_ndarray(picture, format="bgr24")
            whole.pts, whole.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(whole))
        container.mux(stream.encode(None))
    return open_source(str(path))


def _folder(path: Path, pictures: Pictures) -> Path:
    path.mkdir()
    for index, picture in enumerate(pictures):
        cv2.imwrite(str(path / f"{index}.png"), picture)
    return path


def _camera(_: Path, pictures: Pictures) -> Source:
    return CameraSource("0", open_camera=FakeCapture(pictures))


@dataclass(frozen=True)
class _Kind:
    """How a source is made of pictures, and what it should say of itself."""

    make: Callable[[Path, Pictures], Source]
    kind: str = "video"
    fps: float | None = 25.0
    count: int | None = _COUNT
    ends: bool = True


_KINDS = {
    "camera": _Kind(_camera, "camera", 30.0, None, ends=False),
    "mp4": _Kind(lambda path, all_: _encode(path / "a.mp4", all_, "libx264", "yuv420p")),
    "mov": _Kind(lambda path, all_: _encode(path / "a.mov", all_, "png", "rgb24")),
    "mkv": _Kind(lambda path, all_: _encode(path / "a.mkv", all_, "libx264", "yuv444p")),
    "webm": _Kind(lambda path, all_: _encode(path / "a.webm", all_, "libvpx-vp9", "yuv420p")),
    "avi": _Kind(lambda path, all_: _encode(path / "a.avi", all_, "mjpeg", "yuvj420p")),
    "gif": _Kind(lambda path, all_: _encode(path / "a.gif", all_, "gif", "rgb8")),
    "picture": _Kind(
        lambda path, all_: open_source(str(_folder(path / "one", all_[:1]) / "0.png")),
        "pictures",
        None,
        1,
    ),
    "folder": _Kind(
        lambda path, all_: open_source(str(_folder(path / "all", all_))), "pictures", None
    ),
    "glob": _Kind(
        lambda path, all_: open_source(f"{_folder(path / 'all', all_)}/*.png"), "pictures", None
    ),
}


@pytest.fixture(params=_KINDS)
def kind(request: pytest.FixtureRequest) -> _Kind:
    return _KINDS[request.param]


@pytest.fixture
def source(kind: _Kind, tmp_path: Path) -> Source:
    return kind.make(tmp_path, [numbered(number) for number in range(_COUNT)])


def test_what_a_source_says_of_itself_is_true(kind: _Kind, source: Source) -> None:
    info = source.info
    assert (info.kind, info.is_live) == (kind.kind, kind.kind == "camera")
    assert (info.size_wh, info.frame_count, info.has_audio) == (SIZE_WH, kind.count, False)
    assert info.fps == (kind.fps if kind.fps is None else pytest.approx(kind.fps))
    assert info.uri
    assert type(source).__name__ in repr(source)
    source.close()


def test_frames_come_in_order_each_at_its_time(kind: _Kind, source: Source) -> None:
    began_s = time.monotonic()
    walk = source.frames()
    count = _COUNT if kind.count is None else kind.count
    frames = [next(walk) for _ in range(count)]
    assert [frame.index for frame in frames] == list(range(count))
    assert [number_of(frame.image) for frame in frames] == list(range(count))
    assert all(frame.size_wh == source.info.size_wh for frame in frames)
    assert all(later.time_s > earlier.time_s for earlier, later in pairwise(frames))
    assert all(later.captured_s >= earlier.captured_s for earlier, later in pairwise(frames))
    assert all(frame.captured_s <= time.monotonic() for frame in frames)
    assert frames[-1].captured_s >= began_s or count == 1
    if kind.kind == "video":
        expected = pytest.approx([index / 25 for index in range(count)], abs=1e-3)
        assert [frame.time_s for frame in frames] == expected
    assert [frame.path is not None for frame in frames] == [kind.kind == "pictures"] * count
    if kind.ends:
        assert next(walk, None) is None
    source.close()


def test_pictures_are_bgr_in_one_piece_of_memory(kind: _Kind, tmp_path: Path) -> None:
    source = kind.make(tmp_path, [_RED] * 2)
    image = next(source.frames()).image
    assert (image.dtype, image.shape, image.flags.c_contiguous) == (np.uint8, (64, 96, 3), True)
    blue, green, red = image.reshape(-1, 3).mean(axis=0)
    assert red > 240
    assert max(blue, green) < 15
    source.close()


def test_a_source_can_be_closed_at_any_time_and_twice(kind: _Kind, source: Source) -> None:
    walk = source.frames()
    assert number_of(next(walk).image) == 0
    source.close()
    source.close()
    del walk


def test_a_source_can_be_closed_before_it_is_read(source: Source) -> None:
    source.close()
    source.close()


def test_the_demo_is_a_source_like_any_other() -> None:
    source = DemoSource(frame_count=3, size_wh=(160, 90))
    frames = list(source.frames())
    assert len(frames) == source.info.frame_count == 3
    assert {frame.size_wh for frame in frames} == {source.info.size_wh}
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.04, 0.08])
    source.close()
    assert repr(source) == "DemoSource(3 frames)"


# --- cameras ---


def test_the_size_of_a_camera_is_what_it_gives_not_what_it_says() -> None:
    source = CameraSource("0", open_camera=FakeCapture([numbered(1)], size_wh=(640, 480)))
    assert source.info.size_wh == SIZE_WH


@pytest.mark.parametrize("fps", [0.0, -1.0])
def test_a_camera_that_does_not_know_its_rate(fps: float) -> None:
    assert CameraSource("0", open_camera=FakeCapture([numbered(1)], fps=fps)).info.fps is None


def test_a_camera_that_cannot_be_opened_is_released() -> None:
    capture = FakeCapture([], opened=False)
    with pytest.raises(SourceError, match="camera 3 cannot be opened: is it connected"):
        CameraSource("3", open_camera=capture)
    assert capture.releases == 1


def test_a_camera_that_gives_nothing_is_released() -> None:
    capture = FakeCapture([])
    with pytest.raises(SourceError, match="camera 0 gives no pictures"):
        CameraSource("0", open_camera=capture)
    assert capture.releases == 1


def test_a_camera_may_skip_a_picture_now_and_then() -> None:
    pictures = [None, None, numbered(7), None, numbered(8), None, None, None, numbered(9)]
    walk = CameraSource("0", open_camera=FakeCapture(pictures)).frames()
    frames = [next(walk) for _ in range(3)]
    assert [number_of(frame.image) for frame in frames] == [7, 8, 9]
    assert [frame.index for frame in frames] == [0, 1, 2]


def test_an_unplugged_camera_says_so() -> None:
    walk = CameraSource("0", open_camera=FakeCapture([numbered(1), numbered(2)])).frames()
    assert [number_of(next(walk).image) for _ in range(2)] == [1, 2]
    with pytest.raises(SourceError, match="was it unplugged"):
        next(walk)


def test_a_number_is_a_camera_unless_a_file_has_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match="camera 71 cannot be opened"):
        open_source("71")
    write_numbers(tmp_path / "clip.mp4", 2).rename("71")
    source = open_source("71")
    assert source.info.kind == "video"
    source.close()


def test_the_cameras_that_linux_knows_of(tmp_path: Path) -> None:
    devices = {"video10": ("0", "Cam B"), "video2": ("0", "Cam A\n"), "video3": ("1", "Cam A")}
    for device, (index, name) in devices.items():
        (tmp_path / device).mkdir()
        (tmp_path / device / "index").write_text(f"{index}\n")
        (tmp_path / device / "name").write_text(name)
    (tmp_path / "video4").mkdir()
    (tmp_path / "v4l-subdev0").mkdir()
    assert list_cameras(tmp_path) == [
        CameraInfo(2, "Cam A", Path("/dev/video2")),
        CameraInfo(4, "video4", Path("/dev/video4")),
        CameraInfo(10, "Cam B", Path("/dev/video10")),
    ]
    assert list_cameras(tmp_path / "missing") == []


# --- videos ---

_CORNERS = np.zeros((64, 96, 3), dtype=np.uint8)  # red, green / blue, white, from the top left
_CORNERS[:32, :48, 2] = _CORNERS[:32, 48:, 1] = _CORNERS[32:, :48, 0] = 255
_CORNERS[32:, 48:] = 255


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
    _encode(tmp_path / "a.mp4", [_CORNERS], "libx264", "yuv420p").close()
    _with_matrix(tmp_path / "a.mp4", *matrix)
    source = open_source(str(tmp_path / "a.mp4"))
    image = next(source.frames()).image
    expected = shown(_CORNERS)
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


def test_a_video_cut_short_gives_what_there_is(tmp_path: Path) -> None:
    whole = tmp_path / "whole.mkv"
    write_numbers(whole, 100)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    source = open_source(str(cut))
    numbers = [number_of(frame.image) for frame in source.frames()]
    assert 20 < len(numbers) < 100
    assert numbers == list(range(len(numbers)))
    source.close()


def test_a_video_whose_index_is_missing_is_said_to_be_unreadable(tmp_path: Path) -> None:
    _encode(tmp_path / "a.mp4", [_RED] * 5, "libx264", "yuv420p").close()
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
    assert numbers[-25:] == list(range(75, 100))  # from the next keyframe on
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert [round(frame.time_s * 25) for frame in frames[-25:]] == list(range(75, 100))
    assert caplog.messages == [f"{path}: 10 packets were damaged and left out"]


def test_a_video_of_which_nothing_can_be_decoded_is_an_error(tmp_path: Path) -> None:
    path = _damage(write_numbers(tmp_path / "a.mp4", 30), 0, 29)
    data = path.read_bytes()
    path.write_bytes(data[:-10])
    with pytest.raises(SourceError, match=r"holds not one frame|is not a video"):
        open_source(str(path))


def test_time_counts_from_the_start_of_the_file(tmp_path: Path) -> None:
    pictures = [numbered(number) for number in range(50)]
    source = _encode(tmp_path / "a.ts", pictures, "libx264", "yuv420p")
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
) -> None:
    source = open_source(str(shared_data / "clips" / name))
    info = source.info
    assert (info.size_wh, info.has_audio) == (size_wh, has_audio)
    assert info.fps == pytest.approx(fps, abs=0.01)
    assert info.frame_count in (count, None)
    times = [frame.time_s for frame in source.frames()]
    assert len(times) == count
    assert all(later > earlier for earlier, later in pairwise(times))
    source.close()


# --- pictures ---


def test_natural_order() -> None:
    names = [
        "b2/1.png",
        "B10/1.png",
        "a/10.png",
        "a/9.png",
        "A/1.png",
        "a/x.png",
        "2.png",
        "10.png",
    ]
    assert [str(path) for path in sorted(map(Path, names), key=natural_order)] == [
        *("2.png", "10.png", "A/1.png", "a/9.png", "a/10.png", "a/x.png", "b2/1.png", "B10/1.png")
    ]


def test_a_folder_and_what_lies_below_it(tmp_path: Path) -> None:
    for number, name in enumerate(["1.png", "2.jpg", "10.webp", "sub/3.bmp", "sub/4.TIFF"]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), numbered(number))
    (tmp_path / "notes.txt").write_text("no picture")
    source = open_source(str(tmp_path))
    assert source.info.frame_count == 5
    assert [number_of(frame.image) for frame in source.frames()] == [0, 1, 2, 3, 4]


def test_a_pattern(tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/1.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), numbered(0))

    def found(pattern: str) -> list[str]:
        frames = open_source(str(tmp_path / pattern)).frames()
        return [str(frame.path.relative_to(tmp_path)) for frame in frames if frame.path]

    assert found("*/1.*") == ["a/1.png", "b/1.jpg", "b/1.png"]
    assert found("**/*.png") == ["a/1.png", "a/2.png", "b/1.png"]
    assert found("[b]/*.png") == ["b/1.png"]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tif", ".webp", ".ppm"])
def test_each_kind_of_picture(suffix: str, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / f"a{suffix}"), numbered(0b10100101))
    source = open_source(str(tmp_path / f"a{suffix}"))
    assert source.info.kind == "pictures"
    assert [number_of(frame.image) for frame in source.frames()] == [0b10100101]


@pytest.mark.parametrize("shape", [(64, 96), (64, 96, 4), (1, 1, 3), (1, 300, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_transparent_deep_and_tiny_pictures_are_bgr_too(
    shape: tuple[int, ...], dtype: type[np.unsignedinteger], tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full(shape, np.iinfo(dtype).max, dtype=dtype))
    (frame,) = open_source(str(tmp_path / "a.png")).frames()
    assert (frame.image.shape, frame.image.dtype) == ((*shape[:2], 3), np.uint8)
    assert (frame.image == 255).all()


@pytest.mark.parametrize(
    "name", ["é 日本.png", "a b.png", "100%d.png", "-x.PNG", "[1].png", "caf\udce9.png"]
)
def test_pictures_of_any_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("plain.png", numbered(3))
    Path("plain.png").rename(name)
    for uri in (name, "."):
        assert [number_of(frame.image) for frame in open_source(uri).frames()] == [3]


def _bomb() -> bytes:
    """A PNG that says it has ten thousand million pixels."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header + bytes(50)


def test_a_picture_that_cannot_be_read_is_named_once_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = {"0.png": b"not a picture", "2.png": b"", "4.png": _bomb()}
    for name, data in broken.items():
        (tmp_path / name).write_bytes(data)
    for number in (1, 3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), numbered(number))
    (tmp_path / "5.png").mkdir()
    source = open_source(f"{tmp_path}/*.png")
    assert source.info.frame_count == 6
    assert source.info.size_wh == SIZE_WH
    frames = list(source.frames())
    assert [(frame.index, number_of(frame.image)) for frame in frames] == [(1, 1), (3, 3)]
    assert [path.name for path in source.unreadable] == ["0.png", "2.png", "4.png", "5.png"]
    assert len(caplog.records) == 4
    assert all("cannot be read as a picture: left out" in each for each in caplog.messages)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_as_the_camera_was_held(orientation: int, tmp_path: Path) -> None:
    encoded = cv2.imencode(".jpg", _CORNERS)[1].tobytes()
    tag = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0" + struct.pack("<2sHIH", b"II", 42, 8, 1) + tag + bytes(4)
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    (tmp_path / "photo.jpg").write_bytes(encoded[:2] + segment + encoded[2:])
    (frame,) = open_source(str(tmp_path / "photo.jpg")).frames()
    expected = {  # Exif 2.32, table of orientations: where row 0 and column 0 are shown
        1: _CORNERS,
        2: cv2.flip(_CORNERS, 1),
        3: cv2.rotate(_CORNERS, cv2.ROTATE_180),
        4: cv2.flip(_CORNERS, 0),
        5: cv2.transpose(_CORNERS),
        6: cv2.rotate(_CORNERS, cv2.ROTATE_90_CLOCKWISE),
        7: cv2.rotate(cv2.transpose(_CORNERS), cv2.ROTATE_180),
        8: cv2.rotate(_CORNERS, cv2.ROTATE_90_COUNTERCLOCKWISE),
    }[orientation]
    assert frame.image.shape == expected.shape
    assert np.abs(frame.image.astype(int) - expected).mean() < 12


def test_a_real_photo(photos: Path) -> None:
    source = open_source(str(photos))
    frames = list(source.frames())
    assert len(frames) == source.info.frame_count == 8


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("missing.mp4", "no such file or folder"),
        ("missing/*.png", "no pictures there"),
        ("", "no such file or folder"),
        ("x" * 300, "no such file or folder"),
        ("a\0b", "no such file or folder"),
        ("https://me:secret@example.org/x", "https://example.org/x cannot be read"),
    ],
)
def test_what_is_not_there(uri: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        open_source(uri)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no pictures there \(of the kinds \.bmp, "):
        open_source(str(tmp_path))


def test_pictures_none_of_which_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no")
    with pytest.raises(SourceError, match="not one picture there can be read"):
        open_source(str(tmp_path))


def test_cameras_and_streams_are_live() -> None:
    infos = [SourceInfo("x", kind, SIZE_WH) for kind in ("camera", "stream", "video", "pictures")]
    assert [info.is_live for info in infos] == [True, True, False, False]
