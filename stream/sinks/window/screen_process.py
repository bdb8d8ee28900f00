"""The program that owns the window, which the other one starts.

Where a display dies, the toolkit of the window ends the whole process that uses it; here it is this
one. It is run as a file and imports nothing of `stream`, so that it starts at once.

Requests come through standard input: a head, and with a picture its pixels. Each but a picture is
answered on standard output.
"""

import os
import signal
import sys
from struct import Struct

import cv2
import numpy as np

REQUEST = Struct("<cII")
"""Head of a request: its kind and two numbers."""

SHOW = b"S"
"""Kind of a request: a picture, its height and width in px; its BGR pixels follow."""

READ_KEY = b"K"
"""Kind of a request: to wait for a key, ms at most; the other number means nothing."""

ANSWER = Struct("<i?")
"""Answer: the key's code, negative where none was pressed, and whether the window is open."""

READY = b"+"
"""What is answered once it is known that a window can be opened."""

_TITLE = "face-stream"
"""Title of the window."""

_MAX_WH = (1280, 800)
"""Largest size of a window when it opens, px; the user can make it larger."""


def main() -> None:
    """Answers requests until there are no more."""
    for number in (signal.SIGINT, signal.SIGTERM):  # they are for the program that started this one
        signal.signal(number, signal.SIG_IGN)
    cv2.namedWindow("probe", cv2.WINDOW_NORMAL)
    cv2.destroyAllWindows()
    _answer(READY)
    shown = False
    while len(head := sys.stdin.buffer.read(REQUEST.size)) == REQUEST.size:
        kind, one, two = REQUEST.unpack(head)
        if kind == READ_KEY:
            _answer(ANSWER.pack(cv2.waitKey(one), _is_open()))
            continue
        pixels = sys.stdin.buffer.read(one * two * 3)
        if len(pixels) < one * two * 3:
            break
        if not shown:
            _open(one, two)
            shown = True
        cv2.imshow(_TITLE, np.frombuffer(pixels, np.uint8).reshape(one, two, 3))
    cv2.destroyAllWindows()
    cv2.waitKey(1)  # gives the toolkit the time to do it


def _open(height: int, width: int) -> None:
    """Opens the window at the size of the picture."""
    cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
    fit = min(_MAX_WH[0] / width, _MAX_WH[1] / height, 1.0)
    cv2.resizeWindow(_TITLE, round(width * fit), round(height * fit))


def _is_open() -> bool:
    """Whether the window is open: the user has not closed it."""
    try:
        return bool(cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) >= 1)
    except cv2.error:  # Qt ends with its last window
        return False


def _answer(data: bytes) -> None:
    os.write(sys.stdout.fileno(), data)


if __name__ == "__main__":
    main()
