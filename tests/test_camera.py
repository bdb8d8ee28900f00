"""Cameras: what they are asked for, what they give, and their loss and return."""

import threading
from itertools import pairwise
from pathlib import Path

import cv2
import pytest
from fakes import SIZE_WH, FakeCapture, number_of, numbered

from stream.errors import SourceError
from stream.settings.schema import CameraSection
from stream.sources.camera import CameraInfo, CameraSource, camera_index, list_cameras
from stream.sources.capture import Capture


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


_CAMERAS = [
    CameraInfo(2, "Cam A", Path("/dev/video2")),
    CameraInfo(4, "Cäm B", Path("/dev/video4")),
]


@pytest.mark.parametrize(
    ("uri", "index"), [("0", 0), ("cam a", 2), ("CÄM B", 4), ("/dev/video7", 7), ("Cam", None)]
)
def test_a_camera_goes_by_number_name_or_device(uri: str, index: int | None) -> None:
    assert camera_index(uri, lambda: _CAMERAS) == index
    if index is not None:
        capture = FakeCapture([numbered(1)])
        source = CameraSource(uri, open_camera=capture, cameras=lambda: _CAMERAS)
        assert capture.opened_with == (index, cv2.CAP_ANY)
        assert source.info.uri == uri
        source.close()


def test_what_a_camera_does_not_give_is_said_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    capture = FakeCapture([numbered(1)], fps=30.0, pixel_format="YUYV")
    wish = CameraSection(size=(1280, 720), fps=60.0, pixel_format="MJPG", backend="v4l2")
    source = CameraSource("0", wish, open_camera=capture)
    assert capture.opened_with == (0, cv2.CAP_V4L2)
    assert capture.asked == [
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, 1280),
        (cv2.CAP_PROP_FRAME_HEIGHT, 720),
        (cv2.CAP_PROP_FPS, 60.0),
    ]
    assert caplog.messages == [
        "camera 0 gives 96 × 64 px at 30 fps as YUYV, not 1280 × 720 px and 60 fps and MJPG"
    ]
    source.close()


def test_a_camera_that_gives_what_it_is_asked_for_says_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wish = CameraSection(size=SIZE_WH, fps=29.97, pixel_format="MJPG")
    for said in ("MJPG", None):  # not every camera says how it sends pixels
        capture = FakeCapture([numbered(1)], fps=30.0, pixel_format=said)
        CameraSource("0", wish, open_camera=capture).close()
    assert not caplog.messages


def test_a_backend_that_does_not_open_the_camera_is_named() -> None:
    with pytest.raises(SourceError, match="camera 0 cannot be opened by gstreamer: is it"):
        CameraSource(
            "0", CameraSection(backend="gstreamer"), open_camera=FakeCapture([], opened=False)
        )


def test_an_unplugged_camera_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    first = FakeCapture([numbered(1), numbered(2)])
    away = FakeCapture([], opened=False)
    back = FakeCapture([numbered(3, (192, 128)), numbered(4, (192, 128))])
    captures = iter([first, away, back])
    source = CameraSource("0", reconnect_s=30.0, open_camera=lambda *_: next(captures))
    walk = source.frames()
    frames = [next(walk) for _ in range(4)]
    assert [number_of(frame.image) for frame in frames] == [1, 2, 3, 4]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert all(later.time_s > earlier.time_s for earlier, later in pairwise(frames))
    assert [first.releases, away.releases] == [1, 1]
    lost, found = caplog.messages
    assert lost.startswith("camera 0 gives no pictures (was it unplugged?): waiting since ")
    assert found.startswith("camera 0 is back after ")
    source.close()
    assert back.releases == 1


def test_the_wait_for_a_camera_can_be_left() -> None:
    captures = iter([FakeCapture([numbered(1)])])
    gone = FakeCapture([], opened=False)
    source = CameraSource("0", reconnect_s=3600.0, open_camera=lambda *_: next(captures, gone))
    with Capture(source) as capture:
        assert next(iter(capture)).index == 0
    assert not [each for each in threading.enumerate() if each.name == "capture"]
