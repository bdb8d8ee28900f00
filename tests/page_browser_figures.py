"""The figures of the page that only a browser can tell, each measured by one command.

    python tests/page_browser_figures.py FOLDER first --count 5
    python tests/page_browser_figures.py FOLDER glass --count 300
    python tests/page_browser_figures.py FOLDER bytes --count 20

`first` is the time from opening the page to its first picture, `glass` the age of the clock that a
camera draws into its frames when the browser shows it, by H.264 and by MJPEG, and `bytes` what each
of the two sends in COUNT seconds. Written in FOLDER is what the program says. Look at the load of
the machine beside them: all of it runs on one.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from page_browser import (
    CLOCK_SPAN,
    READ_CLOCK,
    ClockCamera,
    Served,
    chromium,
    open_page,
    serving,
)
from playwright.sync_api import Browser

_FPS = 15  # of the camera, as the page shows at most by default

_NO_MSE = "delete window.MediaSource; delete window.ManagedMediaSource;"

_FIRST_PICTURE = """
() => new Promise((done) => {
  const look = () => {
    const video = document.querySelector("article video");
    const poster = video?.poster && performance.getEntriesByName(video.poster)[0];
    if (poster?.responseEnd) done(poster.responseEnd);
    else if (video?.readyState >= 2) done(performance.now());
    else requestAnimationFrame(look);
  };
  look();
})
"""

_AGES = """
([selector, count]) => new Promise((done) => {
  const read = READ;
  const shown = document.querySelector(selector);
  const ages = [];
  let last = null;
  const look = () => {
    const ms = read(shown);
    if (ms !== null && ms !== last) ages.push((Date.now() - ms) % SPAN);
    last = ms;
    if (ages.length >= count) done(ages);
    else if (shown.requestVideoFrameCallback) shown.requestVideoFrameCallback(look);
    else requestAnimationFrame(look);
  };
  look();
})
""".replace("READ", READ_CLOCK).replace("SPAN", str(CLOCK_SPAN))


def first(browser: Browser, served: Served, count: int) -> dict[str, float]:
    """Time from opening the page to its first picture, in a browser that knows nothing of it."""
    found = []
    for _ in range(count):
        context = browser.new_context()
        found.append(open_page(context, served.control).evaluate(_FIRST_PICTURE))
        context.close()
    return {"first picture, median ms": float(np.median(found)), "at most ms": max(found)}


def glass(browser: Browser, served: Served, count: int) -> dict[str, float]:
    """Age of the clock in the picture that the browser shows."""
    figures = {}
    for way, selector, script in (
        ("H.264", "article video", ""),
        ("MJPEG", "article img", _NO_MSE),
    ):
        context = browser.new_context()
        context.add_init_script(script)
        page = open_page(context, served.control)
        page.wait_for_timeout(3000)  # the encoder and the player come to rest
        ages = page.evaluate(_AGES, [selector, count])
        figures[f"{way}, p50 ms"] = float(np.percentile(ages, 50))
        figures[f"{way}, p95 ms"] = float(np.percentile(ages, 95))
        context.close()
    return figures


def sizes(browser: Browser, served: Served, count: int) -> dict[str, float]:
    """Bytes of the live picture in as many seconds, by either way."""
    figures = {}
    for way, script in (("H.264", ""), ("MJPEG", _NO_MSE)):
        context = browser.new_context()
        context.add_init_script(script)
        page = context.new_page()
        received = _received(page)
        page.goto(served.control)
        page.wait_for_selector("article[data-state=live]")
        page.wait_for_timeout(2000)
        before = received()
        page.wait_for_timeout(count * 1000)
        figures[f"{way}, kB a second"] = (received() - before) / count / 1000
        context.close()
    return figures


def _received(page: Any) -> Callable[[], int]:
    """Counts the bytes that a page gets, of answers and of sockets."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    total = 0

    def add(event: dict[str, Any]) -> None:
        nonlocal total
        frame = event.get("response", {})
        is_binary = frame.get("opcode") == 2  # sent as base64
        total += len(frame.get("payloadData", "")) * 3 // 4 if is_binary else 0
        total += event.get("dataLength", 0)

    session.on("Network.dataReceived", add)
    session.on("Network.webSocketFrameReceived", add)
    return lambda: total


_COMMANDS = {"first": first, "glass": glass, "bytes": sizes}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("figure", choices=_COMMANDS)
    parser.add_argument("--count", type=int, default=20)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    measure = _COMMANDS[given.figure]
    with (
        ClockCamera(_FPS) as camera,
        serving(given.folder, camera.address, "--set", "serve.port=0") as served,
        chromium() as browser,
    ):
        figures = measure(browser, served, given.count)
    for name, figure in {**figures, "load of the machine": os.getloadavg()[0]}.items():
        sys.stdout.write(f"{name}: {figure:,.1f}\n")


if __name__ == "__main__":
    main()
