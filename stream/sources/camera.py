"""Cameras through OpenCV, and the list of those that are connected."""

import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.faces import Image
from models.pictures.opencv_messages import without_opencv_messages
from stream.errors import AbsentSourceError, SourceError
from stream.frames import Frame, SourceInfo
from stream.settings.schema import CameraSection
from stream.source_history import SourceHistory
from stream.sources.reconnection import Reconnection

_MAX_FAILED_READS = 10
"""Failed reads in a row from which a camera is lost: cameras drop a frame now and then, an
unplugged one drops all."""

_READ_RETRY_S = 0.05
"""Pause after a failed read, s."""

_MAX_INDEX = 2**31 - 1
"""Highest number of a camera that OpenCV takes."""

_FPS_TOLERANCE = 0.01
"""By what share the rate of a camera may differ from the one asked for and still count as it."""

_NO_PICTURES = "gives no pictures (was it unplugged?)"
"""Why a camera is lost, in words that follow its name."""

_BACKENDS = {
    "auto": cv2.CAP_ANY,
    "v4l2": cv2.CAP_V4L2,
    "gstreamer": cv2.CAP_GSTREAMER,
    "dshow": cv2.CAP_DSHOW,
    "msmf": cv2.CAP_MSMF,
    "avfoundation": cv2.CAP_AVFOUNDATION,
}
"""OpenCV's numbers of the values of `camera.backend`."""

_DEVICE_PATH = re.compile(r"/dev/video(\d+)")
"""The path of a camera's device on Linux, with its number."""

_LINUX_CAMERAS = Path("/sys/class/video4linux")
"""The folder in which Linux lists its cameras."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A camera that is connected.

    Attributes:
        index: its number, as `CameraSource` and `face-stream run` take it.
        name: the name that its maker gave it.
        path: the path of its device.
    """

    index: int
    name: str
    path: Path


def list_cameras(folder: Path = _LINUX_CAMERAS) -> list[CameraInfo]:
    """The cameras that Linux lists, in the order of their numbers; elsewhere none.

    A camera that offers data beside its pictures has a device for each; this lists the first.
    """
    found = []
    for entry in folder.glob("video*"):
        number = entry.name.removeprefix("video")
        if number.isdecimal() and _read_line(entry / "index") in ("", "0"):
            name = _read_line(entry / "name") or entry.name
            found.append(CameraInfo(int(number), name, Path("/dev", entry.name)))
    return sorted(found, key=lambda camera: camera.index)


def _read_line(path: Path) -> str:
    """The text of a file of one line; empty where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


class CameraSource:
    """A camera through OpenCV. When it is unplugged it is opened again; time and count go on.

    Args:
        uri: the camera's number (0 is the first), its name, or the path of its device.
        settings: what the camera is asked for; a warning names what it does not give.
        reconnect_s: for how long a camera that gives no more pictures is tried again.
        history: takes when it was lost and when it was back.
        open_camera: makes the capture of a number and a backend; tests pass a fake.
        cameras: lists the cameras that are connected, for their names.

    Raises:
        AbsentSourceError: the camera is not there, is in use, or gives no picture.
        SourceError: there can be no such camera.
    """

    def __init__(
        self,
        uri: str,
        settings: CameraSection | None = None,
        reconnect_s: float = 0.0,
        history: SourceHistory | None = None,
        *,
        open_camera: Callable[[int, int], cv2.VideoCapture] = cv2.VideoCapture,
        cameras: Callable[[], Sequence[CameraInfo]] = list_cameras,
    ) -> None:
        self._uri = uri
        self._name = f"camera {uri}"
        self._settings = settings or CameraSection()
        self._open_camera = open_camera
        self._cameras = cameras
        self._reconnection = Reconnection(self._name, reconnect_s, history)
        self._opened_s = time.monotonic()
        self._count = 0
        self._capture: cv2.VideoCapture | None = None
        try:
            self._next = self._open()
            fps = self._stated_fps()
            self._warn_of_refused(fps)
        except BaseException:
            self.close()
            raise
        states = self._reconnection.history
        self._info = SourceInfo(uri, "camera", self._next.size_wh, fps, history=states)

    def __repr__(self) -> str:
        return f"CameraSource({self._name})"

    @property
    def info(self) -> SourceInfo:
        """The size of the first frame, and the rate that the camera states."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Frames as they come, timed when they were grabbed.

        Raises:
            LostSourceError: the camera stopped giving pictures, and did not begin again.
        """
        while True:
            yield self._next
            while (frame := self._read()) is not None:
                yield frame
            first = self._reconnection.retry(_NO_PICTURES, self._open)
            if first is None:
                return
            self._next = first

    def interrupt(self) -> None:
        """Ends the wait for a camera that was unplugged."""
        self._reconnection.interrupt()

    def close(self) -> None:
        """Releases the camera."""
        if self._capture is not None:
            self._capture.release()

    def _open(self) -> Frame:
        """Opens the camera, for the first time or again; its first frame."""
        self.close()
        index = camera_index(self._uri, self._cameras)
        if index is None or index > _MAX_INDEX:
            raise SourceError(f"{self._name} cannot be: the first is 0, the second 1")
        with without_opencv_messages():
            self._capture = capture = self._open_camera(index, _BACKENDS[self._settings.backend])
        if not capture.isOpened():
            with_backend = (
                "" if self._settings.backend == "auto" else f" by {self._settings.backend}"
            )
            raise AbsentSourceError(
                f"{self._name} cannot be opened{with_backend}: "
                "is it connected, and is no other program using it?"
            )
        for name, value in _requested_properties(self._settings):
            capture.set(name, value)
        # Read at once: the size that a camera states is not always the size of its pictures.
        first = self._read()
        if first is None:
            raise AbsentSourceError(f"{self._name} {_NO_PICTURES}")
        return first

    def _read(self) -> Frame | None:
        """The next frame; None where the camera is lost, or the wait for it is interrupted."""
        for _ in range(_MAX_FAILED_READS):
            if self._capture is None:
                break
            grabbed, image = self._capture.read()
            now = time.monotonic()
            if grabbed:
                pixels: Image = np.ascontiguousarray(image, dtype=np.uint8)
                self._count += 1
                return Frame(pixels, self._count - 1, now - self._opened_s, now)
            if not self._reconnection.pause(_READ_RETRY_S):
                break
        return None

    def _stated_fps(self) -> float | None:
        """The rate that the camera states; None where it states none."""
        fps = self._capture.get(cv2.CAP_PROP_FPS) if self._capture is not None else 0.0
        return fps if fps > 0 else None

    def _warn_of_refused(self, fps: float | None) -> None:
        """Names what the camera was asked for and does not give."""
        asked, given = self._settings, self._next.size_wh
        refused = []
        if asked.size not in ("auto", given):
            refused.append("{} × {} px".format(*asked.size))
        if asked.fps != "auto" and fps and abs(fps - asked.fps) > _FPS_TOLERANCE * asked.fps:
            refused.append(f"{asked.fps:g} fps")
        pixel_format = self._pixel_format()
        if asked.pixel_format != "auto" and pixel_format not in ("", asked.pixel_format):
            refused.append(asked.pixel_format)
        if refused:
            rate = f" at {fps:g} fps" if fps else ""
            sent = f" as {pixel_format}" if pixel_format else ""
            names = " and ".join(refused)
            _log.warning("%s gives %d × %d px%s%s, not %s", self._name, *given, rate, sent, names)

    def _pixel_format(self) -> str:
        """The pixel format that the camera states, four letters; empty where it states none."""
        code = int(self._capture.get(cv2.CAP_PROP_FOURCC)) if self._capture is not None else 0
        return code.to_bytes(4, "little").decode("latin-1") if code > 0 else ""


def camera_index(
    uri: str, cameras: Callable[[], Sequence[CameraInfo]] = list_cameras
) -> int | None:
    """The number of the camera with that number, name or path; None where there is none."""
    if uri.isdecimal():
        return int(uri)
    device = _DEVICE_PATH.fullmatch(os.path.realpath(uri)) if "\0" not in uri else None
    if device is not None:
        return int(device[1])
    name = uri.strip().casefold()
    return next((each.index for each in cameras() if each.name.casefold() == name), None)


def _requested_properties(settings: CameraSection) -> Iterator[tuple[int, float]]:
    """OpenCV's properties to be set, with their values; the others depend on the format, which
    comes first.
    """
    if settings.pixel_format != "auto":
        yield cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*settings.pixel_format)
    if settings.size != "auto":
        yield cv2.CAP_PROP_FRAME_WIDTH, settings.size[0]
        yield cv2.CAP_PROP_FRAME_HEIGHT, settings.size[1]
    if settings.fps != "auto":
        yield cv2.CAP_PROP_FPS, settings.fps
