"""The window."""

import os
import subprocess
import sys

import cv2

from stream.errors import SinkError
from stream.sinks.contract import Annotated

_TITLE = "face-stream"
_QUIT_KEYS = frozenset({ord("q"), 27})  # 27 is Esc
_PROBE_TIMEOUT_S = 20


class Window:
    """Shows each picture as it comes; q, Esc or the window's own button ask for the end.

    Raises:
        SinkError: there is no screen.
    """

    name = "window"
    output = None

    def __init__(self) -> None:
        if not has_display():
            raise SinkError("no screen to show the window on")
        self.quit_requested = False
        self._shown = False
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")  # fonts it never needs

    def __repr__(self) -> str:
        return "Window()"

    def write(self, annotated: Annotated) -> None:
        """Shows the picture and looks for a key.

        Raises:
            SinkError: the screen is gone, or this OpenCV was built without windows.
        """
        try:
            if not self._shown:
                cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
                width, height = annotated.frame.size_wh
                cv2.resizeWindow(_TITLE, width, height)
                self._shown = True
            cv2.imshow(_TITLE, annotated.picture)
            key = cv2.waitKey(1) & 0xFF
        except cv2.error as error:
            self._shown = False
            raise SinkError(f"cannot be shown: {error.err or error}") from error
        self.quit_requested = self.quit_requested or key in _QUIT_KEYS or _is_closed()

    def close(self, *, complete: bool) -> None:
        """Takes the window away."""
        if self._shown:
            cv2.destroyAllWindows()
            cv2.waitKey(1)  # lets the toolkit do it


def _is_closed() -> bool:
    try:
        return bool(cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1)
    except cv2.error:  # Qt ends with its last window
        return True


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
