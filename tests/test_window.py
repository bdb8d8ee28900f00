"""The window: where there is no screen, and on one made for the test, with real key presses."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import log_lines, times_s, write_clip

from stream.errors import SinkError
from stream.sinks.window import Window, has_display

_WAIT_S = 60.0
_LINUX = sys.platform.startswith("linux")


@pytest.mark.skipif(not _LINUX, reason="elsewhere there is always a screen")
@pytest.mark.parametrize("display", [None, "", ":9999"])
def test_without_a_screen(display: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    if display is not None:
        monkeypatch.setenv("DISPLAY", display)
    assert not has_display()
    with pytest.raises(SinkError, match="no screen to show the window on"):
        Window()


@pytest.fixture
def screen() -> Iterator[dict[str, str]]:
    """A screen that nobody looks at; gives the environment that leads to it."""
    for tool in ("Xvfb", "xdotool"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed: no screen, or no keys to press")
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    try:
        number = server.stdout.readline().strip()
        assert number, "Xvfb does not start"
        kept = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"}
        yield kept | {"DISPLAY": f":{number}"}
    finally:
        server.terminate()
        server.communicate(timeout=_WAIT_S)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("window") / "clip.mp4", 400, (320, 180))


@pytest.fixture
def shown(
    screen: dict[str, str], clip: Path, tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The program in the middle of a clip, and the number of its window."""
    words = f"run {clip} --save out.mp4 --log out.jsonl --json-summary"
    program = subprocess.Popen(
        [sys.executable, "-m", "stream", *words.split(), "--set", "detection.frame_skip=0"],
        cwd=tmp_path,
        env=screen,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        found = _xdotool(screen, "search --sync --onlyvisible --name ^face-stream$")
        yield program, int(found.split()[0])
    finally:
        if program.poll() is None:
            program.kill()
        program.communicate()


def _xdotool(screen: dict[str, str], words: str) -> str:
    done = subprocess.run(
        ["xdotool", *words.split()], env=screen, check=True, stdout=subprocess.PIPE, timeout=_WAIT_S
    )
    return done.stdout.decode()


def _ended_with_complete_files(program: subprocess.Popen[str], folder: Path) -> None:
    out, errors = program.communicate(timeout=_WAIT_S)
    assert (program.returncode, errors) == (0, "")
    summary = json.loads(out)
    assert summary["failures"] == []
    assert 0 < summary["frames"] < 400
    assert len(times_s(folder / "out.mp4")) == summary["frames"]
    assert len(log_lines(folder / "out.jsonl")) == 1 + summary["frames"]


@pytest.mark.parametrize("key", ["q", "Escape"])
def test_a_key_ends_it(
    key: str, shown: tuple[subprocess.Popen[str], int], screen: dict[str, str], tmp_path: Path
) -> None:
    program, window = shown
    _xdotool(screen, f"windowfocus --sync {window} key {key}")
    _ended_with_complete_files(program, tmp_path)


def test_its_own_button_ends_it(
    shown: tuple[subprocess.Popen[str], int], screen: dict[str, str], tmp_path: Path
) -> None:
    program, window = shown
    subprocess.run([sys.executable, "-c", _CLOSE, str(window)], env=screen, check=True)
    _ended_with_complete_files(program, tmp_path)


# What a window manager sends when the button is pressed (ICCCM 4.2.8.1): WM_DELETE_WINDOW.
_CLOSE = """
import ctypes, sys

class Message(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("sent", ctypes.c_int),
        ("display", ctypes.c_void_p), ("window", ctypes.c_ulong), ("kind", ctypes.c_ulong),
        ("format", ctypes.c_int), ("data", ctypes.c_long * 5), ("rest", ctypes.c_long * 24),
    ]

x11 = ctypes.CDLL("libX11.so.6")
x11.XOpenDisplay.restype = ctypes.c_void_p
x11.XInternAtom.restype = ctypes.c_ulong
display = ctypes.c_void_p(x11.XOpenDisplay(None))
window = int(sys.argv[1])
message = Message(type=33, window=window, kind=x11.XInternAtom(display, b"WM_PROTOCOLS", 0))
message.format, message.data[0] = 32, x11.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
x11.XSendEvent(display, ctypes.c_ulong(window), 0, 0, ctypes.byref(message))
x11.XCloseDisplay(display)
"""
