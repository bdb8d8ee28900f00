"""The virtual camera, on a device that stands in for one: none can be made where tests run."""

import threading

import numpy as np
import pytest
from fakes import PATIENCE_S, SIZE_WH, fan_out, frame, number_of

from models.faces import Image
from stream.controls import RunReport
from stream.deliveries import Delivery
from stream.drawing.overlay import Overlay
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.settings.schema import CameraSection, OverlaySection
from stream.sinks.publishing.virtual_camera import VirtualCamera

_LIVE = SourceInfo("door", "camera", SIZE_WH, 30.0)
_BARE = OverlaySection(labels=False, legend=False)


class _Device:
    """Keeps what is shown on it; may fail or hold on to a frame."""

    def __init__(self, error: Exception | None = None, hold: threading.Event | None = None) -> None:
        self.asked: tuple[object, ...] = ()
        self.shown: list[Image] = []
        self.closed = 0
        self.error, self.hold = error, hold
        self.has_shown = threading.Event()

    def open(self, *asked: object) -> "_Device":
        self.asked = asked
        return self

    def send(self, frame: Image) -> None:
        if self.error is not None:
            raise self.error
        self.shown.append(frame)
        self.has_shown.set()
        if self.hold is not None:
            assert self.hold.wait(PATIENCE_S)

    def close(self) -> None:
        self.closed += 1


def _camera(device: _Device, delivery: Delivery, name: str = "auto") -> VirtualCamera:
    return VirtualCamera(_LIVE, CameraSection(virtual_device=name), delivery, device.open)


def test_frames_are_shown_in_the_size_and_at_the_rate_of_the_source() -> None:
    device, delivery, report = _Device(), Delivery("frame"), RunReport()
    camera = _camera(device, delivery, "/dev/video10")
    with fan_out([camera], Overlay(_BARE), _LIVE, report=report) as sinks:
        sinks.write(frame(7), [])
        assert device.has_shown.wait(PATIENCE_S)
        device.has_shown.clear()
        sinks.write(frame(8, (192, 128)), [])  # the source has changed its size
        assert device.has_shown.wait(PATIENCE_S)
    assert device.asked == (*SIZE_WH, 30.0, "/dev/video10")
    assert [number_of(each) for each in device.shown] == [7, 8]
    assert {each.shape for each in device.shown} == {(SIZE_WH[1], SIZE_WH[0], 3)}
    assert all(each.flags.c_contiguous and each.dtype == np.uint8 for each in device.shown)
    assert (delivery.sent, delivery.dropped, device.closed, report.failures) == (2, 0, 1, [])


def test_a_slow_device_gets_the_newest_frame() -> None:
    hold = threading.Event()
    device, delivery = _Device(hold=hold), Delivery("frame")
    with fan_out([_camera(device, delivery)], Overlay(_BARE), _LIVE) as sinks:
        sinks.write(frame(1), [])
        assert device.has_shown.wait(PATIENCE_S)
        for number in range(2, 12):
            sinks.write(frame(number), [])
        hold.set()
    assert [number_of(each) for each in device.shown] == [1, 11]
    assert (delivery.sent, delivery.dropped) == (2, 9)
    assert device.asked[3] is None


def test_a_device_that_fails_is_named_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    device, report = _Device(OSError("it was unplugged")), RunReport()
    camera = _camera(device, Delivery("frame"))
    with fan_out([camera], Overlay(_BARE), _LIVE, report=report) as sinks:
        for number in range(2):
            sinks.write(frame(number), [])
            camera._thread.join(PATIENCE_S)
    assert report.failures == ["virtual camera: it was unplugged"]
    assert device.closed == 1
    caplog.clear()


def test_without_a_device_one_line_says_what_makes_one() -> None:
    pytest.importorskip("pyvirtualcam", reason="the extra `camera` is not installed")
    settings = CameraSection(virtual_device="/dev/video987")
    with pytest.raises(SinkError, match=r"^/dev/video987 cannot be opened: ") as raised:
        VirtualCamera(_LIVE, settings, Delivery("frame"))
    said = str(raised.value)
    assert "\n" not in said and "camera.virtual_device" in said
    assert any(hint in said for hint in ("v4l2loopback", "OBS"))
