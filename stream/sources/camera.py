"""Cameras."""

import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from stream.errors import SourceError
from stream.frames import Frame, SourceInfo

_MAX_FAILED_READS = 10  # in a row: cameras drop a frame now and then, a pulled plug drops all
_RETRY_S = 0.05


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
        self._capture = open_camera(index)
        self._opened_s = time.monotonic()
        if not self._capture.isOpened():
            self._capture.release()
            raise SourceError(
                f"{self._name} cannot be opened: is it connected, and is no other program using it?"
            )
        width = round(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = round(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self._info = SourceInfo(str(index), "camera", (width, height), fps if fps > 0 else None)

    def __repr__(self) -> str:
        return f"CameraSource({self._name})"

    @property
    def info(self) -> SourceInfo:
        """What the camera says it gives."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Frames as they come, timed when they were grabbed.

        Raises:
            SourceError: the camera stopped giving pictures.
        """
        index = failed = 0
        while failed < _MAX_FAILED_READS:
            grabbed, image = self._capture.read()
            now = time.monotonic()
            if not grabbed:
                failed += 1
                time.sleep(_RETRY_S)
                continue
            failed = 0
            pixels = np.ascontiguousarray(image, dtype=np.uint8)
            yield Frame(pixels, index, now - self._opened_s, now)
            index += 1
        raise SourceError(f"{self._name} gives no more pictures: was it unplugged?")

    def close(self) -> None:
        """Gives the camera back."""
        self._capture.release()
