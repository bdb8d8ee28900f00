"""A window on the screen, through OpenCV."""

import os
import subprocess
import sys
from typing import Protocol

import cv2

from models.faces import Image
from stream.errors import SinkError

_TITLE = "face-stream"
_NAMED_KEYS = {27: "escape", 32: "space"}
_MAX_WH = (1280, 800)  # of a window when it opens; the user makes it larger
_PROBE_TIMEOUT_S = 20


class Screen(Protocol):
    """Shows pictures and hears keys."""

    def show(self, picture: Image) -> None:
        """Puts a picture up; the first one opens the window."""

    def key(self, wait_ms: int) -> str:
        """Waits so long at most for a key: a small letter, `space`, `escape`, or none."""

    @property
    def is_open(self) -> bool:
        """The user has not closed the window."""

    def close(self) -> None:
        """Takes the window away."""


class OpenCvScreen:
    """A window that can be made larger and smaller.

    Raises:
        SinkError: there is no screen; later on: it is gone, or this OpenCV has no windows.
    """

    def __init__(self) -> None:
        if not has_display():
            raise SinkError("no screen to show the window on")
        self._shown = False
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")  # fonts it never needs

    def __repr__(self) -> str:
        return "OpenCvScreen()"

    def show(self, picture: Image) -> None:
        """Puts a picture up; the first one opens the window, its size the picture's."""
        try:
            if not self._shown:
                cv2.namedWindow(
                    _TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
                )
                height, width = picture.shape[:2]
                fit = min(_MAX_WH[0] / width, _MAX_WH[1] / height, 1.0)
                cv2.resizeWindow(_TITLE, round(width * fit), round(height * fit))
                self._shown = True
            cv2.imshow(_TITLE, picture)
        except cv2.error as error:
            self._shown = False
            raise SinkError(f"cannot be shown: {error.err or error}") from error

    def key(self, wait_ms: int) -> str:
        """Waits for a key; meanwhile the window is drawn, moved, made larger."""
        try:
            code = cv2.waitKey(wait_ms)
        except cv2.error as error:
            self._shown = False
            raise SinkError(f"cannot be shown: {error.err or error}") from error
        return "" if code < 0 else _NAMED_KEYS.get(code & 0xFF, chr(code & 0xFF).lower())

    @property
    def is_open(self) -> bool:
        """The user has not closed the window."""
        try:
            return bool(cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) >= 1)
        except cv2.error:  # Qt ends with its last window
            return False

    def close(self) -> None:
        """Takes the window away."""
        if self._shown:
            self._shown = False
            cv2.destroyAllWindows()
            cv2.waitKey(1)  # lets the toolkit do it


def has_display() -> bool:
    """Whether a window can be opened.

    On Linux the toolkit ends the whole program where it cannot, so another process tries first.
    """
    if not sys.platform.startswith("linux"):
        return True
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    attempt = "import cv2; cv2.namedWindow('probe', cv2.WINDOW_NORMAL); cv2.destroyAllWindows()"
    try:
        probe = subprocess.run(
            [sys.executable, "-c", attempt], capture_output=True, timeout=_PROBE_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return False
    return probe.returncode == 0
