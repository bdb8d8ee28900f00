"""The screen: a window that shows pictures and reads keys, through OpenCV."""

import os
import subprocess
import sys
from typing import Protocol

import cv2

from models.faces import Image
from stream.errors import SinkError

_TITLE = "face-stream"
"""Title of the window."""

_NAMED_KEYS = {27: "escape", 32: "space"}
"""Names of the keys that are no letters, by their ASCII code."""

_MAX_WH = (1280, 800)
"""Largest size of a window when it opens, px; the user can make it larger."""

_PROBE_TIMEOUT_S = 20
"""Time after which a window that has not opened on trial counts as one that cannot, s."""


class Screen(Protocol):
    """Shows pictures and reads keys."""

    def show(self, picture: Image) -> None:
        """Shows a picture; the first one opens the window."""

    def key(self, wait_ms: int) -> str:
        """Waits for a key, `wait_ms` at most: a small letter, `space`, `escape`, or empty."""

    @property
    def is_open(self) -> bool:
        """Whether the window is open: the user has not closed it."""

    def close(self) -> None:
        """Takes the window away."""


class OpenCvScreen:
    """A window of OpenCV that the user can make larger and smaller.

    Raises:
        SinkError: there is no screen. Its methods raise it when the screen has disappeared, or
            where this OpenCV has no windows.
    """

    def __init__(self) -> None:
        if not has_display():
            raise SinkError("no screen to show the window on")
        self._shown = False
        # Qt would warn of missing fonts, which this window does not need.
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")

    def __repr__(self) -> str:
        return "OpenCvScreen()"

    def show(self, picture: Image) -> None:
        """Shows a picture; the first one opens the window, at the size of the picture."""
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
        """Waits for a key; OpenCV draws, moves and resizes the window only meanwhile."""
        try:
            code = cv2.waitKey(wait_ms)
        except cv2.error as error:
            self._shown = False
            raise SinkError(f"cannot be shown: {error.err or error}") from error
        return "" if code < 0 else _NAMED_KEYS.get(code & 0xFF, chr(code & 0xFF).lower())

    @property
    def is_open(self) -> bool:
        """Whether the window is open: the user has not closed it."""
        try:
            return bool(cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) >= 1)
        except cv2.error:  # Qt ends with its last window
            return False

    def close(self) -> None:
        """Takes the window away."""
        if self._shown:
            self._shown = False
            cv2.destroyAllWindows()
            cv2.waitKey(1)  # gives the toolkit the time to do it


def has_display() -> bool:
    """Whether a window can be opened.

    On Linux the toolkit ends the whole program where it cannot, so that another process tries it.
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
