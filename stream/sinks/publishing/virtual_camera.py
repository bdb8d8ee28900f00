"""Annotated video as a camera of this machine, which video calls and recorders can choose."""

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import cv2
import numpy as np

from models.faces import Image
from stream.deliveries import Delivery
from stream.drawing.canvas import Canvas
from stream.errors import ConfigError, SinkError
from stream.frames import SourceInfo
from stream.people import Person
from stream.settings.schema import CameraSection
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.publishing.mailbox import Mailbox
from stream.sinks.publishing.pace import Pace

_TICK_S = 0.2
"""Time after which the thread looks whether the run has ended, s."""

_END_S = 0.9
"""For how long the device may keep the last frame, s; then it is left."""

_HINTS = {
    "linux": "load the module v4l2loopback, as with `sudo modprobe v4l2loopback exclusive_caps=1`",
    "darwin": "install OBS, and start and stop its virtual camera once",
    "win32": "install OBS, which brings a virtual camera",
}
"""What makes a virtual camera, by system."""


class Device(Protocol):
    """A virtual camera that is open, as pyvirtualcam has it."""

    def send(self, frame: Image) -> None:
        """Shows a picture `(height, width, 3)`, BGR."""

    def close(self) -> None:
        """Releases the device."""


OpenDevice = Callable[[int, int, float, str | None], Device]
"""Opens a device: width and height in px, frames a second, and its name, None for any."""


def open_device(width: int, height: int, fps: float, name: str | None) -> Device:
    """Opens a virtual camera of this machine.

    Raises:
        RuntimeError: there is none, or it cannot be used.
    """
    import pyvirtualcam

    camera: Any = pyvirtualcam.Camera(
        width, height, fps, fmt=pyvirtualcam.PixelFormat.BGR, device=name
    )
    return camera


class VirtualCamera:
    """Shows annotated frames on a device, in a thread of its own; the newest wins.

    What has an end is shown at its own pace.

    Args:
        info: the source, whose size and rate the device has.
        settings: which device.
        delivery: takes what became of the frames.
        open_camera: opens the device.

    Raises:
        SinkError: the device cannot be opened.
    """

    name = "virtual camera"
    output = None
    quit_requested = False

    def __init__(
        self,
        info: SourceInfo,
        settings: CameraSection,
        delivery: Delivery,
        open_camera: OpenDevice = open_device,
    ) -> None:
        self._size_wh = info.size_wh
        self._pace = None if info.is_live else Pace()
        self._delivery = delivery
        self._mailbox = Mailbox[Canvas](1)
        self._error: Exception | None = None
        device = None if settings.virtual_device == "auto" else settings.virtual_device
        try:
            self._device = open_camera(*info.size_wh, info.nominal_fps, device)
        except (RuntimeError, OSError, ValueError) as error:
            raise SinkError(_refusal(device, str(error))) from error
        self._thread = threading.Thread(target=self._run, name="virtual camera", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"VirtualCamera({self._size_wh})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Hands the frame to the thread.

        Raises:
            SinkError: the device takes no frames any more.
        """
        if self._error is not None:
            raise SinkError(str(self._error)) from self._error
        if self._pace is not None:
            self._pace.wait(annotated.frame.time_s)
        self._delivery.replaced += self._mailbox.put(annotated.canvas)

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Releases the device."""
        self._mailbox.end()
        self._thread.join(_END_S)

    def _run(self) -> None:
        try:
            while len(self._mailbox) or not self._mailbox.is_ended:
                if (canvas := self._mailbox.take(_TICK_S)) is not None:
                    self._device.send(self._fitted(canvas.picture))
                    self._delivery.sent += 1
        except Exception as error:  # noqa: BLE001 - raised again in write()
            self._error = error
        finally:
            self._device.close()

    def _fitted(self, picture: Image) -> Image:
        """The picture at the size of the device, for a source that has changed its own."""
        if (picture.shape[1], picture.shape[0]) != self._size_wh:
            resized = cv2.resize(picture, self._size_wh, interpolation=cv2.INTER_AREA)
            return resized.astype(np.uint8, copy=False)
        return np.ascontiguousarray(picture)


def check_package() -> None:
    """Checks that the package is there.

    Raises:
        ConfigError: it is not.
    """
    try:
        import pyvirtualcam  # noqa: F401
    except ImportError:
        raise ConfigError(
            "--virtual-camera needs the package pyvirtualcam: install face-stream with the extra "
            "`camera`"
        ) from None


def _refusal(device: str | None, reason: str) -> str:
    """What is wrong, and what makes a virtual camera here."""
    which = "no virtual camera can be opened" if device is None else f"{device} cannot be opened"
    hint = _HINTS.get(sys.platform, "install a virtual camera")
    said = " ".join(reason.split())
    return f"{which}: {hint}; camera.virtual_device names one of several (it said: {said})"
