"""Every source by one contract, and which of them is opened by what name."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import (
    PATIENCE_S,
    RED,
    SIZE_WH,
    FakeCapture,
    encode,
    fifo,
    number_of,
    numbered,
    write_numbers,
)
from servers import file_page, hls_pages, http, mjpeg_page, rtsp

from models.faces import Image
from stream.errors import SourceError
from stream.frames import SourceInfo
from stream.settings import Config
from stream.sources import Source, open_source
from stream.sources.camera import CameraSource
from stream.sources.capture import Capture
from stream.sources.contract import SeekableSource
from stream.sources.demo import DemoSource
from stream.sources.pipe import PipeSource

_COUNT = 12

Pictures = list[Image]


Make = Callable[[ExitStack, Path, Pictures], Source]
"""How a source is made of pictures; what must be closed after it goes onto the stack."""


def _file(name: str, codec: str, pix_fmt: str) -> Make:
    def make(_: ExitStack, folder: Path, pictures: Pictures) -> Source:
        return open_source(str(encode(folder / name, pictures, codec, pix_fmt)))

    return make


def _folder(path: Path, pictures: Pictures) -> Path:
    path.mkdir()
    for index, picture in enumerate(pictures):
        cv2.imwrite(str(path / f"{index}.png"), picture)
    return path


def _from_folder(pattern: str, count: int | None = None) -> Make:
    def make(_: ExitStack, folder: Path, pictures: Pictures) -> Source:
        return open_source(f"{_folder(folder / 'all', pictures[:count])}{pattern}")

    return make


def _camera(_: ExitStack, __: Path, pictures: Pictures) -> Source:
    return CameraSource("0", open_camera=FakeCapture(pictures))


def _encoded_pipe(form: str, codec: str) -> Make:
    def make(stack: ExitStack, folder: Path, pictures: Pictures) -> Source:
        data = encode(folder / f"a.{form}", pictures, codec, "yuv420p").read_bytes()
        return open_source(str(stack.enter_context(fifo(folder / "pipe", data))))

    return make


def _raw_pipe(stack: ExitStack, folder: Path, pictures: Pictures) -> Source:
    data = b"".join(picture.tobytes() for picture in pictures)
    height, width = pictures[0].shape[:2]
    config = Config.model_validate({"source": {"raw": {"size": (width, height)}}})
    return open_source(str(stack.enter_context(fifo(folder / "pipe", data))), config)


def _http_file(stack: ExitStack, folder: Path, pictures: Pictures) -> Source:
    page = file_page(encode(folder / "a.mp4", pictures, "libx264", "yuv420p"))
    server = stack.enter_context(http({"/a.mp4": page}))
    return open_source(f"http://{server.address}/a.mp4")


def _http_mjpeg(stack: ExitStack, _: Path, pictures: Pictures) -> Source:
    server = stack.enter_context(http({"/": mjpeg_page(pictures)}))
    return open_source(f"http://{server.address}/")


def _hls(stack: ExitStack, folder: Path, pictures: Pictures) -> Source:
    server = stack.enter_context(http(hls_pages(folder, pictures)))
    return open_source(f"http://{server.address}/list.m3u8")


def _rtsp(stack: ExitStack, _: Path, pictures: Pictures) -> Source:
    server = stack.enter_context(rtsp(pictures))
    return open_source(f"rtsp://{server.address}/camera")


@dataclass(frozen=True)
class _Kind:
    """How a source is made, and what it should say of itself."""

    make: Make
    kind: str = "video"
    fps: float | None = 25.0
    count: int | None = _COUNT
    ends: bool = True


_KINDS = {
    "camera": _Kind(_camera, "camera", 30.0, None, ends=False),
    "mp4": _Kind(_file("a.mp4", "libx264", "yuv420p")),
    "mov": _Kind(_file("a.mov", "png", "rgb24")),
    "mkv": _Kind(_file("a.mkv", "libx264", "yuv444p")),
    "webm": _Kind(_file("a.webm", "libvpx-vp9", "yuv420p")),
    "avi": _Kind(_file("a.avi", "mjpeg", "yuvj420p")),
    "ts": _Kind(_file("a.ts", "libx265", "yuv420p")),
    "gif": _Kind(_file("a.gif", "gif", "rgb8")),
    "picture": _Kind(_from_folder("/0.png", 1), "pictures", None, 1),
    "folder": _Kind(_from_folder(""), "pictures", None),
    "glob": _Kind(_from_folder("/*.png"), "pictures", None),
    "mkv through a pipe": _Kind(_encoded_pipe("mkv", "libx264")),
    "ts through a pipe": _Kind(_encoded_pipe("ts", "libx264"), count=None),
    "yuv4mpeg through a pipe": _Kind(_encoded_pipe("y4m", "rawvideo"), count=None),
    "raw through a pipe": _Kind(_raw_pipe, count=None),
    "mp4 over http": _Kind(_http_file),
    "mjpeg over http": _Kind(_http_mjpeg, "stream", None, None, ends=False),
    "hls": _Kind(_hls),
    "rtsp": _Kind(_rtsp, "stream", 25.0, None, ends=False),
}


@pytest.fixture(params=_KINDS)
def kind(request: pytest.FixtureRequest) -> _Kind:
    return _KINDS[request.param]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def source(kind: _Kind, stack: ExitStack, tmp_path: Path) -> Iterator[Source]:
    source = kind.make(stack, tmp_path, [numbered(number) for number in range(_COUNT)])
    yield source
    source.close()


def test_what_a_source_says_of_itself_is_true(kind: _Kind, source: Source) -> None:
    info = source.info
    assert (info.kind, info.is_live) == (kind.kind, kind.kind in ("camera", "stream"))
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


def test_a_source_that_can_be_sought_in_gives_its_frames_again(kind: _Kind, source: Source) -> None:
    is_read_once = isinstance(source, PipeSource) or kind.kind in ("camera", "stream")
    assert source.info.seekable is not is_read_once
    if not isinstance(source, SeekableSource) or is_read_once:
        return
    next(source.frames())
    count = _COUNT if kind.count is None else kind.count
    for index in (7, 2, 0, 11):
        place = min(index, count - 1)
        first = next(source.frames_from(place if kind.kind == "pictures" else place / 25))
        assert number_of(first.image) == place
    source.close()


def test_pictures_are_bgr_in_one_piece_of_memory(
    kind: _Kind, stack: ExitStack, tmp_path: Path
) -> None:
    source = kind.make(stack, tmp_path, [RED] * _COUNT)
    image = next(source.frames()).image
    assert (image.dtype, image.shape, image.flags.c_contiguous) == (np.uint8, (64, 96, 3), True)
    blue, green, red = image.reshape(-1, 3).mean(axis=0)
    assert red > 240
    assert max(blue, green) < 15
    source.close()


def _held(folder: Path) -> list[str]:
    """What this process holds open of a folder, and its connections to servers.

    Pairs of sockets that other tests left, as event loops do, are none.
    """
    held = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(entry)
            if target.startswith("socket:"):
                with socket.socket(fileno=os.dup(int(entry.name))) as one:
                    if one.family == socket.AF_UNIX:
                        continue
                    target = f"{folder} {one.getpeername()}"
        except OSError:  # closed meanwhile, or a socket without a connection
            continue
        if target.startswith(str(folder)):
            held.append(target)
    return held


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="what is open is listed in /proc")
@pytest.mark.parametrize("read", [True, False], ids=["read", "unread"])
def test_a_source_that_is_closed_holds_nothing_and_may_be_closed_twice(
    read: bool, kind: _Kind, source: Source, tmp_path: Path
) -> None:
    walk = source.frames()
    if read:
        assert number_of(next(walk).image) == 0
    assert bool(_held(tmp_path)) is (kind.kind not in ("camera", "pictures"))
    source.close()
    deadline_s = time.monotonic() + PATIENCE_S
    while (held := _held(tmp_path)) and time.monotonic() < deadline_s:
        time.sleep(0.01)  # a server notices a moment later that it is left
    assert held == []
    source.close()
    del walk


def test_leaving_early_closes_and_ends_all(source: Source) -> None:
    with Capture(source) as capture:
        assert number_of(next(iter(capture)).image) < _COUNT
    assert not [each for each in threading.enumerate() if each.name == "capture"]


def test_the_demo_is_a_source_like_any_other() -> None:
    source = DemoSource(frame_count=3, size_wh=(160, 90))
    frames = list(source.frames())
    assert len(frames) == source.info.frame_count == 3
    assert {frame.size_wh for frame in frames} == {source.info.size_wh}
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.04, 0.08])
    source.close()
    assert repr(source) == "DemoSource(3 frames)"


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


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("missing.mp4", "no such file or folder"),
        ("missing/*.png", "no pictures there"),
        ("", "no such file or folder"),
        ("x" * 300, "no such file or folder"),
        ("a\0b", "no such file or folder"),
        ("gopher://me:secret@host/x", "^gopher://: videos are read from files and by rtsp, "),
        ("http://", "this http address has no valid host and port"),
        ("rtsp://me:sec/ret@host/x", "this rtsp address has no valid host and port"),
    ],
)
def test_what_is_not_there(uri: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        open_source(uri)


def test_cameras_and_streams_are_live() -> None:
    infos = [SourceInfo("x", kind, SIZE_WH) for kind in ("camera", "stream", "video", "pictures")]
    assert [info.is_live for info in infos] == [True, True, False, False]
