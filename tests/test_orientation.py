"""Orientation: how pictures are turned, and side data that PyAV has no name for."""

import gc
import itertools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from fakes import CORNERS, exif_jpeg, mux_jpegs
from servers import HttpHandler, http, mjpeg_page

from models.faces import Image
from stream.frames import Frame
from stream.settings import Config
from stream.sources import open_source
from stream.sources.orientation import display_matrix

_SHOWN: dict[int | None, Callable[[Image], Image]] = {  # by the orientations of EXIF
    None: lambda image: image,
    0: lambda image: image,  # there is no such orientation
    1: lambda image: image,
    2: lambda image: cv2.flip(image, 1),
    3: lambda image: cv2.rotate(image, cv2.ROTATE_180),
    4: lambda image: cv2.flip(image, 0),
    5: cv2.transpose,
    6: lambda image: cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE),
    7: lambda image: cv2.flip(cv2.transpose(image), -1),
    8: lambda image: cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def _read(uri: str, count: int | None = None) -> list[Frame]:
    source = open_source(uri, Config())
    try:
        frames = list(itertools.islice(source.frames(), count))
        assert source.info.size_wh == frames[0].size_wh
        return frames
    finally:
        source.close()


def _is_shown(frame: Frame, orientation: int | None) -> bool:
    expected = _SHOWN[orientation](CORNERS)
    same_size = frame.image.shape == expected.shape
    return same_size and np.abs(frame.image.astype(int) - expected).mean() < 12


@pytest.mark.parametrize("ending", ["mjpeg", "avi", "mkv", "mov"])
@pytest.mark.parametrize("orientation", _SHOWN)
def test_pictures_with_exif_are_turned_as_it_says(
    orientation: int | None, ending: str, tmp_path: Path
) -> None:
    path = mux_jpegs(tmp_path / f"a.{ending}", [exif_jpeg(CORNERS, orientation)] * 4)
    frames = _read(str(path))
    assert len(frames) == 4
    assert all(_is_shown(frame, orientation) for frame in frames)


def test_a_camera_may_be_turned_on_the_way(tmp_path: Path) -> None:
    orientations = (1, 1, 6, 6, 1)
    jpegs = [exif_jpeg(CORNERS, each) for each in orientations]
    frames = _read(str(mux_jpegs(tmp_path / "a.mkv", jpegs)))
    assert [_is_shown(*each) for each in zip(frames, orientations, strict=True)] == [True] * 5


@pytest.mark.parametrize("orientation", [None, 6])
def test_a_web_camera_may_send_exif(orientation: int | None) -> None:
    jpeg = exif_jpeg(CORNERS, orientation)

    def snapshot(handler: HttpHandler) -> None:
        handler.send(jpeg, "image/jpeg")

    with http({"/live": mjpeg_page([jpeg] * 20), "/one.jpg": snapshot}) as server:
        frames = _read(f"http://{server.address}/live", 10)
        assert len(frames) == 10
        frames += _read(f"http://{server.address}/one.jpg")
    assert len(frames) == 11
    assert all(_is_shown(frame, orientation) for frame in frames)


def test_a_frame_that_was_looked_at_is_freed_when_nothing_uses_it() -> None:
    """Not when the garbage collector comes, which knows nothing of the memory of a picture."""
    gc.collect()
    gc.disable()
    try:
        before = _frames()
        for _ in range(5):
            assert display_matrix(VideoFrame(64, 48, "yuv420p")) is None
        assert _frames() == before
    finally:
        gc.enable()


def _frames() -> int:
    return sum(isinstance(each, VideoFrame) for each in gc.get_objects())
