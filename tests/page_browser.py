"""The page served to a real browser: a camera that shows a clock, the program, and Chromium.

    python tests/page_browser.py PORT FPS

serves the camera at a port, and 0 chooses one, which is printed.
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from batch_programs import start
from fakes import stopped
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from servers import FPS, http, mjpeg_page

from models.faces import Image
from stream.sources.demo import portrait

CHROMIUM = Path("/usr/bin/chromium")
"""Debian's browser; Playwright's own is not downloaded."""

PATIENCE_S = 60.0
"""For how long a change on the page is waited for, s: many times what an idle machine takes."""

_START_S = 120.0
"""For how long the program may take to serve the page, s."""

_SIZE_WH = (640, 360)
_BITS = 24  # of the clock: milliseconds, for more than four hours
_BLOCK_PX = 24

READ_CLOCK = (
    """
(element) => {
  const width = element.videoWidth || element.naturalWidth;
  const height = element.videoHeight || element.naturalHeight;
  if (!width) return null;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(element, 0, 0);
  const block = (BLOCK * width) / WIDTH;
  const row = context.getImageData(0, Math.floor(block / 2), width, 1).data;
  let ms = 0;
  for (let bit = 0; bit < BITS; bit += 1) {
    const x = width - Math.round((bit + 0.5) * block);
    if (row[4 * x + 1] > 127) ms += 2 ** bit;
  }
  return ms;
}
""".replace("BLOCK", str(_BLOCK_PX))
    .replace("WIDTH", str(_SIZE_WH[0]))
    .replace("BITS", str(_BITS))
)
"""Reads the clock off a video or an image of the page, ms; null where it shows nothing yet."""

CLOCK_SPAN = 2**_BITS
"""The clock begins anew after so many ms."""


def clock_picture(time_s: float) -> Image:
    """A face, over which the time stands as a row of blocks, white for 1; the last bit is right."""
    picture = np.full((_SIZE_WH[1], _SIZE_WH[0], 3), 90, np.uint8)
    left = 160 + int(80 * np.sin(time_s))
    picture[80:340, left : left + 260] = cv2.resize(portrait()[:400, 100:400], (260, 260))
    ms = round(time_s * 1000) % CLOCK_SPAN
    for bit in range(_BITS):
        right = _SIZE_WH[0] - bit * _BLOCK_PX
        picture[:_BLOCK_PX, right - _BLOCK_PX : right] = 255 * (ms >> bit & 1)
    return picture


def _clock_pictures(fps: float) -> Iterator[Image]:
    while True:
        yield clock_picture(time.time())
        time.sleep(max(0.0, 1 / fps - 1 / FPS))


class ClockCamera:
    """A camera on the network, in a process of its own, that can be killed and started again.

    Args:
        fps: frames a second.
    """

    def __init__(self, fps: float = 8) -> None:
        self._fps = fps
        self._port = 0
        self._ending = ExitStack()
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def address(self) -> str:
        """What the program is given."""
        return f"http://127.0.0.1:{self._port}/clock"

    def start(self) -> None:
        """Starts it, again at the port that it had."""
        words = [sys.executable, __file__, str(self._port), str(self._fps)]
        program = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self._ending.enter_context(program)
        self._ending.enter_context(stopped(program))
        assert program.stdout is not None
        self._port = int(program.stdout.readline())

    def kill(self) -> None:
        """Kills it."""
        self._ending.close()


@dataclass(slots=True)
class Served:
    """A program that serves the page.

    Attributes:
        program: its process.
        control: the address of the page with the token that allows everything.
        watch: with the one that only watches.
    """

    program: "subprocess.Popen[str]"
    control: str
    watch: str

    @property
    def origin(self) -> str:
        """The address without a token."""
        return self.control.partition("/?")[0]


@contextmanager
def serving(folder: Path, *words: object) -> Iterator[Served]:
    """The program serves the page until this is left."""
    errors = folder / "errors.txt"
    with errors.open("w") as file:
        program = start(folder, "serve", *words, stdout=subprocess.DEVNULL, stderr=file)
    with program, stopped(program):
        deadline_s = time.monotonic() + _START_S
        while len(found := re.findall(r"http://\S+/\?token=\S+", errors.read_text())) < 2:
            assert program.poll() is None, errors.read_text()
            assert time.monotonic() < deadline_s, errors.read_text()
            time.sleep(0.05)
        yield Served(program, found[0], found[1])


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def open_page(context: BrowserContext, address: str) -> Page:
    """Opens the page, and waits until it shows what the server says."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
    page.goto(address)
    page.wait_for_selector("#misuse:not(:empty)")
    return page


if __name__ == "__main__":
    page = mjpeg_page(_clock_pictures(float(sys.argv[2])))
    with http({"/clock": page}, int(sys.argv[1])) as server:
        sys.stdout.write(server.address.partition(":")[2] + "\n")
        sys.stdout.flush()
        while server.wait(3600):
            pass
