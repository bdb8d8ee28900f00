"""The program that owns the window, which the other one starts.

Where a display dies, the toolkit of the window ends the whole process that uses it; here it is this
one. It is run as a file and imports nothing of `stream`, so that it starts at once.

Requests come through standard input, where a thread reads them: a head, and with a picture its
pixels. A request for a key is answered on standard output. Keys are taken from the toolkit all the
while, which remembers only the last one, and wait here until they are asked for.
"""

import ctypes
import os
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from struct import Struct

import cv2
import numpy as np
from numpy.typing import NDArray

REQUEST = Struct("<cII")
"""Head of a request: its kind and two numbers."""

SHOW = b"S"
"""Kind of a request: a picture, its height and width in px; its BGR pixels follow."""

READ_KEY = b"K"
"""Kind of a request: to wait for a key, ms at most; the other number means nothing."""

FULL_SCREEN = b"F"
"""Kind of a request: 1 to fill the screen, 0 for a window; the other number means nothing."""

ANSWER = Struct("<i?")
"""Answer: the key's code, negative where none was pressed, and whether the window is open."""

READY = b"+"
"""What is answered once it is known that a window can be opened."""

_END = b""
"""Kind of a request that says there are no more."""

_TITLE = "face-stream"
"""Title of the window."""

_MAX_WH = (1280, 800)
"""Largest size of a window when it opens, px; the user can make it larger."""

_PUMP_S = 0.005
"""Longest time between two looks for keys, s; more loses keys that follow one another faster, less
costs more. A hundredth of a second lies between two keys that a machine presses."""

_NOT_FOR_THIS = ("SIGINT", "SIGTERM", "SIGUSR1")
"""Signals for the program that started this one, which a service manager sends to both."""

_QUEUED_REQUESTS = 2
"""Requests that wait at most; more let pictures be shown later than they were sent."""

_Request = tuple[bytes, int, int, bytes]


class _Window:
    """The window, which the first picture opens, and the keys that were pressed in it."""

    def __init__(self) -> None:
        self._keys: deque[int] = deque()
        self._is_shown = False
        self._is_full = False
        self._answer_at_s: float | None = None  # when the key that was asked for is due at last

    def serve(self, request: _Request) -> None:
        """Does what is asked for; a key is given when one is there."""
        kind, one, two, pixels = request
        if kind == READ_KEY:
            self._answer_at_s = time.monotonic() + one / 1000
        elif kind == FULL_SCREEN:
            self._is_full = bool(one)
            self._set_full()
        elif kind == SHOW:
            if not self._is_shown:
                self._open(one, two)
            elif not self._is_open():  # to show a picture would open another window
                return
            picture = np.frombuffer(pixels, np.uint8).reshape(one, two, 3)
            cv2.imshow(_TITLE, _fitted(picture, cv2.getWindowImageRect(_TITLE)[2:]))

    def pump(self) -> None:
        """Lets the toolkit draw the window and take a key; answers what is due."""
        code = cv2.waitKeyEx(1)
        if code >= 0:
            self._keys.append(code)
        if self._answer_at_s is None:
            return
        if self._keys or time.monotonic() >= self._answer_at_s:
            self._answer_at_s = None
            _answer(ANSWER.pack(self._keys.popleft() if self._keys else -1, self._is_open()))

    def _open(self, height: int, width: int) -> None:
        """Opens the window at the size of the picture."""
        cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_FREERATIO | cv2.WINDOW_GUI_NORMAL)
        fit = min(_MAX_WH[0] / width, _MAX_WH[1] / height, 1.0)
        cv2.resizeWindow(_TITLE, round(width * fit), round(height * fit))
        self._is_shown = True
        self._set_full()

    def _set_full(self) -> None:
        """Makes the window fill the screen, or not, if it is there."""
        if self._is_shown and self._is_open():
            mode = cv2.WINDOW_FULLSCREEN if self._is_full else cv2.WINDOW_NORMAL
            cv2.setWindowProperty(_TITLE, cv2.WND_PROP_FULLSCREEN, mode)

    def _is_open(self) -> bool:
        """Whether the window is open: the user has not closed it."""
        try:
            return bool(cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) >= 1)
        except cv2.error:  # Qt ends with its last window
            return False


def main() -> None:
    """Serves requests until there are no more."""
    for name in _NOT_FOR_THIS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    _share_x11()
    cv2.namedWindow("probe", cv2.WINDOW_NORMAL)
    cv2.destroyAllWindows()
    _answer(READY)
    requests: queue.Queue[_Request] = queue.Queue(_QUEUED_REQUESTS)
    threading.Thread(target=_read_requests, args=(requests,), daemon=True).start()
    window = _Window()
    while True:
        try:
            request = requests.get(timeout=_PUMP_S)
        except queue.Empty:
            pass
        else:
            if request[0] == _END:
                break
            window.serve(request)
        window.pump()
    cv2.destroyAllWindows()
    cv2.waitKey(1)  # gives the toolkit the time to do it


def _share_x11() -> None:
    """Lets the toolkit use this machine's libX11-xcb, if there is one.

    The packages of opencv-python bring their own beside this machine's libX11, whose structures are
    others: what Qt sets with it ("XCB owns the queue of events") misses its place, and Xlib takes
    events from Qt. Where it takes the one that says that a window is on the screen, nothing is ever
    drawn in it: in 22 of 110 windows without a window manager, 1 of 80 with one; with this in none
    of 100.
    """
    with suppress(OSError):
        ctypes.CDLL("libX11-xcb.so.1", ctypes.RTLD_GLOBAL)


def _fitted(picture: NDArray[np.uint8], window_wh: Sequence[int]) -> NDArray[np.uint8]:
    """A picture as large as the window holds it, in the middle of black: the toolkit would stretch
    it, and take its time for that.
    """
    height, width = picture.shape[:2]
    fit = min(window_wh[0] / width, window_wh[1] / height)
    if fit <= 0:
        return picture
    size_wh = max(round(width * fit), 1), max(round(height * fit), 1)
    how = cv2.INTER_AREA if fit < 1 else cv2.INTER_LINEAR
    fitted = cv2.resize(picture, size_wh, interpolation=how)
    left, top = (window_wh[0] - size_wh[0]) // 2, (window_wh[1] - size_wh[1]) // 2
    right, bottom = window_wh[0] - size_wh[0] - left, window_wh[1] - size_wh[1] - top
    framed = cv2.copyMakeBorder(fitted, top, bottom, left, right, cv2.BORDER_CONSTANT)
    return framed.astype(np.uint8, copy=False)


def _read_requests(requests: "queue.Queue[_Request]") -> None:
    """Queues the requests of standard input, and at its end that there are no more."""
    pipe = sys.stdin.buffer
    while len(head := pipe.read(REQUEST.size)) == REQUEST.size:
        kind, one, two = REQUEST.unpack(head)
        size = one * two * 3 if kind == SHOW else 0
        pixels = pipe.read(size)
        if len(pixels) < size:
            break
        requests.put((kind, one, two, pixels))
    requests.put((_END, 0, 0, b""))


def _answer(data: bytes) -> None:
    os.write(sys.stdout.fileno(), data)


if __name__ == "__main__":
    main()
