"""Cameras, and which there are."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.faces import Image
from stream.errors import SourceError
from stream.frames import Frame, SourceInfo

_MAX_FAILED_READS = 10  # in a row: cameras drop a frame now and then, a pulled plug drops all
_RETRY_S = 0.05
_MAX_INDEX = 2**31 - 1  # OpenCV's
_LINUX_CAMERAS = Path("/sys/class/video4linux")


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A camera that is connected.

    Attributes:
        index: what `CameraSource` and `face-stream run` call it.
        name: what its maker calls it.
        path: its device.
    """

    index: int
    name: str
    path: Path


class CameraSource:
    """A camera through OpenCV.

    Args:
        index: 0 is the first camera.
        open_camera: makes the capture; tests pass one of their own.

    Raises:
        SourceError: the camera is not there, is in use, or gives no picture.
    """

    def __init__(
        self, index: int, open_camera: Callable[[int], cv2.VideoCapture] = cv2.VideoCapture
    ) -> None:
        self._name = f"camera {index}"
        if index > _MAX_INDEX:
            raise SourceError(f"{self._name} cannot be: the first is 0, the second 1")
        with _quiet_opencv():
            self._capture = open_camera(index)
        self._opened_s = time.monotonic()
        self._count = 0
        try:
            if not self._capture.isOpened():
                raise SourceError(
                    f"{self._name} cannot be opened: "
                    "is it connected, and is no other program using it?"
                )
            # What a camera says of its size is not always what it gives.
            self._first = self._read()
            fps = self._capture.get(cv2.CAP_PROP_FPS)
        except BaseException:
            self.close()
            raise
        self._info = SourceInfo(str(index), "camera", self._first.size_wh, fps if fps > 0 else None)

    def __repr__(self) -> str:
        return f"CameraSource({self._name})"

    @property
    def info(self) -> SourceInfo:
        """The size of the first frame, and the rate the camera says it has."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Frames as they come, timed when they were grabbed.

        Raises:
            SourceError: the camera stopped giving pictures.
        """
        yield self._first
        while True:
            yield self._read()

    def close(self) -> None:
        """Gives the camera back."""
        self._capture.release()

    def _read(self) -> Frame:
        for _ in range(_MAX_FAILED_READS):
            grabbed, image = self._capture.read()
            now = time.monotonic()
            if grabbed:
                pixels: Image = np.ascontiguousarray(image, dtype=np.uint8)
                self._count += 1
                return Frame(pixels, self._count - 1, now - self._opened_s, now)
            time.sleep(_RETRY_S)
        raise SourceError(f"{self._name} gives no pictures: was it unplugged?")


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    """Without OpenCV's own page of warnings about a camera that is not there."""
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def list_cameras(folder: Path = _LINUX_CAMERAS) -> list[CameraInfo]:
    """The cameras that Linux knows of, in the order of their numbers; elsewhere none.

    A camera that offers data beside its pictures has a device for each; this lists the first.
    """
    found = []
    for entry in folder.glob("video*"):
        number = entry.name.removeprefix("video")
        if number.isdecimal() and _line(entry / "index") in ("", "0"):
            name = _line(entry / "name") or entry.name
            found.append(CameraInfo(int(number), name, Path("/dev", entry.name)))
    return sorted(found, key=lambda camera: camera.index)


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
