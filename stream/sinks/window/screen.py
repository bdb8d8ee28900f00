"""The screen: a window that shows pictures and reads keys, in a process of its own."""

import os
import select
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from models.faces import Image
from stream.errors import SinkError
from stream.sinks.window.screen_process import (
    ANSWER,
    FULL_SCREEN,
    READ_KEY,
    READY,
    REQUEST,
    SHOW,
)

_PROGRAM = Path(__file__).with_name("screen_process.py")
"""The program that owns the window."""

_NAMED_KEYS = {
    0x1B: "escape",
    0x20: "space",
    **dict.fromkeys((0xFF51, 0xFF96, 0x250000, 0xF702), "left"),
    **dict.fromkeys((0xFF53, 0xFF98, 0x270000, 0xF703), "right"),
    **dict.fromkeys((0xFF50, 0xFF95, 0x240000, 0xF729), "home"),
}
"""Names of the keys that are no characters, by the codes that OpenCV gives them: of X11 (also those
of the number pad), of Windows, of macOS."""

_X11_KEYS = 0xFFFF
"""The bits of an X11 key; GTK puts those of Shift and Num Lock over them."""

_LARGEST_CHARACTER = 0xFF
"""Highest code of a key that is a character."""

_PATIENCE_S = 20.0
"""Time after which a window that does not open, answer or take pictures counts as lost, s."""

_GONE = "the screen is gone"
"""What is said when the window's process has ended."""

NO_WINDOWS = "this OpenCV shows no windows, as opencv-python-headless does not"
"""What is said where OpenCV was built without windows."""

_END_S = 2.0
"""How long the end of the window's process is waited for, s."""


class Screen(Protocol):
    """Shows pictures and reads keys."""

    def show(self, picture: Image) -> None:
        """Shows a picture; the first one opens the window."""

    def key(self, wait_ms: int) -> str:
        """The next key that was pressed, waited for `wait_ms` at most: a small letter, another
        character, `space`, `escape`, `left`, `right`, `home`, `other`; empty for none.
        """

    def fill(self, *, full: bool) -> None:
        """Makes the window fill the screen, or not."""

    @property
    def is_open(self) -> bool:
        """Whether the window is open: the user has not closed it."""

    def close(self) -> None:
        """Takes the window away."""


class OpenCvScreen:
    """A window of OpenCV that the user can make larger and smaller.

    Args:
        environment: leads to the display.
        patience_s: time after which one that does not open, answer or take pictures is lost, s.

    Raises:
        SinkError: there is no screen. Its methods raise it when the screen has disappeared.
    """

    def __init__(
        self, environment: Mapping[str, str] = os.environ, patience_s: float = _PATIENCE_S
    ) -> None:
        unseen = not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
        if unseen and sys.platform.startswith("linux"):
            raise SinkError("no screen to show the window on")
        if not shows_windows():
            raise SinkError(f"{NO_WINDOWS} (opencv-python in its place does)")
        self._is_open = True
        self._patience_s = patience_s
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Qt would warn of missing fonts, which this window does not need.
            env={"QT_LOGGING_RULES": "default.warning=false", **environment},
            bufsize=0,
            start_new_session=True,  # Ctrl-C in the terminal is not for the window
        )
        if self._process.stdin is not None and sys.platform != "win32":
            os.set_blocking(self._process.stdin.fileno(), False)
        try:
            self._receive(len(READY))
        except SinkError as error:
            self.close()
            raise SinkError("no screen to show the window on") from error
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return "OpenCvScreen()"

    @property
    def is_open(self) -> bool:
        """Whether the window was open when a key was last read."""
        return self._is_open

    def show(self, picture: Image) -> None:
        """Shows a picture; the first one opens the window, at the size of the picture."""
        height, width = picture.shape[:2]
        self._send(REQUEST.pack(SHOW, height, width))
        self._send(np.ascontiguousarray(picture).data.cast("B"))

    def key(self, wait_ms: int) -> str:
        """The next key; keys that are pressed while no one asks are kept, in order."""
        self._send(REQUEST.pack(READ_KEY, wait_ms, 0))
        code, self._is_open = ANSWER.unpack(self._receive(ANSWER.size))
        return "" if code < 0 else _key_name(code)

    def fill(self, *, full: bool) -> None:
        """Makes the window fill the screen, or not; one that is not open yet does so then."""
        self._send(REQUEST.pack(FULL_SCREEN, full, 0))

    def close(self) -> None:
        """Takes the window away; may be called twice."""
        process = self._process
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _send(self, data: bytes | memoryview) -> None:
        """Sends everything; a pipe takes it in parts, none for now where it is full."""
        pipe, rest = self._process.stdin, memoryview(data)
        assert pipe is not None
        try:
            while rest:
                if (
                    sys.platform != "win32"
                    and not select.select([], [pipe], [], self._patience_s)[1]
                ):
                    raise SinkError(f"the window has taken nothing for {self._patience_s:g} s")
                rest = rest[pipe.write(rest) or 0 :]
        except (OSError, ValueError) as error:
            raise SinkError(_GONE) from error

    def _receive(self, size: int) -> bytes:
        """So many bytes of an answer, which comes in one piece."""
        pipe = self._process.stdout
        assert pipe is not None
        if sys.platform != "win32" and not select.select([pipe], [], [], self._patience_s)[0]:
            raise SinkError(f"the window has not answered for {self._patience_s:g} s")
        if len(data := pipe.read(size)) < size:
            raise SinkError(_GONE)
        return data


def _key_name(code: int) -> str:
    """The name of a key, by the code that OpenCV gives it."""
    for each in (code, code & _X11_KEYS):
        if each in _NAMED_KEYS:
            return _NAMED_KEYS[each]
        if 0 < each <= _LARGEST_CHARACTER:
            return chr(each).lower()
    return "other"


def has_display() -> bool:
    """Whether a window can be opened."""
    try:
        OpenCvScreen().close()
    except SinkError:
        return False
    return True


def shows_windows() -> bool:
    """Whether OpenCV was built with windows."""
    return cv2.currentUIFramework() != ""
